//go:build !race

package hostile

const raceScale = 1
