package view

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// None stands where there is no value.
const None = "–"

// Count writes 1234567 as 1,234,567.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Counted is Count and a noun: 1 host, 2 hosts.
func Counted(n int64, one, many string) string {
	if n == 1 {
		return Count(n) + " " + one
	}
	return Count(n) + " " + many
}

// Percent writes a percentage as 6.9 %. What is not quite all or not quite
// nothing does not look like it.
func Percent(p float64) string {
	switch {
	case p > 0 && p < 0.05:
		return "<0.1 %"
	case p > 99.9 && p < 100:
		return "99.9 %"
	}
	return strconv.FormatFloat(finite(p), 'f', 1, 64) + " %"
}

// Ratio returns 100*part/whole, and 0 for no whole.
func Ratio(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// Rate writes events per second as 44.8, or as 1,204 from 100 on.
func Rate(perSecond float64) string {
	switch perSecond = finite(perSecond); {
	case perSecond >= 99.95:
		return Count(int64(math.Round(min(perSecond, 1<<62))))
	case perSecond > 0 && perSecond < 0.05:
		return "<0.1"
	}
	return strconv.FormatFloat(perSecond, 'f', 1, 64)
}

// Duration writes a time span by its two largest units: 2d 4h, 14m 52s, 8s.
func Duration(d time.Duration) string {
	s := int64(max(d, 0).Round(time.Second) / time.Second)
	switch {
	case s >= 86400:
		return fmt.Sprintf("%sd %dh", Count(s/86400), s%86400/3600)
	case s >= 3600:
		return fmt.Sprintf("%dh %dm", s/3600, s%3600/60)
	case s >= 60:
		return fmt.Sprintf("%dm %ds", s/60, s%60)
	}
	return fmt.Sprintf("%ds", s)
}

// Ago writes how long something is past. What seems to come, because a clock was
// set back, is now.
func Ago(d time.Duration) string {
	if d < 2*time.Second {
		return "now"
	}
	return Duration(d) + " ago"
}

// Latency writes a response time by three digits: 842 ms, 1.4 s, 64 µs.
func Latency(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 ms"
	case d < 995*time.Microsecond:
		return strconv.FormatInt(int64(math.Ceil(float64(d)/1e3)), 10) + " µs"
	case d < 9950*time.Microsecond:
		return strconv.FormatFloat(float64(d)/1e6, 'f', 1, 64) + " ms"
	case d < 995*time.Millisecond:
		return strconv.FormatFloat(float64(d)/1e6, 'f', 0, 64) + " ms"
	case d < 59950*time.Millisecond:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return Duration(d)
}

// Bytes writes an amount in decimal units: 1.95 GB.
func Bytes(n int64) string {
	if n < 1000 {
		return Count(max(n, 0)) + " B"
	}
	v, unit := float64(n)/1e3, 0
	for units := len("kMGTPE"); v >= 999.5 && unit < units-1; unit++ {
		v /= 1e3
	}
	digits := 2
	if unit == 0 {
		digits = 0
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + "kMGTPE"[unit:unit+1] + "B"
}

// add stops at the largest number: forged counts need not fit.
func add(a, b int64) int64 {
	if a > 0 && b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// finite returns v, and 0 for what no reader of JSON understands.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
