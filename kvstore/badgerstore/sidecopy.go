package badgerstore

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/crawlstats/crawlstats/kvstore"
)

// sideCopy holds the envelopes of the database once more, in a file per key. It
// is brought up to date now and then, so it is older than the database, but
// nothing that damages the database touches it.
type sideCopy struct {
	files *kvstore.Dir
	revs  map[string]kvstore.Revision // of the files, not of what they hold
	stale map[string]struct{}         // keys saved since they were copied
}

func openSideCopy(dir string) (*sideCopy, error) {
	files, err := kvstore.OpenDir(filepath.Join(dir, "last-good"))
	if err != nil {
		return nil, err
	}
	return &sideCopy{files, make(map[string]kvstore.Revision), make(map[string]struct{})}, nil
}

// load returns the envelopes of all keys. Damaged files are left out: the next
// copy of their key moves them aside.
func (s *sideCopy) load() (map[string][]byte, error) {
	ctx := context.Background()
	found := make(map[string][]byte)
	for key, err := range s.files.List(ctx, "") {
		if err == nil {
			var it kvstore.Item
			if it, err = s.files.Load(ctx, key); err == nil {
				found[key], s.revs[key] = it.Value, it.Rev
			}
		}
		if err != nil && !errors.Is(err, kvstore.ErrCorrupt) {
			return nil, err
		}
	}
	return found, nil
}

func (s *sideCopy) put(key string, envelope []byte) error {
	rev, err := s.files.Save(context.Background(), key, envelope, s.revs[key])
	if err != nil {
		s.refresh(key)
		return err
	}
	s.revs[key] = rev
	delete(s.stale, key)
	return nil
}

func (s *sideCopy) drop(key string) error {
	if rev, ok := s.revs[key]; ok {
		err := s.files.Delete(context.Background(), key, rev)
		if err != nil && !errors.Is(err, kvstore.ErrNotFound) {
			s.refresh(key)
			return err
		}
	}
	delete(s.revs, key)
	delete(s.stale, key)
	return nil
}

// refresh learns what is in the file of key after a call that failed, so that
// the next one goes through.
func (s *sideCopy) refresh(key string) {
	delete(s.revs, key)
	if it, err := s.files.Load(context.Background(), key); err == nil {
		s.revs[key] = it.Rev
	}
}
