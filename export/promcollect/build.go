package promcollect

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

// buildInfo tells what the program is made of, as far as the Go command noted it.
func buildInfo() prometheus.Collector {
	m := catalogue.BuildInfo.Metric()
	version, revision := "unknown", "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(b.Main.Version, version)
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	labels := prometheus.Labels{
		"goarch": runtime.GOARCH, "goos": runtime.GOOS, "goversion": runtime.Version(),
		"version": version, "revision": revision,
	}
	return prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: m.Prom.Name, Help: m.Help, ConstLabels: labels},
		func() float64 { return 1 })
}
