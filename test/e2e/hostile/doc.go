// Package hostile pushes what a hostile site sends through every door of the
// module and looks what comes out of every sink: nothing is injected, no secret
// is told, every total is exact, and memory and record stay bounded.
//
// The tests are a table of doors by sinks, each cell a test of its own:
//
//	go test -v -run 'TestDoors/Job.Fail/statsd' ./hostile
//
// A new door or sink is one more row of doors or sinks.
package hostile
