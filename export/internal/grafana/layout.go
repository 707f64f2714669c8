package grafana

// columns of the grid of a dashboard.
const columns = 24

// layout puts panels one beside the other, as long as they fit, and gives them
// their ids.
type layout struct {
	kind   string // of the data source
	panels []panel
	x, y   int
	height int // of the line that is being filled
}

// row begins a new part of the dashboard.
func (l *layout) row(title string) {
	l.newline()
	open := false
	l.add(panel{Type: "row", Title: title, Collapsed: &open}, columns, 1)
	l.newline()
}

func (l *layout) newline() {
	l.x, l.y, l.height = 0, l.y+l.height, 0
}

func (l *layout) add(p panel, width, height int) {
	if l.x+width > columns {
		l.newline()
	}
	p.ID = len(l.panels) + 1
	p.GridPos = gridPos{H: height, W: width, X: l.x, Y: l.y}
	l.x, l.height = l.x+width, max(l.height, height)
	l.panels = append(l.panels, p)
}

// shows is what all panels but rows have in common.
type shows struct {
	title, description, unit string
	targets                  []target
}

func (l *layout) panel(s shows, kind string, defaults, options map[string]any) panel {
	from := source(l.kind)
	for i := range s.targets {
		s.targets[i].RefID = string(rune('A' + i))
		s.targets[i].Datasource = from
	}
	defaults["unit"] = s.unit
	return panel{
		Type: kind, Title: s.title, Description: s.description, Datasource: &from, Targets: s.targets,
		FieldConfig: &fieldConfig{Defaults: defaults, Overrides: []map[string]any{}}, Options: options,
	}
}

// number adds a panel of one number, which turns to the colour of the highest
// step that it has reached.
func (l *layout) number(s shows, steps ...step) {
	defaults := map[string]any{
		"color":      map[string]any{"mode": "thresholds"},
		"thresholds": map[string]any{"mode": "absolute", "steps": append([]step{{"text", nil}}, steps...)},
		"noValue":    "none yet",
	}
	if s.unit == "percentunit" {
		defaults["decimals"] = 1
	}
	l.add(l.panel(s, "stat", defaults, map[string]any{
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		"colorMode":     "value", "graphMode": "area", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
	}), 4, 4)
}

type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

func from(value float64, color string) step { return step{color, &value} }

// look says how lines are drawn.
type look struct {
	stacked, logarithmic, bars bool
	colors                     map[string]string // by the name of the line
}

// lines adds a panel of lines over time.
func (l *layout) lines(s shows, width int, k look) {
	custom := map[string]any{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never",
		"spanNulls": false, // time without a process stays open
		"stacking":  map[string]any{"mode": "none", "group": "A"},
	}
	if k.stacked {
		custom["stacking"] = map[string]any{"mode": "normal", "group": "A"}
		custom["fillOpacity"] = 60
	}
	if k.bars {
		custom["drawStyle"] = "bars"
	}
	defaults := map[string]any{"color": map[string]any{"mode": "palette-classic"}, "custom": custom, "min": 0}
	if k.logarithmic {
		custom["scaleDistribution"] = map[string]any{"type": "log", "log": 10}
		custom["fillOpacity"] = 0
		delete(defaults, "min")
	}
	p := l.panel(s, "timeseries", defaults, map[string]any{
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	})
	for _, name := range sortedKeys(k.colors) {
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, map[string]any{
			"matcher": map[string]any{"id": "byName", "options": name},
			"properties": []map[string]any{
				{"id": "color", "value": map[string]any{"mode": "fixed", "fixedColor": k.colors[name]}},
			},
		})
	}
	l.add(p, width, 8)
}

// bars adds a panel of one bar for each series, longest first where their order
// means nothing.
func (l *layout) bars(s shows, width int) {
	l.add(l.panel(s, "bargauge", map[string]any{"color": map[string]any{"mode": "continuous-BlPu"}, "min": 0}, map[string]any{
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		"orientation":   "horizontal", "displayMode": "basic", "valueMode": "color", "showUnfilled": true, "minVizHeight": 14,
	}), width, 8)
}

// table adds a panel of a line for each series, its labels in columns.
func (l *layout) table(s shows, width int) {
	p := l.panel(s, "table", map[string]any{"custom": map[string]any{"align": "auto"}},
		map[string]any{"showHeader": true, "cellHeight": "sm"})
	p.Transformations = []transformation{{"organize", map[string]any{
		"excludeByName": map[string]bool{"Time": true, "Value": true},
		"indexByName":   map[string]int{}, "renameByName": map[string]string{},
	}}}
	l.add(p, width, 8)
}
