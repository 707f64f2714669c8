package stats

import (
	"log/slog"
	"testing"

	"github.com/crawlstats/crawlstats/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
