package natsstore

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
	"github.com/crawlstats/crawlstats/kvstore/internal/fault"
)

// faults gives the errors of NATS their sentinel. The first match counts.
var faults = []struct {
	sentinel error
	advice   string
	causes   []error
}{
	{
		kvstore.ErrConflict, "another writer came first",
		[]error{jetstream.ErrKeyRevisionMismatch, jetstream.ErrKeyExists},
	},
	{kvstore.ErrNotFound, "it was never saved or is deleted", []error{jetstream.ErrKeyNotFound, jetstream.ErrKeyDeleted}},
	{
		kvstore.ErrTooLarge, "raise max_payload of the server and MaxValueSize of the bucket, or store less",
		[]error{nats.ErrMaxPayload, jetstream.ErrStreamMessageExceedsMaximum},
	},
	{
		kvstore.ErrPermission, "give the user of the connection the bucket",
		[]error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrPermissionViolation},
	},
	{
		kvstore.ErrUnavailable, "create the bucket",
		[]error{jetstream.ErrBucketNotFound, jetstream.ErrStreamNotFound},
	},
	{
		kvstore.ErrUnavailable, "enable JetStream on the server and for the account",
		[]error{jetstream.ErrJetStreamNotEnabled, jetstream.ErrJetStreamNotEnabledForAccount},
	},
	{
		kvstore.ErrUnavailable, "see whether most servers of the bucket run",
		[]error{nats.ErrNoResponders, jetstream.ErrNoStreamResponse},
	},
	{
		kvstore.ErrUnavailable, "see whether the servers run",
		[]error{nats.ErrReconnectBufExceeded, nats.ErrConnectionDraining},
	},
}

// full are parts of what a server answers that has no room for a value.
var full = []string{"maximum bytes exceeded", "maximum messages exceeded", "insufficient resources", "resource limits exceeded", "no space left"}

// typed wraps an error of NATS with its sentinel. ErrUnknown stands for every
// error after which a message may have been stored.
func typed(err error) error {
	if undecided(err) { // not a conflict, although its text says so
		return fault.New(kvstore.ErrUnavailable, "another save of the key is under way; see whether most servers of the bucket run, and try again", err)
	}
	for _, f := range faults {
		for _, cause := range f.causes {
			if errors.Is(err, cause) {
				return fault.New(f.sentinel, f.advice, err)
			}
		}
	}
	var answer *jetstream.APIError
	switch {
	case errors.As(err, &answer):
		return answered(answer, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return fault.New(kvstore.ErrUnknown, "load the key to see", err)
	}
	return fault.New(kvstore.ErrUnknown, "the connection broke; load the key to see", err)
}

// undecided says whether the leader refused a message because another one for
// its key is under way. Only replicated buckets do.
func undecided(err error) bool {
	var answer *jetstream.APIError
	return errors.As(err, &answer) && answer.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// answered is for what a server said: then nothing was stored.
func answered(answer *jetstream.APIError, err error) error {
	for _, text := range full {
		if strings.Contains(strings.ToLower(answer.Description), text) {
			return fault.New(kvstore.ErrNoSpace, "make room in the bucket or raise its limits", err)
		}
	}
	return fault.New(kvstore.ErrUnavailable, "try again", err)
}
