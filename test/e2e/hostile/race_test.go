//go:build race

package hostile

// raceScale makes the million smaller where each step takes fifty times as long;
// `make e2e` runs the whole of it without the race detector.
const raceScale = 25
