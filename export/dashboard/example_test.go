package dashboard_test

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

// get asks a handler as a browser on this machine does.
func get(h http.Handler, path string) string {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
	return answer.Body.String()
}

// A crawler mounts the page beside what it serves already.
func Example() {
	st := stats.New()
	d := dashboard.New(st, dashboard.Config{ID: "shop"})
	defer d.Close()
	mux := http.NewServeMux()
	mux.Handle("/crawl/", http.StripPrefix("/crawl", d))

	for range 3 {
		j := st.Begin()
		j.Finish()
	}
	st.Gauge("queue.pending").Set(1)
	var shown struct {
		Name, State string
		Progress    struct{ Text string }
	}
	if err := json.Unmarshal([]byte(get(mux, "/crawl/api/v1/stats.json")), &shown); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%+v\n", shown)
	fmt.Println(strings.Contains(get(mux, "/crawl/"), "<h2>Throughput</h2>"))
	// Output:
	// {Name:shop State:running Progress:{Text:3 of 4 requests known; watching the queue}}
	// true
}

// A middleware asks for a password before anything is shown.
func ExampleDashboard() {
	d := dashboard.New(stats.New(), dashboard.Config{})
	defer d.Close()
	protected := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(password), []byte("secret")) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="crawl"`)
			http.Error(w, "Who are you?", http.StatusUnauthorized)
			return
		}
		d.ServeHTTP(w, r)
	})
	fmt.Print(get(protected, "/api/v1/snapshot.json"))
	// Output: Who are you?
}

// What a dashboard serves reads back as a Snapshot.
func ExampleListen() {
	st := stats.New()
	st.Observe(stats.Outcome{StatusCode: 200})
	d := dashboard.New(st, dashboard.Config{})
	server, err := dashboard.Listen(context.Background(), ":0", d)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	defer d.Close()

	resp, err := http.Get(server.URL + "api/v1/snapshot.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := stats.Decode(text)
	fmt.Println(a.Finished, a.StatusCodes, err)
	// Output: 1 map[200:1] <nil>
}
