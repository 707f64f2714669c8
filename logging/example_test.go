package logging_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/crawlstats/crawlstats/logging"
)

// A program that has a zerolog.Logger already keeps using it.
func ExampleZerolog() {
	zl := zerolog.New(os.Stdout).With().Str("app", "shop-crawler").Logger()
	var log *slog.Logger = logging.Zerolog(zl)
	// The time is left out here: it would differ each time.
	log.Handler().Handle(context.Background(), slog.NewRecord(time.Time{}, slog.LevelInfo, "saved", 0))
	// Output:
	// {"level":"info","app":"shop-crawler","message":"saved"}
}

// Output that is no terminal gets the records and no line.
func ExampleProgress() {
	line := logging.NewProgress(os.Stdout)
	defer line.Close()
	line.Set("51%  308/600  220/s")
	fmt.Fprintln(line, "record 1")
	line.Set("52%  312/600  218/s")
	fmt.Fprintln(line, "record 2")
	// Output:
	// record 1
	// record 2
}

// A flag of the program can overrule what the environment says.
func ExampleProgressMode() {
	modes := map[string]logging.ProgressMode{
		"auto": logging.ProgressAuto, "always": logging.ProgressAlways, "never": logging.ProgressNever,
	}
	line := logging.NewProgress(os.Stdout, modes["never"])
	defer line.Close()
	stop := line.Show(100*time.Millisecond, func(columns int) string { return "51%  308/600  220/s" })
	defer stop()
	fmt.Println("live:", line.Live())
	// Output: live: false
}
