package stats

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/crawlstats/crawlstats/kvstore"
)

// A record is a line of text, readable with head -1, and the JSON body of a
// snapshot behind it. docs/FORMAT.md defines both.
const (
	maxHeader = 512       // bytes of the first line
	maxRecord = 512 << 10 // below the limit of every engine
	maxBody   = 1 << 20   // unpacked
	maxOwner  = 64

	plainJSON  = "json"
	packedJSON = "json+s2"
	packFrom   = 16 << 10 // bytes of JSON that are worth it
)

var (
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
	headerStart = regexp.MustCompile(`^CSTAT(\d+)(?: schema=(\d+))? `)
	// Words of a newer minor version may follow the last one.
	headerLine = regexp.MustCompile(`^CSTAT1 schema=([1-9]\d*) epoch=(\d+) seq=(\d+) owner=([\w-]*)` +
		` enc=(\S+) len=(\d+)( crc32c=([0-9a-f]{8})) at=(\S+)(?: \S+)*\n`)
)

// header is what the first line of a record says.
type header struct {
	schema     int
	epoch, seq uint64 // of the owner, and of the save; 0 in an export
	owner      string
	at         time.Time // of the save
	enc        string    // of the body
}

// Encode returns a as a record, as it stands in a store, with epoch and seq 0.
// What the record has no room for is cut as docs/FORMAT.md says; MarshalJSON
// cuts nothing. When extensions had to be left out, the record comes together
// with an error that names them and wraps ErrTooLarge.
func (a Snapshot) Encode() ([]byte, error) {
	record, leftOut, err := encodeRecord(header{at: a.PersistedAt}, a)
	if err == nil && len(leftOut) > 0 {
		err = fmt.Errorf("stats: encode record: %w", leftOutError(leftOut))
	}
	return record, err
}

// Decode reads a record: one of a store, the JSON of a Snapshot, or a record of
// Crawlee in any of its five dialects. It returns an error that wraps
// kvstore.ErrCorrupt for what is damaged, ErrNewerSchema for what this version is
// too old for, and ErrTooLarge for more than 512 KB that are not JSON.
func Decode(record []byte) (Snapshot, error) {
	_, a, err := decodeRecord(record)
	return a, err
}

// encodeRecord returns the record of a, and the names of extensions and unknown
// keys that did not fit in.
func encodeRecord(h header, a Snapshot) (record []byte, leftOut []string, err error) {
	body, sizes, err := a.marshal()
	if err == nil && !sizes.fit() {
		a, leftOut = a.fit(sizes)
		body, _, err = a.marshal()
	}
	if err == nil {
		record, err = seal(h, body)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("stats: encode record: %w", err)
	}
	return record, leftOut, nil
}

// seal puts the header before a body.
func seal(h header, body []byte) ([]byte, error) {
	enc := plainJSON
	if len(body) >= packFrom {
		enc, body = packedJSON, s2.Encode(nil, body)
	}
	front := fmt.Appendf(nil, "CSTAT1 schema=%d epoch=%d seq=%d owner=%s enc=%s len=%d",
		schema, h.epoch, h.seq, cleanOwner(h.owner), enc, len(body))
	back := fmt.Appendf(nil, " at=%s\n", h.at.UTC().Format(time.RFC3339Nano))
	sum := fmt.Appendf(nil, " crc32c=%08x", checksum(front, back, body))
	record := slices.Concat(front, sum, back, body)
	if len(record) > maxRecord {
		return nil, fmt.Errorf("%w: %d bytes of at most %d: count fewer things by name", ErrTooLarge, len(record), maxRecord)
	}
	return record, nil
}

// cleanOwner keeps a header a row of words.
func cleanOwner(owner string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, owner[:min(len(owner), maxOwner)])
}

func checksum(pieces ...[]byte) (sum uint32) {
	for _, p := range pieces {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// decodeRecord also returns the header, that of schema 0 for what has none.
func decodeRecord(record []byte) (header, Snapshot, error) {
	h, body := header{}, bytes.TrimSpace(record)
	var err error
	if !bytes.HasPrefix(body, []byte("{")) {
		if h, body, err = parseHeader(record); err == nil {
			body, err = unpackBody(h.enc, body)
		}
		if err != nil {
			return h, Snapshot{}, err
		}
	}
	a, err := readBody(body)
	switch {
	case errors.Is(err, ErrNewerSchema):
		return h, Snapshot{}, fmt.Errorf("stats: decode record: %w", err)
	case err != nil:
		return h, Snapshot{}, corrupt("%w", err)
	}
	return h, a, nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("stats: decode record: %w: %w: restore a good copy, or delete it to start anew",
		kvstore.ErrCorrupt, fmt.Errorf(format, args...))
}

// parseHeader reads the header of a record, checks that the record is whole, and
// returns the body as it is stored.
func parseHeader(record []byte) (h header, body []byte, err error) {
	if len(record) > maxRecord {
		return h, nil, fmt.Errorf("stats: decode record: %w: %d bytes of at most %d", ErrTooLarge, len(record), maxRecord)
	}
	front := record[:min(len(record), maxHeader)]
	start := headerStart.FindSubmatch(front)
	if start == nil {
		return h, nil, corrupt("%d bytes that start with %.16q: neither a header nor JSON", len(record), front)
	}
	layout, _ := strconv.Atoi(string(start[1])) // the largest number, when out of range
	h.schema, _ = strconv.Atoi(string(start[2]))
	if layout > 1 {
		return h, nil, fmt.Errorf("stats: decode record: %w", newerSchema(layout))
	}
	at := headerLine.FindSubmatchIndex(front)
	if at == nil {
		return h, nil, corrupt("the header is damaged")
	}
	word := func(i int) string { return string(front[at[2*i]:at[2*i+1]]) }
	body = record[at[1]:]
	if n := word(6); n != strconv.Itoa(len(body)) {
		return h, nil, corrupt("%d bytes behind the header, which announces %s", len(body), n)
	}
	// The checksum covers everything but itself.
	sum := fmt.Sprintf("%08x", checksum(record[:at[14]], record[at[15]:]))
	if sum != word(8) {
		return h, nil, corrupt("its checksum is %s, and %s in the header", sum, word(8))
	}
	if h.schema > schema { // not before the checksum: a flipped bit is no new schema
		return h, nil, fmt.Errorf("stats: decode record: %w", newerSchema(h.schema))
	}
	h.owner, h.enc = word(4), word(5)
	var errs [3]error
	h.epoch, errs[0] = strconv.ParseUint(word(2), 10, 64)
	h.seq, errs[1] = strconv.ParseUint(word(3), 10, 64)
	h.at, errs[2] = time.Parse(time.RFC3339, word(9))
	if err := errors.Join(errs[:]...); err != nil {
		return h, nil, corrupt("%w", err)
	}
	return h, body, nil
}

func unpackBody(enc string, body []byte) ([]byte, error) {
	switch enc {
	case plainJSON:
		return body, nil
	case packedJSON:
		if n, err := s2.DecodedLen(body); err != nil || n > maxBody {
			return nil, corrupt("its body does not unpack to at most %d bytes", maxBody)
		}
		body, err := s2.Decode(nil, body)
		if err != nil {
			return nil, corrupt("%w", err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("stats: decode record: %w: its body is packed as %.20q: update the program; nothing was overwritten", ErrNewerSchema, enc)
}
