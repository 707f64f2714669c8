package promcollect

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

// Instrument returns a handler that serves h and measures it:
//
//	http_request_duration_seconds{method,path,status}
//	http_request_total{method,status}
//	http_request_exceptions_total
//
// path is the pattern of the route, as http.ServeMux knows it, so there are no
// more paths than routes; a request that met no route has the path "unmatched".
// An unusual method is "OTHER". A panic of h counts as an exception with status
// 500, unless h had answered before, and goes on; http.ErrAbortHandler is no
// exception. The ResponseWriter that h sees keeps what the server's can do.
//
// The metrics are registered with cfg.Registry, and all handlers that share one
// share them; Instrument panics when others have taken their names there.
// Without a Registry, the handler returned is a prometheus.Collector that the
// caller registers.
func Instrument(h http.Handler, cfg Config) http.Handler {
	m := newHandlerMetrics()
	if cfg.Registry != nil {
		m = m.register(cfg.Registry)
	}
	return &instrumented{Handler: h, handlerMetrics: m}
}

// handlerMetrics are the metrics of all instrumented handlers of a registry.
type handlerMetrics struct {
	duration   *prometheus.HistogramVec
	requests   *prometheus.CounterVec
	exceptions prometheus.Counter
}

func newHandlerMetrics() *handlerMetrics {
	duration, requests := catalogue.HandlerDuration.Metric(), catalogue.HandlerRequests.Metric()
	exceptions := catalogue.HandlerExceptions.Metric()
	return &handlerMetrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: duration.Prom.Name, Help: duration.Help, Buckets: duration.Prom.Buckets,
		}, duration.Prom.Labels),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: requests.Prom.Name, Help: requests.Help,
		}, requests.Prom.Labels),
		exceptions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: exceptions.Prom.Name, Help: exceptions.Help,
		}),
	}
}

// register returns the metrics that r has: these, or those of an earlier handler.
func (m *handlerMetrics) register(r *prometheus.Registry) *handlerMetrics {
	err := r.Register(m)
	if err == nil {
		return m
	}
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if first, ok := already.ExistingCollector.(*handlerMetrics); ok {
			return first
		}
	}
	panic(fmt.Errorf("promcollect: instrument handler: Config.Registry has other metrics by the names http_request_…; use a registry without them: %w", err))
}

// Describe implements prometheus.Collector.
func (m *handlerMetrics) Describe(ch chan<- *prometheus.Desc) {
	m.duration.Describe(ch)
	m.requests.Describe(ch)
	m.exceptions.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *handlerMetrics) Collect(ch chan<- prometheus.Metric) {
	m.duration.Collect(ch)
	m.requests.Collect(ch)
	m.exceptions.Collect(ch)
}

type instrumented struct {
	http.Handler
	*handlerMetrics
}

func (i *instrumented) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	a := &answer{ResponseWriter: w}
	defer func() {
		thrown := recover()
		if thrown != nil && thrown != http.ErrAbortHandler { //nolint:errorlint // as net/http compares
			i.exceptions.Inc()
		}
		method, status := methodOf(r), a.statusAfter(thrown)
		i.duration.WithLabelValues(method, routeOf(r), status).Observe(time.Since(start).Seconds())
		i.requests.WithLabelValues(method, status).Inc()
		if thrown != nil {
			panic(thrown)
		}
	}()
	i.Handler.ServeHTTP(a.writer(), r)
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// methodOf keeps the methods that strangers invent from becoming series.
func methodOf(r *http.Request) string {
	if slices.Contains(methods, r.Method) {
		return r.Method
	}
	return "OTHER"
}

// routeOf returns the pattern that r met, without its method. A ServeMux inside
// the handler sets it too, so it is read when the handler is done.
func routeOf(r *http.Request) string {
	route := r.Pattern
	if _, path, ok := strings.Cut(route, " "); ok {
		route = strings.TrimLeft(path, " \t")
	}
	if route == "" {
		return "unmatched"
	}
	return catalogue.LabelValue(route)
}
