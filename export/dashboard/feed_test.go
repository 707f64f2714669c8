package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/stats"
	"github.com/crawlstats/crawlstats/stats/statstest"
)

func TestFeedSendsASnapshotThenTicks(t *testing.T) {
	st := statstest.New(t)
	srv, _ := serve(t, st, Config{Every: minEvery, ID: "shop"})
	next, status := feed(t, srv.URL)
	first, ok := next()
	if !ok || status != 200 || first.name != "snapshot" {
		t.Fatalf("%d %+v", status, first)
	}
	if v := first.view(t); v.Name != "shop" || v.Totals.Finished != 0 || len(v.Ranges) != 3 {
		t.Errorf("%+v", v)
	}
	for range 50 {
		st.Observe(stats.Outcome{StatusCode: 200})
	}
	for { // a machine that is slow has missed a tick, and gets a snapshot
		e, ok := next()
		if !ok {
			t.Fatal("no tick has come")
		}
		if e.name == "tick" && e.view(t).Totals.Finished == 50 {
			break
		}
	}
	if err := st.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	for { // what was drawn is no longer true: the page begins anew
		e, ok := next()
		if !ok {
			t.Fatal("the feed has ended")
		}
		if e.view(t).Totals.Finished == 0 {
			if e.name != "snapshot" {
				t.Errorf("the first event after a reset is a %s", e.name)
			}
			break
		}
	}
}

// However many pages there are, the source is read once for each tick, and what
// there is no place for is told to ask instead.
func TestThousandFeeds(t *testing.T) {
	src := &looks{Statistics: stats.New()}
	srv, d := serve(t, src, Config{Every: minEvery})
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	var open []func() (event, bool)
	for range 1000 / 50 {
		for range 50 {
			wg.Go(func() {
				next, status := feed(t, srv.URL)
				mu.Lock()
				defer mu.Unlock()
				counts[status]++
				if status == 200 {
					open = append(open, next)
				}
			})
		}
		wg.Wait()
	}
	if counts[200] != 64 || counts[503] != 936 {
		t.Fatalf("%v", counts)
	}
	before, looked := number(d), src.n.Load()
	for _, next := range open {
		wg.Go(func() {
			for range 5 {
				src.Observe(stats.Outcome{})
				if _, ok := next(); !ok {
					t.Error("a feed has ended")
				}
			}
		})
	}
	wg.Wait()
	if frames, n := number(d)-before, src.n.Load()-looked; n > int64(frames)+1 {
		t.Errorf("read %d times for %d ticks", n, frames)
	}
	if n := src.Statistics.Snapshot().Finished; n != 320 {
		t.Errorf("%d requests were counted", n)
	}
	if resp := ask(d, http.MethodGet, "http://localhost/api/v1/stats.json"); resp.StatusCode != 200 {
		t.Errorf("who asks gets %d", resp.StatusCode)
	}
}

func number(d *Dashboard) uint64 {
	f, _ := d.producer.newest()
	return f.number
}

// The source is read once a second while somebody looks, and every ten seconds
// for the notes while nobody does.
func TestNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &looks{Statistics: stats.New()}
		d := New(src, Config{})
		defer d.Close()
		during := func(span time.Duration) int64 {
			before := src.n.Load()
			time.Sleep(span)
			synctest.Wait()
			return src.n.Load() - before
		}
		time.Sleep(time.Millisecond)
		if n := during(time.Minute); n != 6 {
			t.Errorf("nobody looks: read %d times a minute", n)
		}
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				d.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/feed", nil))
			})
		}
		if n := during(time.Minute); n < 60 || n > 61 {
			t.Errorf("three look: read %d times a minute", n)
		}
		leave()
		wg.Wait()
		if n := during(time.Minute); n != 6 {
			t.Errorf("nobody looks any more: read %d times a minute", n)
		}
	})
}

// A reader that is slow misses ticks, holds up nobody, and then gets everything.
func TestSlowReader(t *testing.T) {
	src := &looks{Statistics: stats.New()}
	d := New(src, Config{Every: minEvery})
	defer d.Close()
	slow := &slowWriter{header: http.Header{}, turn: make(chan struct{}), said: make(chan string, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		d.ServeHTTP(slow, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/feed", nil))
	})
	slow.turn <- struct{}{}
	first := <-slow.said
	for f, i := d.producer.fresh(t.Context()), 0; i < 4; i++ { // somebody else is served meanwhile
		f = after(t, d, f)
	}
	slow.turn <- struct{}{}
	<-slow.said // was under way already
	slow.turn <- struct{}{}
	third := <-slow.said
	if !strings.Contains(first, "event: snapshot") || !strings.Contains(third, "event: snapshot") {
		t.Errorf("%.60s … %.60s", first, third)
	}
	cancel()
	close(slow.turn)
	wg.Wait()
}

// slowWriter takes an event at each turn.
type slowWriter struct {
	header http.Header
	turn   chan struct{}
	said   chan string
}

func (w *slowWriter) Header() http.Header { return w.header }
func (w *slowWriter) WriteHeader(int)     {}
func (w *slowWriter) Flush()              {}

func (w *slowWriter) Write(p []byte) (int, error) {
	<-w.turn
	w.said <- string(p)
	return len(p), nil
}

// Without a way to flush, the page is told to ask.
func TestNoFlush(t *testing.T) {
	d := New(stats.New(), Config{})
	defer d.Close()
	answer := httptest.NewRecorder()
	d.ServeHTTP(struct{ http.ResponseWriter }{answer}, httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/feed", nil))
	if answer.Code != http.StatusNotImplemented || strings.Contains(answer.Body.String(), "event:") {
		t.Errorf("%d: %s", answer.Code, answer.Body)
	}
	if resp := ask(d, http.MethodHead, "http://localhost/api/v1/feed"); resp.StatusCode != 200 {
		t.Errorf("HEAD: %d", resp.StatusCode)
	}
}

// The write timeout of a server, which ends every other answer, does not end a
// feed.
func TestFeedOutlivesWriteTimeout(t *testing.T) {
	const timeout = 300 * time.Millisecond
	d := New(stats.New(), Config{Every: minEvery})
	srv := httptest.NewUnstartedServer(d)
	srv.Config.WriteTimeout = timeout
	srv.Start()
	defer srv.Close()
	defer d.Close()
	next, _ := feed(t, srv.URL)
	for begin := time.Now(); time.Since(begin) < 4*timeout; {
		if e, ok := next(); !ok {
			t.Fatalf("the feed ended after %v, with %+v", time.Since(begin), e)
		}
	}
}

// Over HTTP/2 a feed that waits for longer than an event may take to send goes on.
func TestFeedOverHTTP2(t *testing.T) {
	t.Parallel()
	d := New(stats.New(), Config{Every: sendWithin + time.Second})
	srv := httptest.NewUnstartedServer(d)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	defer d.Close()
	next, _ := feedOf(t, srv.Client(), srv.URL)
	for i := range 2 {
		if e, ok := next(); !ok {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

// Shutdown waits for feeds; Close ends them all at once, with the last figures.
func TestShutdownWithOpenPages(t *testing.T) {
	st := stats.New()
	d := New(st, Config{Every: time.Hour})
	srv := httptest.NewServer(d)
	defer srv.Close()
	var pages []func() (event, bool)
	for range 5 {
		next, _ := feed(t, srv.URL)
		next()
		pages = append(pages, next)
	}
	for range 3 {
		st.Observe(stats.Outcome{})
	}
	srv.Config.RegisterOnShutdown(func() { d.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begin := time.Now()
	if err := srv.Config.Shutdown(ctx); err != nil {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
	for i, next := range pages {
		for _, want := range []string{"tick", "end"} { // the last figures
			if e, ok := next(); !ok || e.name != want || want == "tick" && e.view(t).Totals.Finished != 3 {
				t.Errorf("page %d got %+v, want a %s", i, e, want)
			}
		}
		if e, ok := next(); ok {
			t.Errorf("page %d got %+v", i, e)
		}
	}
	if resp := ask(d, http.MethodGet, "http://localhost/api/v1/feed"); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close the feed answers %d", resp.StatusCode)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// 50,000 hosts and 2,000 error groups, with a full history, fit.
func TestSizes(t *testing.T) {
	src := big{}
	now := time.Now().Truncate(time.Hour)
	a := &src.a
	a.Started, a.StartedAt, a.Runtime = 1<<40, now.Add(-200*time.Hour), 200*time.Hour
	for i := range 2000 {
		a.Errors = append(a.Errors, stats.ErrorGroup{
			Kind: "other", Message: fmt.Sprint(i) + strings.Repeat(`<>&"日`, 60), Count: int64(1<<40 + i),
			LastSeen: now, FirstSeen: now, Examples: []string{"https://" + strings.Repeat("ü", 76)},
		})
	}
	for i := range 50_000 {
		a.Hosts = append(a.Hosts, stats.HostStats{Host: fmt.Sprintf("%d.%s.example", i, strings.Repeat("ü", 100)), Finished: int64(1<<40 + i), Failed: int64(i)})
	}
	points := func(n int, step time.Duration) (all []stats.Point) {
		for i := range n {
			p := stats.Point{
				At: now.Add(time.Duration(i-n+1) * step), Finished: 123456, Failed: 12345, Discarded: 12345, Retries: 12345, InFlight: 12345,
				P50: 123456789, P95: 1234567890, P99: 12345678901,
			}
			for c := range p.Status {
				p.Status[c] = 123456
			}
			all = append(all, p)
		}
		return all
	}
	a.History = stats.History{Seconds: points(300, time.Second), TenSeconds: points(90, 10*time.Second), Minutes: points(180, time.Minute), Hours: points(168, time.Hour)}
	d := New(&src, Config{})
	defer d.Close()
	first := d.producer.fresh(t.Context())
	if n := len(first.whole()); n > 256<<10 || n < 32<<10 {
		t.Errorf("a snapshot has %d bytes", n)
	}
	defer d.producer.watch()()
	if n := len(after(t, d, first).tick); n > 16<<10 || n < 4<<10 {
		t.Errorf("a tick has %d bytes", n)
	}
}

// after returns the frame that follows f.
func after(t *testing.T, d *Dashboard, f *frame) *frame {
	t.Helper()
	next := d.after(f.number, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", nil))
	if next == nil {
		t.Fatal("there is no other")
	}
	return next
}

// big is a Source that adds a point to its history at each look.
type big struct {
	mu sync.Mutex
	a  stats.Snapshot
}

func (b *big) Live() stats.Snapshot { return b.Snapshot() }

func (b *big) Snapshot() stats.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ring := range []*[]stats.Point{&b.a.History.Seconds, &b.a.History.TenSeconds, &b.a.History.Minutes, &b.a.History.Hours} {
		p := (*ring)[len(*ring)-1]
		p.At = p.At.Add(p.At.Sub((*ring)[len(*ring)-2].At))
		*ring = append(append([]stats.Point(nil), (*ring)[1:]...), p)
	}
	return b.a
}

// What strangers have written stays on its line, and reads back as text.
func TestHostileTexts(t *testing.T) {
	const evil = "</script>\r\ndata: forged\n\nevent: forged\u2028\u202e\x00\x1b[2J\xff<img src=x>"
	st := stats.New()
	j := st.BeginWith(stats.Request{Host: evil, URL: evil})
	j.Fail(stats.WithKind(stats.KindParse, evilError(evil)))
	srv, _ := serve(t, st, Config{ID: evil, Every: minEvery, MetricsURL: "metrics"})
	next, _ := feed(t, srv.URL)
	for range 2 {
		e, ok := next()
		if !ok || e.name != "snapshot" && e.name != "tick" || strings.ContainsAny(e.data, "\r\n\x00\x1b\u202e") {
			t.Fatalf("%v %q", ok, e)
		}
		v := e.view(t)
		for _, text := range []string{v.Name, v.Hosts.Rows[0].Host, v.Errors.Rows[0].Message} {
			if !strings.Contains(text, "script>") || strings.ContainsAny(text, "\r\n\x00\x1b\u202e\u2028") {
				t.Errorf("%q", text)
			}
		}
	}
}

type evilError string

func (e evilError) Error() string { return string(e) }
