// Package grafana writes docs/grafana from the catalogue of names: dashboards for
// Prometheus and for Graphite, alert rules of Prometheus, and a mapping for
// statsd_exporter. A row of the catalogue that is renamed is renamed in all of
// them; a label or a value that it no longer has ends the generator.
//
// Dashboards are of the classic JSON model, which Grafana imports and provisions
// from files. A dozen structs stand for the parts of it that are used here.
//
// # Concurrency
//
// Everything here is a pure function.
package grafana

//go:generate go run ./gen ../../../docs/grafana
