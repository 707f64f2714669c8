package badgerstore

import (
	"bytes"
	"testing"
)

// FuzzEnvelope: an envelope is whole under its own key or not at all, and a mark
// likewise.
func FuzzEnvelope(f *testing.F) {
	e := newEnvelope([]byte("value"))
	seal(e, "key", 9)
	f.Add(e, "key", 5, byte(1))
	f.Add(encodeSlot(hashOf("key"), mark{rev: 9, deleted: true}), "", 30, byte(0x80))
	f.Fuzz(func(t *testing.T, data []byte, key string, at int, flip byte) {
		flipped := bytes.Clone(data)
		if at >= 0 && at < len(data) {
			flipped[at] ^= flip
		}
		same := bytes.Equal(flipped, data)
		if value, rev, ok := unseal(data, key); ok {
			again := newEnvelope(value)
			seal(again, key, rev)
			if !bytes.Equal(again, data) {
				t.Errorf("%q is read as %q, which is written as %q", data, value, again)
			}
			if _, _, ok := unseal(flipped, key); ok && !same {
				t.Errorf("flipped at %d, it is whole", at)
			}
			if _, _, ok := unseal(data, key+"x"); ok {
				t.Error("it is whole under another key")
			}
		}
		if len(data) < slotSize {
			return
		}
		if _, _, ok := decodeSlot(data[:slotSize]); ok && at < slotSize && !same {
			if _, _, ok := decodeSlot(flipped[:slotSize]); ok {
				t.Errorf("a mark flipped at %d is whole", at)
			}
		}
	})
}
