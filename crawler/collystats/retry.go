package collystats

import (
	"reflect"

	"github.com/gocolly/colly/v2"
)

// Retry is r.Retry, counted as one more attempt of the same request. Call it in
// OnResponse or OnError, in place of r.Retry; later, r is over and what is sent
// counts as a new request. If it returns an error without having sent anything,
// the request has failed for the reason it was tried again for.
func (a *Adapter) Retry(r *colly.Request) error {
	q := a.takeForRetry(r)
	if q == nil {
		return r.Retry()
	}
	key := identity(r)
	err := r.Retry()
	if err != nil && a.takeBack(key) {
		q.end(verdict{err: q.cause})
	}
	return err
}

// takeForRetry closes a fetch and puts its request where the next fetch finds
// it. It returns nil for what is not under way.
func (a *Adapter) takeForRetry(r *colly.Request) *request {
	q := a.find(r)
	if q == nil || q.ended || !q.begun {
		return nil
	}
	q.cause = q.reasonToRetry()
	q.closeFetch()
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, r)
	a.retries[identity(r)] = q
	return q
}

// takeBack reports whether no fetch has taken the request.
func (a *Adapter) takeBack(key uintptr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, waiting := a.retries[key]
	delete(a.retries, key)
	return waiting
}

// identity returns what a request and its retry have in common, and with no
// other request: the map of their headers. A retry is a new Request with a new
// ID, and the Ctx of a request is that of its children too.
func identity(r *colly.Request) uintptr { return reflect.ValueOf(*r.Headers).Pointer() }
