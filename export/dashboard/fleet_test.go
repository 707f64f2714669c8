package dashboard

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crawlstats/crawlstats/export/internal/view"
	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// A fleet is shown with its workers, on the page and in a report, and one without
// any is no error.
func TestFleet(t *testing.T) {
	store := kvstore.NewMemory()
	for _, name := range []string{"a", "b"} {
		st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Member: name, Store: store, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		st.Observe(stats.Outcome{})
		if err := st.Persist(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int{"shop": 2, "nobody": 0} {
		fleet, err := stats.LoadFleet(t.Context(), store, id)
		if err != nil {
			t.Fatal(err)
		}
		d := New(fleet, Config{})
		f := d.producer.fresh(t.Context())
		m := f.view.Members
		if !m.Fleet || len(m.Rows) != want || f.view.Name != id || f.view.Totals.Finished != int64(want) {
			t.Errorf("%+v", f.view)
		}
		report := write(t, Report{ID: id, Members: fleet.Members(), Now: f.view.Now}, fleet.Snapshot())
		if table := report.sections["Workers"]; !strings.Contains(table, m.Text+m.Empty) || strings.Count(table, "running") < want {
			t.Errorf("workers of the report: %q", table)
		}
		for _, text := range []string{string(f.view.State), f.view.Verdict.Text} {
			if !strings.Contains(report.text, text) {
				t.Errorf("the report does not say %q, as the page does", text)
			}
		}
		d.Close()
	}
}

// What a worker had counted before it was away, or before the fleet knew it, has
// not failed in the last 15 minutes.
func TestTrendOfAFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kvstore.NewMemory()
		worker := func(name string, failures int) {
			st, err := stats.Open(t.Context(), stats.Config{ID: "shop", Member: name, Store: store, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			for range failures {
				st.Observe(stats.Outcome{Err: errors.New("refused")})
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		worker("a", 100)
		worker("b", 50)
		fleet, err := stats.LoadFleet(t.Context(), store, "shop")
		if err != nil {
			t.Fatal(err)
		}
		src, track := newSource(fleet, ""), view.Track{}
		look := func() (trend int64) {
			if err := fleet.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, v := src.look(&track)
			for _, n := range v.Errors.Rows[0].Trend {
				trend += n
			}
			time.Sleep(view.TrackEvery)
			return trend
		}
		look()
		record, err := store.Load(t.Context(), stats.Key("shop", "b"))
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Delete(t.Context(), stats.Key("shop", "b"), record.Rev); err != nil {
			t.Fatal(err)
		}
		look()
		if _, err := store.Save(t.Context(), stats.Key("shop", "b"), record.Value, 0); err != nil {
			t.Fatal(err)
		}
		worker("c", 25)
		if n := look(); n != 0 {
			t.Errorf("the trend has %d failures, though none is new", n)
		}
		worker("a", 7)
		if n := look(); n != 7 {
			t.Errorf("the trend has %d failures, want 7", n)
		}
	})
}
