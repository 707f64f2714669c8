//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/crawlstats/crawlstats/stats"
)

// TestMain is main in the children of TestCrawlSurvivesKills.
func TestMain(m *testing.M) {
	if os.Getenv("EXAMPLE_TEST_CHILD") != "" {
		main()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// TestCrawlSurvivesKills kills a crawl without warning, twice. In the end every
// URL has an outcome. Those that were saved when the queue was not yet are crawled
// and counted anew, and nothing is counted that the site has not seen.
func TestCrawlSurvivesKills(t *testing.T) {
	for name, flag := range map[string]string{"extension": "-site", "journal": "-url"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrawling(t)
			start := func() *exec.Cmd {
				child := exec.Command(os.Args[0], flag, c.opts.site.JoinPath("/").String(), "-delay", "0",
					"-id", c.opts.id, "-state", c.opts.state)
				child.Env = append(os.Environ(), "EXAMPLE_TEST_CHILD=1")
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				return child
			}
			const kills = 2
			for range kills {
				underWay := c.await(250)
				child := start()
				<-underWay
				child.Process.Kill()
				child.Wait()
			}
			if err := start().Wait(); err != nil {
				t.Fatal(err)
			}

			s, l := c.saved()
			if err := s.Balanced(); err != nil {
				t.Error(err)
			}
			if s.Interrupted == 0 || len(s.Segments) != kills+1 {
				t.Errorf("%d requests interrupted in %d runs: were the crawls killed?", s.Interrupted, len(s.Segments))
			}
			for i, path := range l.URLs {
				if !l.Done.has(i) {
					t.Errorf("%s is not settled", path)
				}
			}
			settled := s.Total() + s.Discards[stats.DiscardRobots] + s.Discards[stats.DiscardDuplicate]
			if urls := int64(len(l.URLs)); settled < urls {
				t.Errorf("%d outcomes of %d URLs", settled, urls)
			}
			log := c.site.Log()
			if s.Attempts > log.Requests {
				t.Errorf("%d attempts counted, and the site has seen %d", s.Attempts, log.Requests)
			}
			if n := len(log.Paths); n != reachable {
				t.Errorf("%d pages crawled, want %d", n, reachable)
			}
		})
	}
}

// TestCrawlStopsOnSignals is not parallel: its signals reach the whole process.
func TestCrawlStopsOnSignals(t *testing.T) {
	c := newCrawling(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		underWay := c.await(100)
		stopped := make(chan int)
		go func() { stopped <- c.exit() }()
		<-underWay
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if code := <-stopped; code != 128+int(sig) {
			t.Fatalf("exit status %d, want %d", code, 128+int(sig))
		}
		if s, _ := c.saved(); s.Balanced() != nil {
			t.Error(s.Balanced())
		}
	}
	c.run()

	// Who was stopped between two attempts has begun once more.
	s, _ := c.saved()
	delete(s.Discards, stats.DiscardAborted)
	if diff := cmp.Diff(expected(c.site.Log()), counted(s)); diff != "" {
		t.Error("access log and statistics differ:", diff)
	}
	if n := s.Interrupted; n != 0 {
		t.Errorf("%d requests interrupted, want none: each stop was clean", n)
	}
}
