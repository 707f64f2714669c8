package browser

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

const chip = `document.getElementById('state').textContent`

// A program that ends tells its page, with the last figures; whether the page or
// the statistics is closed first.
func TestPageSaysTheEnd(t *testing.T) {
	for want, first := range map[string]func(*stats.Statistics){
		"closed by the program": func(*stats.Statistics) {},
		"finished":              func(st *stats.Statistics) { st.Close() },
	} {
		t.Run(want, func(t *testing.T) {
			st := open(t, kvstore.NewMemory())
			d := dashboard.New(st, dashboard.Config{})
			srv := httptest.NewServer(d)
			defer srv.Close()
			defer d.Close()
			tb := newTab(t, srv.URL)
			tb.open(srv.URL)
			tb.until(chip + ` === 'running'`)
			for range 7 {
				st.Observe(stats.Outcome{})
			}
			first(st)
			d.Close()
			srv.Close()
			tb.until(chip + ` === ` + quote(want))
			tb.until(`feed.readyState === EventSource.CONNECTING`) // it has tried again
			if n, says := tb.text(".tile b"), eval[string](tb, chip); n != "7" || says != want {
				t.Errorf("in the end the page says %s, %s", n, says)
			}
		})
	}
}

// While the page is paused it says when the connection is lost, and when it is
// back.
func TestLostWhilePaused(t *testing.T) {
	d := dashboard.New(stats.New(), dashboard.Config{})
	defer d.Close()
	srv := httptest.NewUnstartedServer(d)
	srv.Start()
	address := srv.Listener.Addr().String()
	tb := newTab(t, srv.URL)
	tb.open(srv.URL)
	tb.do(chromedp.Click("#pause"))
	tb.until(chip + ` === 'paused'`)
	srv.CloseClientConnections()
	srv.Close()
	tb.until(chip + ` === 'connection lost, trying again'`)
	back, err := dashboard.Listen(t.Context(), address, http.Handler(d))
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	tb.until(chip + ` === 'paused'`)
}
