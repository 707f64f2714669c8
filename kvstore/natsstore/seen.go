package natsstore

import (
	"strings"
	"sync"
)

// sight is the newest that a store met of a key. The zero value is nothing.
type sight struct {
	rev  uint64 // at least; the bucket only grows
	gone bool   // deleted under that revision
}

// memory has a sight of each key, to tell an answer that is behind. It grows
// with the keys of the prefix, not with their revisions.
type memory struct {
	mu   sync.Mutex
	keys map[string]sight
}

func (m *memory) get(key string) sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[key]
}

// note keeps what is newer than the sight so far.
func (m *memory) note(key string, now sight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.rev > m.keys[key].rev {
		m.set(key, now)
	}
}

// replace keeps what the bucket has, although it is older.
func (m *memory) replace(key string, now sight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(key, now)
}

func (m *memory) set(key string, now sight) {
	if m.keys == nil {
		m.keys = make(map[string]sight)
	}
	m.keys[key] = now
}

// behind says whether a listing lacks something that was seen.
func (m *memory) behind(prefix string, listed map[string]sight) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, known := range m.keys {
		now, ok := listed[key]
		if strings.HasPrefix(key, prefix) && now.rev < known.rev && (ok || !known.gone) {
			return true
		}
	}
	return false
}
