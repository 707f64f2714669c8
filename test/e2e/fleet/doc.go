// Package fleet tells stories of several processes on one shared engine: real
// children of the test on a real Redis or a NATS cluster of three. What is
// counted is compared with ledgers that the children keep on the side.
//
// The long form, by CRAWLSTATS_LONG=1, has more kills and more processes.
package fleet
