package natsstore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// emptyKey stands for the empty key: no other one ends with a lone "=".
const emptyKey = "="

// plain says whether a byte stands for itself in a key of NATS.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '/'
}

// escape writes a key as one token of a subject.
func escape(key string) string {
	if key == "" {
		return emptyKey
	}
	var b strings.Builder
	for i := range len(key) {
		if c := key[i]; plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

var errNotOurs = errors.New("not a key of this package")

// unescape undoes escape, and refuses what it never writes.
func unescape(token string) (string, error) {
	if token == emptyKey {
		return "", nil
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '=' {
			b.WriteByte(token[i])
			continue
		}
		if i+2 >= len(token) {
			return "", errNotOurs
		}
		c, err := hex.DecodeString(token[i+1 : i+3])
		if err != nil {
			return "", errNotOurs
		}
		b.Write(c)
		i += 2
	}
	if key := b.String(); escape(key) == token {
		return key, nil
	}
	return "", errNotOurs
}
