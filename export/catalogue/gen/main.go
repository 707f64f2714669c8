// Command gen writes docs/METRICS.md from the catalogue. It takes the path of
// the file.
//
// # Concurrency
//
// There is nothing here to share.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/crawlstats/crawlstats/export/catalogue"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen docs/METRICS.md")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	var page bytes.Buffer
	if err := catalogue.WriteMarkdown(&page); err != nil {
		return err
	}
	return os.WriteFile(path, page.Bytes(), 0o644)
}
