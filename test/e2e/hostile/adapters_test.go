package hostile

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gocolly/colly/v2"

	"github.com/crawlstats/crawlstats/crawler/collystats"
	"github.com/crawlstats/crawlstats/crawler/httpstats"
	"github.com/crawlstats/crawlstats/internal/hostile"
	"github.com/crawlstats/crawlstats/stats"
)

// site answers every connection with one of the texts where it hurts: in the
// status line, in a header, in a redirect, in the body, or instead of HTTP. Texts
// are cut to most bytes.
func site(t *testing.T, most int) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	texts := append(hostile.Texts(), hostile.Secrets()...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			text := texts[i/5%len(texts)].Value
			answer(conn, text[:min(len(text), most)], i%5)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String()
}

func answer(conn net.Conn, text string, where int) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	request := make([]byte, 4096)
	if _, err := conn.Read(request); err != nil {
		return
	}
	switch where {
	case 0:
		fmt.Fprintf(conn, "HTTP/1.1 500 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", text)
	case 1:
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nX-Evil: %s\r\nConnection: close\r\n\r\nbody", text, text)
	case 2:
		fmt.Fprintf(conn, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", text)
	case 3:
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>%s</title>", text)
	case 4:
		fmt.Fprintf(conn, "%s\r\n\r\n", text)
	}
}

// local dials the hostile site whatever the URL says, so that no redirect leads out.
func local(url string) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true,
		Proxy:             nil,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, strings.TrimPrefix(url, "http://"))
		},
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, fmt.Errorf("no TLS for %s", hostile.Texts()[5].Value)
		},
	}
}

const visits = 5 * 90 // every text in every place

func TestHTTPStats(t *testing.T) {
	url := site(t, hostile.Long)
	o := newOutlet(t, stats.Config{ID: "shop"})
	client := httpstats.Client(o.st, &http.Client{Transport: local(url), Timeout: 10 * time.Second}, httpstats.Config{Requests: true})
	for i := range visits {
		resp, err := client.Get(fmt.Sprintf("%s/%d?token=%s", url, i, hostile.Secret))
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	o.close(t)
	if a := o.final; a.Started != visits || a.Finished+a.Failed+a.Discarded != visits {
		t.Errorf("%d started, %d finished, %d failed, %d discarded; want %d in all", a.Started, a.Finished, a.Failed, a.Discarded, visits)
	}
	each(t, o)
}

func TestCollyStats(t *testing.T) {
	url := site(t, 16<<10) // its parser of URLs takes seconds for a megabyte
	o := newOutlet(t, stats.Config{ID: "shop"})
	c := colly.NewCollector(colly.AllowURLRevisit())
	c.WithTransport(local(url))
	a := collystats.Attach(c, o.st, collystats.Config{})
	for i := range visits {
		a.CountVisit(c.Visit(fmt.Sprintf("%s/%d?token=%s", url, i, hostile.Secret)))
	}
	a.Wait()
	o.close(t)
	if s := o.final; s.Started != visits || s.InFlight != 0 {
		t.Errorf("%d started, %d in flight; want %d and none", s.Started, s.InFlight, visits)
	}
	each(t, o)
}
