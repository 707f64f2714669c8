// Package nats tests natsstore against real NATS servers, a cluster of three in
// the test process.
package nats
