package dashboard

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/crawlstats/crawlstats/stats"
)

// Dashboard is the page of a Source, and what it is made of. Make one with New.
type Dashboard struct {
	cfg      Config
	source   source
	producer *producer
	routes   map[string]route
	feeds    chan struct{} // holds a token for each open feed
}

// route answers to one path.
type route struct {
	method string
	http.HandlerFunc
}

// New returns a Dashboard of src. Close it, or its goroutine stays. A nil src
// panics.
func New(src stats.Source, cfg Config) *Dashboard {
	if src == nil {
		panic("the Source is nil: give a *stats.Statistics or a *stats.Fleet")
	}
	d := &Dashboard{cfg: cfg.withDefaults(), source: newSource(src, cfg.ID)}
	d.feeds = make(chan struct{}, d.cfg.MaxFeeds)
	d.producer = startProducer(d.source, d.cfg)
	d.routes = map[string]route{
		"api/v1/feed":          {http.MethodGet, d.feed},
		"api/v1/stats.json":    {http.MethodGet, d.stats},
		"api/v1/snapshot.json": {http.MethodGet, d.snapshot},
		"report.html":          {http.MethodGet, d.report},
	}
	if cfg.Reset != nil {
		d.routes["api/v1/reset"] = route{http.MethodPost, d.reset}
	}
	for path, a := range assets() {
		d.routes[path] = route{http.MethodGet, a.serve}
	}
	return d
}

// Close sends the last figures to all feeds, ends them and waits for them; a
// browser that does not read may take five seconds. It is idempotent and safe on
// nil, and always returns nil. Where the Statistics is closed before, the pages end
// with its last state. http.Server.Shutdown waits for open feeds, so close the
// Dashboard before:
//
//	server.RegisterOnShutdown(func() { d.Close() })
func (d *Dashboard) Close() error {
	if d != nil {
		d.producer.stop()
	}
	return nil
}

// ServeHTTP answers to the paths that the documentation of the package lists.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !allowed(r.Host, d.cfg.AllowedHosts) {
		http.Error(w, "This name is not known here: add it to Config.AllowedHosts of the dashboard, or say --allow-host to crawlstats serve.", http.StatusForbidden)
		return
	}
	protect(w.Header())
	route, found := d.routes[strings.TrimPrefix(r.URL.Path, "/")]
	switch {
	case !found:
		http.NotFound(w, r)
	case r.Method != route.method && (r.Method != http.MethodHead || route.method != http.MethodGet):
		w.Header().Set("Allow", route.method)
		http.Error(w, "This address takes "+route.method+" alone.", http.StatusMethodNotAllowed)
	default:
		route.ServeHTTP(w, r)
	}
}

// stats answers with what the page shows.
func (d *Dashboard) stats(w http.ResponseWriter, r *http.Request) {
	if f := d.fresh(w, r); f != nil {
		answer(w, "application/json", f.whole())
	}
}

// snapshot answers with all there is, in the form that stats.Decode reads.
func (d *Dashboard) snapshot(w http.ResponseWriter, r *http.Request) {
	f := d.fresh(w, r)
	if f == nil {
		return
	}
	text, err := f.snapshot.MarshalJSON()
	if err != nil {
		http.Error(w, "The snapshot cannot be written.", http.StatusInternalServerError)
		return
	}
	answer(w, "application/json", text)
}

// report answers with the report of the same look.
func (d *Dashboard) report(w http.ResponseWriter, r *http.Request) {
	f := d.fresh(w, r)
	if f == nil {
		return
	}
	var page bytes.Buffer
	if err := writeReport(&page, f.snapshot, f.view); err != nil {
		http.Error(w, "The report cannot be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", reportPolicy)
	answer(w, "text/html; charset=utf-8", page.Bytes())
}

// fresh returns a look that is not older than Config.Every, or answers 503.
func (d *Dashboard) fresh(w http.ResponseWriter, r *http.Request) *frame {
	f := d.producer.fresh(r.Context())
	if f == nil {
		http.Error(w, "The dashboard is closed.", http.StatusServiceUnavailable)
	}
	return f
}

// answer sends data. That the reader has gone concerns nobody.
func answer(w http.ResponseWriter, contentType string, data []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data)
}
