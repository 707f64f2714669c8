package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Files returns the content of each file of docs/grafana, by name.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{
		"crawl-alerts.yml":            alertRules(),
		"statsd-exporter-mapping.yml": exporterMapping(),
	}
	for name, d := range map[string]dashboard{
		"crawl-prometheus.json": prometheusDashboard(),
		"crawl-graphite.json":   graphiteDashboard(),
	} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false) // queries hold > and &
		enc.SetIndent("", "  ")
		if err := enc.Encode(d); err != nil {
			return nil, fmt.Errorf("grafana: %s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	return files, nil
}
