package examples

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/stats"
)

func TestChromedp(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium", "chromium")
	}
	server, st := shop(t), stats.New()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Getuid() == 0 {
		flags = append(flags, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, flags...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()

	if err := CountPages(ctx, st); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/old", "/gone"} { // each with a picture, but the last
		if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+path)); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(time.Minute); st.Snapshot().InFlight > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	counted(t, st, "finished 2, failed 1, retried 0, codes map[200:2 301:1 404:1]")
}

// missing skips the test, or fails it where all of them have to run.
func missing(t *testing.T, what, pkg string) {
	t.Helper()
	text := "NOT TESTED: " + what + " is missing; as root: apt-get install -y --no-install-recommends " + pkg
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	t.Skip(text)
}
