package badgerstore

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/crawlstats/crawlstats/kvstore"
)

// A stored value is "CKV1", the revision, a CRC-32C of key, revision and value,
// then the value. Badger's own checksums miss damage that this one finds.
const (
	magic    = "CKV1"
	overhead = len(magic) + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newEnvelope returns an envelope around a copy of value, still to be sealed.
func newEnvelope(value []byte) []byte {
	e := make([]byte, overhead+len(value))
	copy(e, magic)
	copy(e[overhead:], value)
	return e
}

// seal writes revision and checksum.
func seal(e []byte, key string, rev kvstore.Revision) {
	binary.LittleEndian.PutUint64(e[4:], uint64(rev))
	binary.LittleEndian.PutUint32(e[12:], checksum(e, key))
}

// unseal returns the value inside e, which it does not copy.
func unseal(e []byte, key string) (value []byte, rev kvstore.Revision, ok bool) {
	if len(e) < overhead || string(e[:4]) != magic || binary.LittleEndian.Uint32(e[12:]) != checksum(e, key) {
		return nil, 0, false
	}
	return e[overhead:], kvstore.Revision(binary.LittleEndian.Uint64(e[4:])), true
}

func checksum(e []byte, key string) uint32 {
	sum := crc32.Update(0, castagnoli, []byte(key))
	sum = crc32.Update(sum, castagnoli, e[4:12])
	return crc32.Update(sum, castagnoli, e[overhead:])
}
