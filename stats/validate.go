package stats

import (
	"fmt"
	"time"
)

// validate refuses what no Statistics can have counted. fields are those of a.
func (a *Snapshot) validate(fields []field) error {
	if n := len(a.RetryHistogram); n > maxRetries+1 {
		return fmt.Errorf("requestRetryHistogram: %d buckets, at most %d", n, maxRetries+1)
	}
	if n := len(a.Segments); n > maxSegments {
		return fmt.Errorf("segments: %d, at most %d", n, maxSegments)
	}
	for code := range a.StatusCodes {
		if code < 0 || code >= statusCells {
			return fmt.Errorf("requestsWithStatusCode: %d is not a code from 0 to %d", code, statusCells-1)
		}
	}
	if a.window {
		return nil // a difference may well be negative
	}
	for _, f := range fields {
		if err := validate(f.read); err != nil {
			return fmt.Errorf("%s: %w", f.key, err)
		}
	}
	return nil
}

// validate refuses negative counts, and distributions that contradict
// themselves, in what a field points to.
func validate(field any) error {
	switch v := field.(type) {
	case *int64:
		return notNegative(*v)
	case *time.Duration:
		return notNegative(*v)
	case *[]int64:
		return notNegative(*v...)
	case *map[int]int64:
		return validateMap(*v, func(n int64) error { return notNegative(n) })
	case *map[string]int64:
		return validateMap(*v, func(n int64) error { return notNegative(n) })
	case *map[DiscardReason]int64:
		return validateMap(*v, func(n int64) error { return notNegative(n) })
	case *Durations:
		return v.validate()
	case *map[string]Durations:
		return validateMap(*v, Durations.validate)
	case *uniqueTable:
		return validateMap(v.of.Uniques, func(n int64) error { return notNegative(n) })
	case *HostStats:
		return v.validate()
	case *[]HostStats:
		for _, h := range *v {
			if err := h.validate(); err != nil {
				return fmt.Errorf("%q: %w", h.Host, err)
			}
		}
	case *[]ErrorGroup:
		for _, g := range *v {
			if err := notNegative(g.Count); err != nil {
				return fmt.Errorf("%q: %w", g.Message, err)
			}
		}
	case *segmentTable:
		for _, s := range *v {
			if err := notNegative(s.Finished, s.Failed); err != nil {
				return fmt.Errorf("%q: %w", s.Owner, err)
			}
		}
	}
	return nil
}

func validateMap[K comparable, V any](m map[K]V, check func(V) error) error {
	for key, v := range m {
		if err := check(v); err != nil {
			return fmt.Errorf("%v: %w", key, err)
		}
	}
	return nil
}

func (h HostStats) validate() error {
	if err := notNegative(h.Finished, h.Failed, h.Discarded, h.Retries, h.Errors); err != nil {
		return err
	}
	return h.Duration.validate()
}

func (d Durations) validate() error {
	if err := notNegative(d.Count, d.Unbucketed, int64(d.Sum), int64(d.Min)); err != nil {
		return err
	}
	if err := notNegative(d.buckets.cells...); err != nil {
		return err
	}
	if in := add(d.buckets.total(), d.Unbucketed); in > d.Count {
		return fmt.Errorf("%d durations, but %d in buckets and beside them", d.Count, in)
	}
	if d.Min > d.Max || d.Count == 0 && (d.Max != 0 || d.Sum != 0) {
		return fmt.Errorf("%d durations from %v to %v, %v in all", d.Count, d.Min, d.Max, d.Sum)
	}
	return nil
}

func notNegative[N ~int64](numbers ...N) error {
	for _, n := range numbers {
		if n < 0 {
			return fmt.Errorf("%d is negative", n)
		}
	}
	return nil
}

// writable refuses times that RFC 3339 cannot write.
func writable(t time.Time) error {
	if year := t.Year(); year < 0 || year > 9999 {
		return fmt.Errorf("the year %d is not one from 0 to 9999", year)
	}
	return nil
}
