package source

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/stats"
)

// readFile reads the one crawl of an export.
func readFile(path string) (Crawl, error) {
	f, err := os.Open(path)
	if err != nil {
		return Crawl{}, err
	}
	defer f.Close()
	return decode(path, f)
}

// openPipe reads what can be read once.
func openPipe(path string) (*Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return openReader(path, f)
}

// openReader reads the one crawl of an export, at once.
func openReader(name string, r io.Reader) (*Source, error) {
	c, err := decode(name, r)
	if err != nil {
		return nil, err
	}
	return &Source{Arg: name, read: func(context.Context) (Crawl, error) { return c, nil }}, nil
}

func decode(name string, r io.Reader) (c Crawl, err error) {
	data, err := readAll(r)
	if err == nil {
		c.Snapshot, err = stats.Decode(data)
	}
	if err != nil {
		return Crawl{}, fmt.Errorf("read %s: %w", name, err)
	}
	return c, nil
}

const maxFile = 64 << 20

// readAll reads what may be an export by its size.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%w: more than %d MB are no export", kvstore.ErrTooLarge, maxFile>>20)
	}
	return data, err
}
