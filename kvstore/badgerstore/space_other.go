//go:build !darwin && !dragonfly && !freebsd && !linux && !windows

package badgerstore

import "math"

// freeSpace is unknown here: the floor does not guard this system.
func freeSpace(string) (uint64, error) { return math.MaxUint64, nil }
