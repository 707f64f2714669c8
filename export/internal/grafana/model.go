package grafana

// The classic JSON model, as far as our dashboards use it. Options that differ
// from panel to panel are maps: their names are Grafana's, and stand where the
// panels are made.
type (
	dashboard struct {
		ID            *int        `json:"id"` // null: the server gives one
		UID           string      `json:"uid"`
		Title         string      `json:"title"`
		Description   string      `json:"description"`
		Tags          []string    `json:"tags"`
		SchemaVersion int         `json:"schemaVersion"`
		Version       int         `json:"version"`
		Editable      bool        `json:"editable"`
		GraphTooltip  int         `json:"graphTooltip"` // 1: one cursor over all panels
		Refresh       string      `json:"refresh"`
		Timezone      string      `json:"timezone"`
		Time          timeRange   `json:"time"`
		Templating    templating  `json:"templating"`
		Annotations   annotations `json:"annotations"`
		Links         []any       `json:"links"`
		Panels        []panel     `json:"panels"`
	}
	timeRange struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	templating struct {
		List []variable `json:"list"`
	}
	variable struct {
		Name        string      `json:"name"`
		Label       string      `json:"label"`
		Description string      `json:"description"`
		Type        string      `json:"type"` // datasource, query or textbox
		Query       any         `json:"query"`
		Definition  string      `json:"definition,omitempty"`
		Datasource  *datasource `json:"datasource,omitempty"`
		Refresh     int         `json:"refresh,omitempty"` // 2: when the time range changes
		Sort        int         `json:"sort,omitempty"`    // 1: by name
		Multi       bool        `json:"multi"`
		IncludeAll  bool        `json:"includeAll"`
		AllValue    string      `json:"allValue,omitempty"`
		Current     choice      `json:"current"`
		Options     []choice    `json:"options"`
		Hide        int         `json:"hide"`
		Regex       string      `json:"regex"`
		SkipURLSync bool        `json:"skipUrlSync"`
	}
	choice struct {
		Selected bool `json:"selected,omitempty"`
		Text     any  `json:"text,omitempty"`
		Value    any  `json:"value,omitempty"`
	}
	datasource struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	annotations struct {
		List []annotation `json:"list"`
	}
	annotation struct {
		Name        string         `json:"name"`
		Datasource  datasource     `json:"datasource"`
		Enable      bool           `json:"enable"`
		IconColor   string         `json:"iconColor"`
		Expr        string         `json:"expr,omitempty"` // of Prometheus
		Step        string         `json:"step,omitempty"`
		TitleFormat string         `json:"titleFormat,omitempty"`
		TextFormat  string         `json:"textFormat,omitempty"`
		ValueAsTime bool           `json:"useValueForTime,omitempty"`
		Target      map[string]any `json:"target,omitempty"` // of Graphite
	}

	panel struct {
		ID              int              `json:"id"`
		Type            string           `json:"type"`
		Title           string           `json:"title"`
		Description     string           `json:"description,omitempty"`
		GridPos         gridPos          `json:"gridPos"`
		Datasource      *datasource      `json:"datasource,omitempty"`
		Targets         []target         `json:"targets,omitempty"`
		FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
		Options         map[string]any   `json:"options,omitempty"`
		Transformations []transformation `json:"transformations,omitempty"`
		Collapsed       *bool            `json:"collapsed,omitempty"` // of rows
		Panels          []panel          `json:"panels,omitempty"`
	}
	gridPos struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	target struct {
		RefID      string     `json:"refId"`
		Datasource datasource `json:"datasource"`

		Expr         string `json:"expr,omitempty"` // of Prometheus
		LegendFormat string `json:"legendFormat,omitempty"`
		Format       string `json:"format,omitempty"`
		Instant      bool   `json:"instant,omitempty"`
		Range        bool   `json:"range,omitempty"`

		Target string `json:"target,omitempty"` // of Graphite
	}
	fieldConfig struct {
		Defaults  map[string]any   `json:"defaults"`
		Overrides []map[string]any `json:"overrides"`
	}
	transformation struct {
		ID      string         `json:"id"`
		Options map[string]any `json:"options"`
	}
)

// source is the data source that the variable of the dashboard chooses. Nothing
// is asked of it at import: a dashboard with __inputs cannot be provisioned.
func source(kind string) datasource { return datasource{Type: kind, UID: "${datasource}"} }

// chosenSource is the variable that chooses the data source.
func chosenSource(kind string) variable {
	return variable{
		Name: "datasource", Label: "Data source", Description: "Where the metrics are", Type: "datasource",
		Query: kind, Options: []choice{},
	}
}

// newDashboard returns a dashboard without panels.
func newDashboard(uid, title, description string) dashboard {
	return dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"crawler", "crawlstats"},
		SchemaVersion: 39, Version: 1, Editable: true, GraphTooltip: 1, Refresh: "10s", Timezone: "browser",
		Time: timeRange{From: "now-1h", To: "now"}, Links: []any{},
	}
}
