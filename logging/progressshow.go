package logging

import (
	"sync"
	"time"
)

// Show keeps the line up to date until stop is called: at once, and then each
// interval, it is what text returns. columns is the room there is, so that text
// can leave out what matters least; it is called on one goroutine, which stop
// waits for, and must not call stop. stop erases the line and may be called more
// than once. Where nothing is drawn, text is never called.
func (p *Progress) Show(every time.Duration, text func(columns int) string) (stop func()) {
	if !p.draws {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(max(every, time.Millisecond))
		defer tick.Stop()
		for {
			p.Set(text(p.columns()))
			select {
			case <-done:
				p.Set("")
				return
			case <-tick.C:
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-ended })
}
