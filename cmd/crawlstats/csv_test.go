package main

import (
	"encoding/csv"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crawlstats/crawlstats/stats"
)

func TestCSV(t *testing.T) {
	t.Parallel()
	dir := home(t)
	a := shop(1)
	a.Hosts = append(a.Hosts, stats.HostStats{Host: "=cmd|' /C calc'!A0", Finished: 1}, stats.HostStats{Host: "\t@SUM(1)\x1b", Finished: 1})
	a.Errors = append(a.Errors, stats.ErrorGroup{Kind: "http", Message: "+1,\"2\"\n-3", Count: 1, Examples: []string{"-http://x/"}})
	export(t, filepath.Join(dir, "hostile.json"), a)
	table := func(what string, args ...string) [][]string {
		text := good(t, dir, append([]string{"export", "hostile.json", "--id", "=shop", "--format", "csv", "--what", what}, args...)...)
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll() // all rows are of one length
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for _, c := range row {
				if _, err := strconv.ParseFloat(c, 64); err != nil && strings.IndexAny(strings.TrimSpace(c), "=+-@") == 0 {
					t.Errorf("a spreadsheet computes %q", c)
				}
			}
		}
		return rows
	}
	hosts := table("hosts")
	if len(hosts) != 6 || hosts[0][0] != "host" {
		t.Errorf("%q", hosts)
	}
	if rows := table("errors"); len(rows) != 4 {
		t.Errorf("%q", rows)
	}
	history := table("history")
	if want := []string{"2026-03-01T11:58:00Z", "60", "60", "3", "0", "0", "0", "0", "50", "10", "0", "3", "0", "400", "1000", "2000"}; !cmp.Equal(history[1], want) {
		t.Errorf("%q", history[1])
	}
	totals := table("totals")
	if !cmp.Equal(totals[1], []string{"id", "'=shop"}) || !cmp.Equal(totals[4], []string{"requests_finished", "920"}) {
		t.Errorf("%q", totals)
	}
}
