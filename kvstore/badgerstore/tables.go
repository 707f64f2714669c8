package badgerstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/table"

	"github.com/crawlstats/crawlstats/kvstore"
)

// checkTables reports as damage what Badger does not survive or notice while it
// opens dir: it reads the index and the last block of a table before it checks
// them, on a goroutine of its own whose panic kills the process, and it deletes
// tables without a manifest.
func checkTables(dir string) error {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
		if err == nil && len(tables) > 0 {
			err = fmt.Errorf("%w: %s is missing", kvstore.ErrCorrupt, badger.ManifestFilename)
		}
		return err
	}
	if err != nil {
		return typed(err, kvstore.ErrUnavailable)
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, engineOptions(dir, nil))
	if err != nil {
		return nil // of damage to the manifest itself Badger tells, and lives
	}
	for id := range manifest.Tables { // others are left of a compaction that did not end
		if err := checkTable(filepath.Join(dir, table.IDToFilename(id))); err != nil {
			return err
		}
	}
	return nil
}

// checkTable checks every checksum of a table, those of its blocks and that of the
// index which says where they are. A file that is missing or empty Badger finds by
// itself.
func checkTable(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return nil
	}
	if err != nil {
		return typed(err, kvstore.ErrUnavailable)
	}
	damaged := fmt.Errorf("%w: %s does not agree with its checksums", kvstore.ErrCorrupt, path)
	rest, sum, ok := cutLast(data)
	if !ok {
		return damaged
	}
	_, index, ok := cutLast(rest)
	if !ok || len(index) == 0 || !agrees(index, sum) {
		return damaged
	}
	blocks := fb.GetRootAsTableIndex(index, 0)
	for i := range blocks.OffsetsLength() {
		var at fb.BlockOffset
		if !blocks.Offsets(&at, i) || uint64(at.Offset())+uint64(at.Len()) > uint64(len(data)) {
			return damaged
		}
		content, sum, ok := cutLast(data[at.Offset() : at.Offset()+at.Len()])
		if !ok || !agrees(content, sum) {
			return damaged
		}
	}
	return nil
}

// cutLast cuts off the last part of data, behind which its length stands.
func cutLast(data []byte) (rest, part []byte, ok bool) {
	at := len(data) - 4
	if at < 0 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(data[at:])
	if uint64(n) > uint64(at) {
		return nil, nil, false
	}
	return data[:at-int(n)], data[at-int(n) : at], true
}

// agrees compares data with a checksum, a message of protobuf: field 1 is the
// algorithm, left out for CRC-32C, and field 2 the sum.
func agrees(data, message []byte) bool {
	var sum uint64
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return false
		}
		value, m := binary.Uvarint(message[n:])
		switch {
		case m <= 0, tag != 2<<3 && (tag != 1<<3 || value != 0):
			return false
		case tag == 2<<3:
			sum = value
		}
		message = message[n+m:]
	}
	return sum == uint64(crc32.Checksum(data, castagnoli))
}
