package redisstore

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
)

// faults gives the errors that the server answers with their sentinel, by their
// first word. An answer is an answer: what is not here was not applied either.
var faults = []struct {
	sentinel error
	advice   string
	codes    []string
}{
	{kvstore.ErrNoSpace, "raise the server's maxmemory or remove keys", []string{"OOM"}},
	{kvstore.ErrReadOnly, "point the client at the primary", []string{"READONLY"}},
	{kvstore.ErrCorrupt, "another program uses the key; choose another Config.Prefix", []string{"WRONGTYPE"}},
	{
		kvstore.ErrPermission, "give the client a user and password that may run scripts on these keys",
		[]string{"NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "ERR invalid password", "ERR AUTH"},
	},
	{kvstore.ErrUnavailable, "see the log of the server, whose disk refuses to be written", []string{"MISCONF"}},
	{
		kvstore.ErrUnavailable, "use a redis.ClusterClient for a cluster",
		[]string{"MOVED", "ASK", "CROSSSLOT"},
	},
}

// typed wraps an error of the client with its sentinel. ErrUnknown stands for
// every error after which a command may have been applied.
func typed(err error) error {
	var answer redis.Error
	var network *net.OpError
	switch {
	case errors.As(err, &answer):
		return answered(err, answer.Error())
	case errors.Is(err, redis.ErrClosed):
		return fault.New(kvstore.ErrClosed, "close the client after its stores", err)
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return fault.New(kvstore.ErrUnavailable, "raise PoolSize of the client", err)
	case errors.As(err, &network) && network.Op == "dial":
		return fault.New(kvstore.ErrUnavailable, "see whether the server runs and the address is right", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.New(kvstore.ErrUnknown, "load the key to see", err)
	}
	return fault.New(kvstore.ErrUnknown, "the connection broke; load the key to see", err)
}

func answered(err error, text string) error {
	for _, f := range faults {
		for _, code := range f.codes {
			// Before Redis 7 the answer to a script carries that of its command.
			if strings.HasPrefix(text, code) || strings.Contains(text, ": -"+code+" ") {
				return fault.New(f.sentinel, f.advice, err)
			}
		}
	}
	return fault.New(kvstore.ErrUnavailable, "try again", err)
}
