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

// homes tells goroutines on different processors apart.
type homes struct{}

// pinned is a processor that a goroutine is held on.
type pinned int

func (p pinned) n() int { return int(p) }

// pin returns a number that goroutines on one processor share, and keeps this
// one there until unpin.
func (*homes) pin() pinned { return pinned(procPin()) }

func (*homes) unpin(pinned) { procUnpin() }
