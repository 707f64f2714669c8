package kvstore

import (
	"bytes"
	"testing"
)

// FuzzFile: whatever is taken for a file of a Dir is what encodeFile writes, and
// nothing that differs from it in a byte.
func FuzzFile(f *testing.F) {
	for _, value := range []string{"", "value", "\x00\n\xff"} {
		for _, key := range []string{"", "key", "k\n\x00ey"} {
			f.Add(encodeFile(key, 7, []byte(value)), 3, byte(1))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		key, it, ok := decodeFile(data)
		if !ok {
			return
		}
		again := encodeFile(key, it.Rev, it.Value)
		if !bytes.Equal(data, again) {
			t.Fatalf("%q is read as %q, which is written as %q", data, it.Value, again)
		}
		if at >= 0 && at < len(data) && flip != 0 {
			data[at] ^= flip
			if _, other, ok := decodeFile(data); ok {
				t.Errorf("flipped at %d: %q is read", at, other.Value)
			}
		}
	})
}
