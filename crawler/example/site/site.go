package site

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// AttemptHeader carries the number of attempts before this one. A request
// without it is the first.
const AttemptHeader = "X-Attempt"

// NoResponse stands in the log for a request that was not answered: it hung, or
// its connection was reset.
const NoResponse = 0

// A Site is an http.Handler that serves the pages of this package.
type Site struct {
	mu    sync.Mutex
	paths map[string][]int
}

// New returns a site with an empty log.
func New() *Site { return &Site{paths: make(map[string][]int)} }

// A Log is what was asked of a site, without robots.txt.
type Log struct {
	// Paths holds the status of each answer, or NoResponse, by path and in the
	// order of the requests.
	Paths map[string][]int
	// Status counts the answers by status.
	Status map[int]int64
	// Requests counts all of them.
	Requests int64
}

// Log returns a copy of the access log. A request is in it before its answer is
// on the way.
func (s *Site) Log() Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := Log{Paths: maps.Clone(s.paths), Status: make(map[int]int64)}
	for path, answers := range l.Paths {
		l.Paths[path] = slices.Clone(answers)
		for _, status := range answers {
			l.Status[status]++
			l.Requests++
		}
	}
	return l
}

func (s *Site) note(path string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[path] = append(s.paths[path], status)
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/robots.txt" {
		w.Write([]byte("User-agent: *\nDisallow: /no/\n"))
		return
	}
	a := answerTo(r.URL.Path, attempt(r))
	s.note(r.URL.Path, a.status)

	select {
	case <-time.After(a.delay):
	case <-r.Context().Done(): // somebody has lost patience
		panic(http.ErrAbortHandler)
	}
	if a.reset {
		reset(w)
		return
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(a.status)
	w.Write([]byte(a.body))
}

// attempt returns the number of attempts before this one.
func attempt(r *http.Request) int {
	n, _ := strconv.Atoi(r.Header.Get(AttemptHeader))
	return n
}

// reset closes the connection so that the client sees it reset, not ended.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: resets the stream
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// split returns the section and the number of a path like /p/17.
func split(path string) (section string, n int, ok bool) {
	section, number, found := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	n, err := strconv.Atoi(number)
	size := sections[section]
	return section, n, found && err == nil && n >= 0 && n < size && strconv.Itoa(n) == number
}
