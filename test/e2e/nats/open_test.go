package nats

import (
	"context"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore/natsstore"
	"github.com/crawlstats/crawlstats/test/e2e/internal/natstest"
)

func TestMain(m *testing.M) { natstest.Main(m) }

// open returns a store that is closed with the test.
func open(t *testing.T, kv jetstream.KeyValue, cfg natsstore.Config) *natsstore.Store {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	st, err := natsstore.New(t.Context(), kv, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return st
}
