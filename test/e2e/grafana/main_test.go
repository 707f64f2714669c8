package grafana

import (
	"testing"

	"github.com/crawlstats/crawlstats/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
