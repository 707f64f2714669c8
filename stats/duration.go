package stats

import (
	"fmt"
	"strings"
	"time"
)

// durationText writes a duration as Crawlee does: 483.0ms, 1min 39.0s, None
// for nil. It rounds before it chooses the units, so that no text says 60.0s.
func durationText(d *time.Duration) string {
	switch {
	case d == nil:
		return "None"
	case *d == 0:
		return "0s"
	case *d < 0:
		positive := sub(0, *d)
		return "-" + durationText(&positive)
	}
	if d := d.Round(100 * time.Nanosecond); d < time.Millisecond {
		return fmt.Sprintf("%.1fμs", float64(d)/float64(time.Microsecond))
	}
	if d := d.Round(100 * time.Microsecond); d < time.Second {
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	}
	if d := d.Round(10 * time.Millisecond); d < time.Minute {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	rounded := d.Round(100 * time.Millisecond)
	hours, minutes, seconds := rounded/time.Hour, rounded%time.Hour/time.Minute, rounded%time.Minute
	var parts []string
	if hours > 0 {
		parts = append(parts, fmt.Sprintf("%dh", hours))
	}
	if minutes > 0 || hours > 0 && seconds > 0 {
		parts = append(parts, fmt.Sprintf("%dmin", minutes))
	}
	if seconds > 0 {
		parts = append(parts, fmt.Sprintf("%.1fs", seconds.Seconds()))
	}
	return strings.Join(parts, " ")
}
