package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/crawlstats/crawlstats/kvstore"
)

// What a user is told beside the sentinels of kvstore and stats.
var (
	ErrNothing = errors.New("nothing found") // no such source, or no such crawl in it
	ErrUsage   = errors.New("usage")         // the arguments do not say enough, or say what cannot be
)

// Options are what all sources need.
type Options struct {
	Stdin  io.Reader
	Logger *slog.Logger
	// Name is the store in the store, as kvstore.Named has it; "": none.
	Name string
}

// Source is something that holds crawls.
type Source struct {
	Arg   string        // as the user named it, without a password
	Store kvstore.Store // nil: a file or a page, which hold one crawl
	// Damage is what was found when a database was opened, and nil when it was
	// whole. What could be recovered can be read.
	Damage error
	// Gone says that nobody had the database open.
	Gone bool
	// Hidden is what Records could not read the keys of: it may be any crawl.
	Hidden error

	id    string // of the fragment
	read  func(context.Context) (Crawl, error)
	close []func(context.Context) error
}

// Open opens a source for reading. A fragment names a crawl in it: DIR#ID.
func Open(ctx context.Context, arg string, o Options) (*Source, error) {
	s, err := open(ctx, arg, o, false)
	if err == nil && o.Name != "" && s.Store != nil {
		s.Store = kvstore.Named(s.Store, o.Name)
	}
	return s, err
}

// OpenWritable opens a store for writing. A directory that is missing or empty
// becomes one of badgerstore, or of kvstore.OpenDir when it is named dir:PATH.
func OpenWritable(ctx context.Context, arg string, o Options) (*Source, error) {
	s, err := open(ctx, arg, o, true)
	if err != nil {
		return nil, err
	}
	if s.Store == nil {
		return nil, errors.Join(fmt.Errorf("%w: %s is no store: name a directory, or a redis:// or nats:// URL", ErrUsage, s.Arg), s.Close(ctx))
	}
	if o.Name != "" {
		s.Store = kvstore.Named(s.Store, o.Name)
	}
	return s, nil
}

func open(ctx context.Context, arg string, o Options, write bool) (*Source, error) {
	if arg == "-" {
		return openReader(arg, o.Stdin)
	}
	place, id := splitID(arg)
	s, err := openPlace(ctx, place, o, write)
	if err == nil {
		s.id = id
	}
	return s, err
}

func openPlace(ctx context.Context, place string, o Options, write bool) (*Source, error) {
	scheme, rest, found := strings.Cut(place, ":")
	if !found {
		scheme = "" // a directory may be called redis
	}
	switch scheme {
	case "redis", "rediss":
		return openRedis(place, o)
	case "nats", "tls":
		return openNATS(ctx, place, o)
	case "http", "https":
		return openPage(place)
	case "badger", "dir":
		return openDirectory(ctx, rest, scheme, o, write)
	}
	info, err := os.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(rest, "//"):
		return nil, fmt.Errorf("%w: there is no %s://, there are redis://, rediss://, nats://, tls://, http:// and https://", ErrUsage, scheme)
	case errors.Is(err, fs.ErrNotExist) && write:
		return openDirectory(ctx, place, "badger", o, write)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no %s", ErrNothing, place)
	case err != nil:
		return nil, err
	case info.IsDir():
		return openDirectory(ctx, place, "", o, write)
	case !info.Mode().IsRegular():
		return openPipe(place)
	}
	return &Source{Arg: place, read: func(context.Context) (Crawl, error) { return readFile(place) }}, nil
}

// splitID takes the fragment from a source, unless a file has that name.
func splitID(arg string) (place, id string) {
	i := strings.LastIndexByte(arg, '#')
	if i < 0 {
		return arg, ""
	}
	if _, err := os.Stat(arg); err == nil {
		return arg, ""
	}
	return arg[:i], arg[i+1:]
}

// Close closes what was opened.
func (s *Source) Close(ctx context.Context) error {
	var err error
	for _, c := range s.close {
		err = errors.Join(err, c(ctx))
	}
	return err
}
