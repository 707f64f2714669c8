package syncbuf_test

import (
	"fmt"

	"github.com/crawlstats/crawlstats/internal/syncbuf"
)

func ExampleBuffer() {
	var log syncbuf.Buffer
	done := make(chan struct{})
	go func() {
		fmt.Fprint(&log, "all is well")
		close(done)
	}()
	_ = log.String() // what there is until now
	<-done
	fmt.Println(log.String())
	// Output: all is well
}
