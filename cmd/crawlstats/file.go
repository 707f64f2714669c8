package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crawlstats/crawlstats/cmd/crawlstats/internal/source"
)

// writeFile puts a whole file in place of the one that is there, or leaves that
// one as it is.
func writeFile(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".crawlstats-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = errors.Join(buffered(f, fill), f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// backup is the flags that say where a record goes before it is taken away.
type backup struct {
	file string
	none bool
}

// keep writes a record to a new file and tells its name. Every command reads it
// as FILE.
func (b backup) keep(p *program, r source.Record, record []byte) error {
	if b.none {
		return nil
	}
	file := b.file
	if file == "" {
		name := strings.Trim(r.ID+"-"+r.Member, "-")
		file = fmt.Sprintf("%s-%s.crawlstats", plainName(name), time.Now().UTC().Format("20060102T150405.000"))
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w: choose another --backup, or --no-backup", err)
	}
	_, err = f.Write(record)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	fmt.Fprintln(p.err, "backup in", file)
	return nil
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
