package badgerstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"

	"github.com/crawlstats/crawlstats/kvstore"
)

// marks is a file with the newest acknowledged revision of each key, written
// beside the database after each save. A database that comes back with less was
// rolled back. A slot is a hash of the key, the revision, a flag for "deleted"
// and a CRC-32C: 32 bytes, so that none straddles a page.
type marks struct {
	file  *os.File
	slots map[keyHash]int
}

const slotSize = 32

type keyHash [16]byte

func hashOf(key string) keyHash {
	sum := sha256.Sum256([]byte(key))
	return keyHash(sum[:16])
}

// mark is what a slot says about its key.
type mark struct {
	rev     kvstore.Revision
	deleted bool
}

func encodeSlot(h keyHash, m mark) []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, h[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.rev))
	var flags uint32
	if m.deleted {
		flags = 1
	}
	b = binary.LittleEndian.AppendUint32(b, flags)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeSlot(b []byte) (h keyHash, m mark, ok bool) {
	if crc32.Checksum(b[:28], castagnoli) != binary.LittleEndian.Uint32(b[28:]) {
		return h, m, false
	}
	m = mark{kvstore.Revision(binary.LittleEndian.Uint64(b[16:])), binary.LittleEndian.Uint32(b[24:]) == 1}
	return keyHash(b[:16]), m, true
}

// readMarks returns the marks in the file at path. Damaged slots, as a kill can
// leave one, say nothing.
func readMarks(path string) (map[keyHash]mark, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	found := make(map[keyHash]mark)
	for ; len(data) >= slotSize; data = data[slotSize:] {
		if h, m, ok := decodeSlot(data); ok {
			found[h] = m
		}
	}
	return found, err
}

// newMarks replaces the file at path with one mark for each key.
func newMarks(path string, revs map[string]kvstore.Revision) (*marks, error) {
	m := &marks{slots: make(map[keyHash]int, len(revs))}
	data := make([]byte, 0, slotSize*len(revs))
	for key, rev := range revs {
		h := hashOf(key)
		m.slots[h] = len(m.slots)
		data = append(data, encodeSlot(h, mark{rev: rev})...)
	}
	temp := path + ".tmp"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return nil, err
	}
	if err := os.Rename(temp, path); err != nil {
		return nil, err
	}
	var err error
	if m.file, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	return m, nil
}

// set writes the mark of key.
func (m *marks) set(key string, to mark) error {
	h := hashOf(key)
	slot, ok := m.slots[h]
	if !ok {
		slot = len(m.slots)
	}
	if _, err := m.file.WriteAt(encodeSlot(h, to), int64(slot)*slotSize); err != nil {
		return err
	}
	m.slots[h] = slot
	return nil
}

func (m *marks) close() error { return m.file.Close() }
