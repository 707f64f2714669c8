package hostile

import (
	"strings"
	"testing"
)

func TestCorpus(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range Texts() {
		if seen[x.Name] || len(x.Value) > Long+100 || strings.Contains(x.Value, Secret) {
			t.Errorf("%s: twice, too long, or with a secret", x.Name)
		}
		seen[x.Name] = true
	}
	for _, x := range Secrets() {
		if seen[x.Name] || !strings.Contains(x.Value, Secret) {
			t.Errorf("%s: twice, or without a secret", x.Name)
		}
		seen[x.Name] = true
	}
}

func TestNames(t *testing.T) {
	const n = 100_000
	seen := map[string]bool{}
	for name := range Names(n) {
		seen[name] = true
	}
	for host := range Hosts(n) {
		seen[host] = true
	}
	if len(seen) != 2*n {
		t.Errorf("%d different names, want %d", len(seen), 2*n)
	}
	hash := func(s string) (h uint32) {
		for _, c := range []byte(s) {
			h = h*31 + uint32(c)
		}
		return h
	}
	ids := map[string]bool{}
	for id := range Colliding(1 << 16) {
		ids[id] = true
		if hash(id) != hash("AaAaAaAaAaAaAaAaAaAaAaAaAaAaAaAa") {
			t.Fatalf("%s has another hash", id)
		}
	}
	if len(ids) != 1<<16 {
		t.Errorf("%d different ids", len(ids))
	}
}
