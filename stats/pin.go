//go:build !crawlstats_portable

package stats

import _ "unsafe" // for linkname

// The number of the processor a goroutine runs on is the one cheap name that
// keeps writers apart. The runtime keeps these two for users outside of it; the
// build tag crawlstats_portable does without.

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

type homes struct{}

// home returns a number that goroutines on one processor share. It is a hint: a
// goroutine may have moved on by the time it is used.
func (*homes) home() int {
	p := procPin()
	procUnpin()
	return p
}
