package local

import (
	"math"
	"os"
	"testing"
)

func TestContainerLimit(t *testing.T) {
	const v2, v1 = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"no container":    {nil, math.MaxUint64},
		"v2":              {map[string]string{v2: "536870912\n"}, 536870912},
		"v2 without":      {map[string]string{v2: "max\n"}, math.MaxUint64},
		"v1":              {map[string]string{v1: "268435456\n"}, 268435456},
		"the smaller one": {map[string]string{v1: "9223372036854771712\n", v2: "1024\n"}, 1024},
	} {
		got := containerLimit(func(path string) ([]byte, error) {
			if text, ok := c.files[path]; ok {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		})
		if got != c.want {
			t.Errorf("%s: limit %d, want %d", name, got, c.want)
		}
	}
}
