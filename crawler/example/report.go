package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/crawlstats/crawlstats/export/dashboard"
	"github.com/crawlstats/crawlstats/stats"
)

// writeReport writes what the page shows as one file, for an email or an archive.
func writeReport(file string, st *stats.Statistics) error {
	var page bytes.Buffer
	if err := (dashboard.Report{ID: st.ID()}).Write(&page, st.Snapshot()); err != nil {
		return fmt.Errorf("example: report: %w", err)
	}
	if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("example: report: %w", err)
	}
	return nil
}
