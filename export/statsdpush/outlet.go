package statsdpush

import (
	"context"
	"fmt"

	"github.com/cactus/go-statsd-client/v5/statsd"
)

// outlet is where lines go.
type outlet interface {
	// send returns how many lines, from the first on, are settled: taken by the
	// kernel or the client, or refused for good.
	send(ctx context.Context, lines []line) (tally, error)
	// close returns how many lines the last connection has taken, when it is not
	// known that they were read.
	close(ctx context.Context) (unconfirmed int64)
}

// tally is what one send has done.
type tally struct {
	settled              int   // lines that need not be sent again
	dropped              int64 // not well formed, or cut when a stream broke
	lines, packets, size int64
}

// wire sends over a connection of our own: cactus encodes into a batch, which is
// delivered as a whole.
type wire struct {
	client   statsd.Statter
	batch    batch
	link     link
	absolute bool
}

func newWire(cfg Config, absolute bool) (*wire, error) {
	w := &wire{
		batch:    batch{limit: cfg.PacketSize},
		link:     link{network: cfg.Network, address: cfg.Address},
		absolute: absolute,
	}
	client, err := statsd.NewClientWithSender(&w.batch, "", cfg.TagFormat)
	if err != nil {
		return nil, fmt.Errorf("statsdpush: start: %w", err)
	}
	w.client = client
	return w, nil
}

func (w *wire) send(ctx context.Context, lines []line) (t tally, err error) {
	w.batch.reset()
	for i := range lines {
		_ = lines[i].encode(w.client, w.absolute) // what is refused stays empty
		w.batch.end()
	}
	packets, lost := w.link.packets, w.link.lost
	t.settled, err = w.link.deliver(ctx, &w.batch)
	t.packets = w.link.packets - packets
	t.dropped = w.link.lost - lost
	t.size = int64(w.batch.start(t.settled))
	for i := range t.settled {
		if w.batch.ends[i] > w.batch.start(i) {
			t.lines++
		} else {
			t.dropped++
		}
	}
	if err != nil {
		return t, fmt.Errorf("%s %s: %w", w.link.network, w.link.address, err)
	}
	return t, nil
}

func (w *wire) close(ctx context.Context) int64 { return w.link.close(ctx) }

// borrowed sends through a client of the caller's, line by line.
type borrowed struct {
	client   statsd.Statter
	absolute bool
}

func (b *borrowed) send(ctx context.Context, lines []line) (t tally, err error) {
	for i := range lines {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		if err := lines[i].encode(b.client, b.absolute); err != nil {
			return t, fmt.Errorf("Config.Client: %w", err)
		}
		t.settled++
		t.lines++
	}
	return t, nil
}

func (b *borrowed) close(context.Context) int64 { return 0 }
