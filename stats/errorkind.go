//nolint:errorlint // error by error: errors.Is and errors.As never return from a cycle
package stats

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
)

// ErrorKind says what sort of failure an error is. The set is closed: any other
// text counts as KindOther.
type ErrorKind string

// The kinds.
const (
	KindDNS      ErrorKind = "dns"      // the name was not resolved, or not in time
	KindConnect  ErrorKind = "connect"  // no connection: refused, unreachable
	KindTLS      ErrorKind = "tls"      // handshake or certificate
	KindTimeout  ErrorKind = "timeout"  // a deadline passed
	KindReset    ErrorKind = "reset"    // the connection broke, or the response ended too early
	KindCanceled ErrorKind = "canceled" // by the crawler itself
	KindProtocol ErrorKind = "protocol" // the peer does not speak HTTP as agreed, or redirects without end
	KindDecode   ErrorKind = "decode"   // compression, charset, JSON, CSV
	KindParse    ErrorKind = "parse"    // URL, XML, number, date
	KindHandler  ErrorKind = "handler"  // the crawler's own code; only by WithKind or an ErrorKind method
	KindHTTP     ErrorKind = "http"     // a status code the crawler does not accept
	KindOther    ErrorKind = "other"    // everything else, a nil error included
)

var errorKinds = [...]ErrorKind{
	KindDNS, KindConnect, KindTLS, KindTimeout, KindReset, KindCanceled,
	KindProtocol, KindDecode, KindParse, KindHandler, KindHTTP, KindOther,
}

// index returns the place of k in errorKinds.
func (k ErrorKind) index() int {
	if i := slices.Index(errorKinds[:], k); i >= 0 {
		return i
	}
	return len(errorKinds) - 1
}

// WithKind wraps err so that KindOf returns kind, whatever err is. The message
// stays that of err, and errors.Is and errors.As see through. It returns nil
// when err is nil.
func WithKind(kind ErrorKind, err error) error {
	if err == nil {
		return nil
	}
	return &kindError{kind, err}
}

type kindError struct {
	kind ErrorKind
	err  error
}

func (e *kindError) Error() string        { return e.err.Error() }
func (e *kindError) Unwrap() error        { return e.err }
func (e *kindError) ErrorKind() ErrorKind { return e.kind }

// KindOf classifies err by itself and all it wraps. An error in the tree with a
// method ErrorKind() ErrorKind decides, the outermost first; WithKind makes
// one. Otherwise the first of these that fits any error in the tree: canceled,
// dns (a lookup that timed out is dns), timeout, tls, connect, reset, protocol,
// decode, parse, http (a method StatusCode() int), other.
//
// Only the first 64 errors of a tree are looked at, so chains that lead back to
// themselves end too. An error whose methods panic, such as a nil pointer in an
// interface, is KindOther.
func KindOf(err error) (kind ErrorKind) {
	defer func() {
		if recover() != nil {
			kind = KindOther
		}
	}()
	t := treeOf(err)
	for _, e := range t.nodes {
		if k, ok := as[interface{ ErrorKind() ErrorKind }](e, t.whole); ok {
			return errorKinds[k.ErrorKind().index()]
		}
	}
	for i := range kindRules {
		for _, e := range t.nodes {
			if kindRules[i].fits(e, t.whole) {
				return kindRules[i].kind
			}
		}
	}
	return KindOther
}

const maxCauses = 64

// errorTree is an error and what it wraps, outermost first.
type errorTree struct {
	nodes []error
	whole bool // nothing was left out, so the tree has no cycle
}

// treeOf collects breadth first, and never more than maxCauses.
func treeOf(err error) errorTree {
	t := errorTree{nodes: make([]error, 0, 4), whole: true}
	t.add(err)
	for i := 0; i < len(t.nodes); i++ {
		switch e := t.nodes[i].(type) {
		case interface{ Unwrap() error }:
			t.add(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, cause := range e.Unwrap() {
				if t.add(cause); !t.whole {
					break
				}
			}
		}
	}
	return t
}

func (t *errorTree) add(err error) {
	switch {
	case err == nil:
	case len(t.nodes) == maxCauses:
		t.whole = false
	default:
		t.nodes = append(t.nodes, err)
	}
}

// A kindRule fits an error by any of its columns. Types and texts are prefixes.
// Types go by name (without the star), so that this package does not link
// crypto/tls, net/http and the decoders; texts are those of errors that have no
// type of their own.
type kindRule struct {
	kind   ErrorKind
	values []error
	types  []string
	texts  []string
	also   func(err error, whole bool) bool
}

// Windows reports the numbers of its sockets, not those of package syscall.
const (
	wsaConnAborted = syscall.Errno(10053)
	wsaConnReset   = syscall.Errno(10054)
	wsaConnRefused = syscall.Errno(10061)
	wsaHostUnreach = syscall.Errno(10065)
	wsaNetUnreach  = syscall.Errno(10051)
)

// kindRules in the order of KindOf.
var kindRules = [...]kindRule{
	{
		kind:  KindTimeout, // of an http.Client, through a RoundTripper that is not its own
		texts: []string{"net/http: request canceled (Client.Timeout"},
	},
	{
		kind:   KindCanceled,
		values: []error{context.Canceled},
		texts:  []string{"net/http: request canceled"},
	},
	{kind: KindDNS, also: isDNS},
	{
		kind:   KindTimeout,
		values: []error{context.DeadlineExceeded, os.ErrDeadlineExceeded},
		also:   isTimeout,
	},
	{
		kind:  KindTLS,
		types: []string{"tls.", "x509."},
		texts: []string{"tls: ", "x509: "},
	},
	{
		kind: KindConnect,
		values: []error{
			syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
			wsaConnRefused, wsaHostUnreach, wsaNetUnreach,
		},
		also: isDial,
	},
	{
		kind: KindReset,
		values: []error{
			io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
			syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, wsaConnReset, wsaConnAborted,
		},
		texts: []string{"http: server closed", "http2: client conn"},
	},
	{
		kind:  KindProtocol,
		types: []string{"http.ProtocolError", "http.http2", "http.unsupportedTEError", "http2.", "textproto."},
		texts: []string{
			"malformed HTTP", "malformed MIME header", "malformed chunked encoding", "invalid byte in chunk length", "http chunk length",
			"http: server gave HTTP response", "net/http: server re", "http2: ", "stopped after 10 redirects",
		},
	},
	{
		kind:  KindDecode,
		types: []string{"base32.", "base64.", "hex.", "bzip2.", "flate.", "csv.", "json.", "jsontext.", "encoding."},
		texts: []string{
			"gzip: ", "zlib: ", "lzw: ", "brotli: ", "snappy: ", "encoding", "htmlindex: ", "charset: ", "unsupported charset",
			"transform: ", "mime: ", "multipart: ", "quotedprintable: ",
		},
	},
	{
		kind:  KindParse,
		types: []string{"url.EscapeError", "url.InvalidHostError", "xml.", "strconv.", "time.ParseError", "net.ParseError", "netip."},
		texts: []string{"net/url: ", "html: ", "xml: ", "mail: "},
		also:  isURLParse,
	},
	{kind: KindHTTP, also: hasStatus},
}

func (r *kindRule) fits(err error, whole bool) bool {
	for _, v := range r.values {
		if is(err, v, whole) {
			return true
		}
	}
	if r.also != nil && r.also(err, whole) {
		return true
	}
	if r.types != nil && hasPrefix(strings.TrimPrefix(reflect.TypeOf(err).String(), "*"), r.types) {
		return true
	}
	return r.texts != nil && isLeaf(err) && hasPrefix(err.Error(), r.texts)
}

func isDNS(err error, whole bool) bool {
	_, ok := as[*net.DNSError](err, whole)
	return ok
}

// isTimeout asks only errors of whole trees: a Timeout method may ask the error
// below, and would go round for ever in a cycle.
func isTimeout(err error, whole bool) bool {
	t, ok := as[interface{ Timeout() bool }](err, whole)
	return ok && whole && t.Timeout()
}

func isDial(err error, whole bool) bool {
	op, ok := as[*net.OpError](err, whole)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect")
}

func isURLParse(err error, whole bool) bool {
	u, ok := as[*url.Error](err, whole)
	return ok && u.Op == "parse"
}

func hasStatus(err error, whole bool) bool {
	_, ok := as[interface{ StatusCode() int }](err, whole)
	return ok
}

// is and as are errors.Is and errors.As for one error of a tree. Its own Is and
// As methods may walk on from there, so they are asked in whole trees only.
func is(err, target error, whole bool) bool {
	if err == target {
		return true
	}
	x, ok := err.(interface{ Is(error) bool })
	return ok && whole && x.Is(target)
}

func as[T any](err error, whole bool) (target T, ok bool) {
	if target, ok = err.(T); ok || !whole {
		return target, ok
	}
	if x, can := err.(interface{ As(any) bool }); can {
		found := new(T) // apart from target, which stays on the stack
		ok = x.As(found)
		return *found, ok
	}
	return target, false
}

func isLeaf(err error) bool {
	switch err.(type) {
	case interface{ Unwrap() error }, interface{ Unwrap() []error }:
		return false
	}
	return true
}

func hasPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
