package browser

import (
	"crypto/sha256"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

// serveView serves the real page with one view that does not change.
func serveView(t *testing.T, view []byte) string {
	t.Helper()
	d := dashboard.New(stats.New(), dashboard.Config{})
	t.Cleanup(func() { d.Close() })
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/feed" {
			d.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: snapshot\ndata: %s\n\n", view)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// scheme asks for a light or a dark page.
func scheme(t *tab, name string) {
	t.Helper()
	_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (t *tab) picture(file string) {
	t.Helper()
	height := eval[int64](t, `Math.ceil(document.documentElement.scrollHeight)`)
	width := eval[int64](t, `innerWidth`)
	t.do(chromedp.EmulateViewport(width, height))
	t.until(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	shot, err := chromedp.Run(t.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		t.Fatal(err)
	}
}

// where the pictures are, and the sum of the files they show.
const (
	pictures = "../../../docs/img/"
	sumFile  = pictures + "dashboard.sum"
)

// pageSum is a hash over the files of the page as they are served.
func pageSum(t *testing.T) string {
	t.Helper()
	d := dashboard.New(stats.New(), dashboard.Config{})
	defer d.Close()
	sum := sha256.New()
	for _, file := range []string{"index.html", "app.css", "app.js", "chart.js", "theme.js", "vendor/uPlot.iife.min.js", "vendor/uPlot.min.css"} {
		answer := httptest.NewRecorder()
		d.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost/"+file, nil))
		if answer.Code != http.StatusOK {
			t.Fatal(file, answer.Code)
		}
		fmt.Fprintf(sum, "%s %d\n%s", file, answer.Body.Len(), answer.Body)
	}
	return fmt.Sprintf("%x\n", sum.Sum(nil))
}

// The pictures in the documentation are of the page as it is. With
// CRAWLSTATS_PICTURES=1 they are made anew.
func TestPictures(t *testing.T) {
	if os.Getenv("CRAWLSTATS_PICTURES") != "" {
		takePictures(t)
		if err := os.WriteFile(sumFile, []byte(pageSum(t)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := os.ReadFile(sumFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(sum) != pageSum(t) {
		t.Error("the pictures in docs/img show an older page: in test/e2e, run CRAWLSTATS_PICTURES=1 go test -run TestPictures ./browser, and look at them")
	}
	for _, name := range []string{"dashboard-light.png", "dashboard-dark.png"} {
		f, err := os.Open(pictures + name)
		if err != nil {
			t.Fatal(err)
		}
		image, err := png.DecodeConfig(f)
		f.Close()
		if err != nil || image.Width != 1440 || image.Height < 1000 {
			t.Errorf("%s: %+v, %v", name, image, err)
		}
	}
}

func takePictures(t *testing.T) {
	url := serveView(t, shopCrawl(t))
	tb := newTab(t, url)
	for _, theme := range []string{"light", "dark"} {
		scheme(tb, theme)
		tb.do(chromedp.EmulateViewport(1440, 900))
		tb.open(url)
		tb.until(inked + ` === 3`)
		tb.picture(pictures + "dashboard-" + theme + ".png")
	}
}
