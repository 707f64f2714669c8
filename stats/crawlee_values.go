package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"time"
)

// crawleeReader takes members of a record by their keys and remembers the first
// that is wrong.
type crawleeReader struct {
	members map[string]json.RawMessage
	err     error
}

// take reads a member into v, and leaves v alone when it is missing or null.
func (r *crawleeReader) take(key string, v any) {
	raw, there := r.members[key]
	delete(r.members, key)
	if !there || r.err != nil {
		return
	}
	if err := json.Unmarshal(raw, v); err != nil {
		r.err = fmt.Errorf("%s: %w", key, err)
	}
}

func (r *crawleeReader) count(key string) int64 {
	var n crawleeCount
	r.take(key, &n)
	return int64(n)
}

func (r *crawleeReader) millis(key string) time.Duration {
	d := crawleeDuration(unknown)
	r.take(key, &d)
	return time.Duration(d)
}

func (r *crawleeReader) time(key string) time.Time {
	var t crawleeTime
	r.take(key, &t)
	return time.Time(t)
}

// codes folds what is no status code, such as "undefined", into code 0.
func (r *crawleeReader) codes(key string) map[int]int64 {
	var counts map[string]crawleeCount
	r.take(key, &counts)
	var codes map[int]int64
	for text, n := range counts {
		code, err := strconv.Atoi(text)
		if err != nil || code < 0 || code >= statusCells {
			code = 0
		}
		setKey(&codes, code, add(codes[code], int64(n)))
	}
	return codes
}

// retries returns the histogram of exactly total requests, and the number of
// retries in it. A resumed JavaScript crawl writes its old histogram behind the
// new one, so what is too much is cut off at the end; what is missing had none.
func (r *crawleeReader) retries(key string, total int64) (histogram []int64, retried int64) {
	var counts []crawleeCount
	r.take(key, &counts)
	histogram = make([]int64, maxRetries+1)
	for i, c := range counts {
		n := min(int64(c), total)
		total -= n
		cell := min(i, maxRetries)
		histogram[cell] = add(histogram[cell], n)
		retried = add(retried, times(n, i))
	}
	histogram[0] = add(histogram[0], total)
	return trimZeros(histogram), retried
}

// times returns n*i, at most the largest number.
func times(n int64, i int) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(i))
	if hi != 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(lo)
}

var (
	errNumber = errors.New("a number is expected")
	errRange  = errors.New("a number is out of range")
)

// crawleeCount is a count, maybe written with a decimal point; null is zero, a
// hole in a JavaScript array.
type crawleeCount int64

func (c *crawleeCount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	n, err := wholeNumber(data)
	if err == nil && n < 0 {
		err = fmt.Errorf("%d is negative", n)
	}
	*c = crawleeCount(n)
	return err
}

func wholeNumber(data []byte) (int64, error) {
	if n, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		return n, nil
	}
	f, err := number(data)
	if err != nil {
		return 0, err
	}
	if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, errRange
	}
	return int64(f), nil
}

func number(data []byte) (float64, error) {
	var f float64
	if err := json.Unmarshal(data, &f); err != nil {
		return 0, errNumber
	}
	return f, nil
}

// crawleeDuration is a duration in milliseconds, or as text in the form of ISO
// 8601.
type crawleeDuration time.Duration

func (d *crawleeDuration) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		iso, err := parseISODuration(text)
		*d = crawleeDuration(iso)
		return err
	}
	f, err := number(data)
	if err != nil {
		return err
	}
	ns, err := nanoseconds(f, time.Millisecond)
	*d = crawleeDuration(ns)
	return err
}

func nanoseconds(n float64, unit time.Duration) (time.Duration, error) {
	ns := math.Round(n * float64(unit))
	if math.Abs(ns) >= 1<<63 {
		return 0, errRange
	}
	return time.Duration(ns), nil
}

var isoDuration = regexp.MustCompile(`^(-?)P(?:(\d+)Y)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

// isoUnits are those of the groups of isoDuration. Crawlee's years have 365 days.
var isoUnits = [...]time.Duration{365 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}

func parseISODuration(text string) (time.Duration, error) {
	groups := isoDuration.FindStringSubmatch(text)
	if groups == nil {
		return 0, fmt.Errorf("%.40q is not an ISO 8601 duration", text)
	}
	var sum time.Duration
	for i, unit := range isoUnits {
		if groups[i+2] == "" {
			continue
		}
		n, _ := strconv.ParseFloat(groups[i+2], 64) // infinity, when out of range
		d, err := nanoseconds(n, unit)
		if err != nil {
			return 0, err
		}
		sum = add(sum, d)
	}
	if groups[1] != "" {
		sum = -sum
	}
	return sum, nil
}

// crawleeTime is a time as text, or in milliseconds since 1970.
type crawleeTime time.Time

func (t *crawleeTime) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) != nil {
		ms, err := wholeNumber(data)
		if err != nil {
			return err
		}
		*t = crawleeTime(time.UnixMilli(ms))
		return inUTC((*time.Time)(t))
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05", text) // without a zone it is UTC
	}
	if err != nil {
		return fmt.Errorf("%.40q is not a time", text)
	}
	*t = crawleeTime(at)
	return inUTC((*time.Time)(t))
}
