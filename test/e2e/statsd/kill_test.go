package statsd

import (
	"fmt"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/crawlstats/crawlstats/crawler/example/site"
)

// A crawler that pushes is killed and goes on: the server's totals never fall,
// and nothing is told to it twice. What was counted after the last flush is lost
// to it.
func TestAKilledCrawlRepeatsNothing(t *testing.T) {
	each(t, func(t *testing.T, srv server) {
		exe := filepath.Join(t.TempDir(), "example")
		build := exec.Command("go", "build", "-o", exe, "./crawler/example")
		build.Dir = "../../.."
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		pages := site.New()
		web := httptest.NewServer(pages)
		t.Cleanup(web.Close)
		state := t.TempDir()
		crawler := func() *exec.Cmd {
			return exec.Command(exe, "-site", web.URL, "-state", state, "-log-every", "-1s", "-statsd", "tcp://"+srv.address("tcp"))
		}

		var last float64
		told := func() float64 {
			t.Helper()
			counters, err := srv.counters()
			if err != nil {
				t.Fatal(err)
			}
			now := counters[srv.name("crawler.example.requests.finished")]
			if now < last {
				t.Errorf("the total fell from %v to %v", last, now)
			}
			last = now
			for name, v := range counters {
				if strings.Contains(name, "example") && v < 0 {
					t.Errorf("%s is %v", name, v)
				}
			}
			return now
		}

		first := crawler()
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, "some requests", func() error {
			if n := told(); n < 20 {
				return fmt.Errorf("%v finished", n)
			}
			return nil
		})
		if err := first.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = first.Wait()
		before := told()

		second := crawler()
		if out, err := second.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		await(t, "the last flush", func() error {
			if n := told(); n <= before {
				return fmt.Errorf("still %v finished", n)
			}
			return nil
		})
		answered := float64(pages.Log().Requests)
		if n := told(); n > answered {
			t.Errorf("%v requests finished at the server, the site has answered %v", n, answered)
		}
		content(t, srv)
	})
}
