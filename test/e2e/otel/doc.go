// Package otel shows that what otelbridge produces arrives over OTLP: the
// official exporter sends it to a collector made of the official protocol.
package otel
