package stats

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestDistinctEstimates(t *testing.T) {
	for _, n := range []int{0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000} {
		var d distinct
		for i := range n {
			url := fmt.Sprintf("https://shop.example.net/product/%d?page=%d", i, i%7)
			d.add(hash64(url))
			d.add(hash64(url))
		}
		got := d.sketch().estimate()
		if off := math.Abs(float64(got)-float64(n)) / max(float64(n), 1); off > 0.05 {
			t.Errorf("%d distinct values are estimated as %d", n, got)
		}
	}
}

func TestFoldedSketchIsTheSmallerSketch(t *testing.T) {
	var d distinct
	for i := range 50_000 {
		d.add(hash64(fmt.Sprint(i)))
	}
	full := d.sketch()
	half := full.fold()
	if off := math.Abs(float64(half.estimate())-50_000) / 50_000; off > 0.08 {
		t.Errorf("folded once: %d", half.estimate())
	}
	// Merging a sketch with a fold of itself changes nothing but its size.
	if m := full.merge(half.fold()); !slices.Equal(m.registers, half.fold().registers) {
		t.Error("a fold and its origin do not merge to the fold")
	}
}

func TestHashReachesEveryRegister(t *testing.T) {
	// Short, long, and alike but for their end: what ids and URLs look like.
	for _, format := range []string{"%d", "%08d", "aaaaaaaa%d", "https://example.net/a/rather/long/path/to/page/%d.html"} {
		var d distinct
		for i := range 100_000 {
			d.add(hash64(fmt.Sprintf(format, i)))
		}
		if i := slices.Index(d.sketch().registers, 0); i >= 0 {
			t.Errorf("%s: register %d was never reached", format, i)
		}
	}
}
