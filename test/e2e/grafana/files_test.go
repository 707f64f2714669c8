package grafana

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// shipped is a file of docs/grafana.
func shipped(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../../docs/grafana", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

type dashboard struct {
	Templating  struct{ List []variable }
	Annotations struct {
		List []struct {
			Expr, TextFormat string
			Target           struct{ Target string }
		}
	}
	Panels []struct {
		Title   string
		Targets []struct{ Expr, LegendFormat, Target string }
	}
}

type variable struct {
	Name, Type string
	Definition string
}

func readDashboard(t *testing.T, name string) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(shipped(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

type rule struct {
	Alert, Expr string
	Labels      map[string]string
	Annotations map[string]string
}

func readRules(t *testing.T) (rules []rule) {
	t.Helper()
	text, err := os.ReadFile(shipped(t, "crawl-alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	if len(rules) == 0 {
		t.Fatal("no rules")
	}
	return rules
}
