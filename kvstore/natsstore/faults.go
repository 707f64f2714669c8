package natsstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/crawlstats/crawlstats/kvstore"
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

// fault is an error of NATS that knows its sentinel.
type fault struct {
	sentinel error
	advice   string
	cause    error
}

func (f *fault) Error() string {
	return fmt.Sprintf("%v; %s: %s", f.sentinel, f.advice, cut(f.cause.Error()))
}

func (f *fault) Unwrap() []error { return []error{f.sentinel, f.cause} }

// typed wraps an error of NATS with its sentinel. ErrUnknown stands for every
// error after which a message may have been stored.
func typed(err error) error {
	if undecided(err) { // not a conflict, although its text says so
		return &fault{kvstore.ErrUnavailable, "another save of the key is under way; see whether most servers of the bucket run, and try again", err}
	}
	for _, f := range faults {
		for _, cause := range f.causes {
			if errors.Is(err, cause) {
				return &fault{f.sentinel, f.advice, err}
			}
		}
	}
	var answer *jetstream.APIError
	switch {
	case errors.As(err, &answer):
		return answered(answer, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return &fault{kvstore.ErrUnknown, "load the key to see", err}
	}
	return &fault{kvstore.ErrUnknown, "the connection broke; load the key to see", err}
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
			return &fault{kvstore.ErrNoSpace, "make room in the bucket or raise its limits", err}
		}
	}
	return &fault{kvstore.ErrUnavailable, "try again", err}
}

// read says of an error of a call that changes nothing what it means: there is
// no unknown outcome.
func read(err error) error {
	var f *fault
	if errors.As(err, &f) && f.sentinel == kvstore.ErrUnknown { //nolint:errorlint // put there by this package, bare
		return &fault{kvstore.ErrUnavailable, "try again", f.cause}
	}
	return err
}

// cut bounds a text of the server.
func cut(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
