package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
)

// backup is the flags that say where a record goes before it is taken away.
type backup struct {
	file string
	none bool
}

func (b *backup) add(f *flag.FlagSet) {
	f.StringVar(&b.file, "backup", "", "keep the record that is taken away in `FILE`; default a new one for each in this directory")
	f.BoolVar(&b.none, "no-backup", false, "keep no copy of what is taken away")
}

// holds refuses a file for more records than the one it can hold.
func (b backup) holds(records int) error {
	if b.file != "" && records > 1 {
		return fmt.Errorf("%w: --backup names one file, and there are %d records: leave it out, or say --member", source.ErrUsage, records)
	}
	return nil
}

// keep writes a record to a new file and tells its name. Every command reads it
// as FILE.
func (b backup) keep(p *program, r source.Record, record []byte) error {
	if b.none {
		return nil
	}
	f, err := b.create(r)
	if err != nil {
		return fmt.Errorf("back up: %w: choose another --backup, or --no-backup", err)
	}
	_, err = f.Write(record)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	fmt.Fprintln(p.err, "backup in", filepath.Clean(f.Name()))
	return nil
}

// create makes the file, which only its owner may read. Two records may have the
// same plain name, so the default one gets a number.
func (b backup) create(r source.Record) (*os.File, error) {
	if b.file != "" {
		return os.OpenFile(b.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	name := plainName(strings.Trim(r.ID+"-"+r.Member, "-"))
	return os.CreateTemp(".", name+"-"+time.Now().UTC().Format("20060102T150405")+"-*.crawlstats")
}

// plainName is a name that is safe as that of a file.
func plainName(s string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, s[:min(len(s), 60)])
	return "crawl-" + name
}
