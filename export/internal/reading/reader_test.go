package reading

import "testing"

func TestNoSource(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a Reader of nothing")
		}
	}()
	New(nil, Config{})
}
