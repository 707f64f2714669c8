package stats

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestKindOf(t *testing.T) {
	_, badEscape := url.Parse("http://h/%zz")
	_, badNumber := strconv.Atoi("x")
	_, badTime := time.Parse(time.DateOnly, "x")
	_, badBase64 := base64.StdEncoding.DecodeString("!")
	_, badGzip := gzip.NewReader(strings.NewReader("not gzip, not at all"))
	_, badCSV := csv.NewReader(strings.NewReader(`a"b`)).Read()
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "http://h", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	errno := func(e syscall.Errno) error { return os.NewSyscallError("read", e) }

	for name, test := range map[string]struct {
		err  error
		want ErrorKind
	}{
		"nil":                   {nil, KindOther},
		"plain":                 {errors.New("boom"), KindOther},
		"canceled":              {fmt.Errorf("get: %w", context.Canceled), KindCanceled},
		"canceled lookup":       {&net.DNSError{Err: "x", UnwrapErr: context.Canceled}, KindCanceled},
		"canceled, by text":     {errors.New("net/http: request canceled while waiting for connection"), KindCanceled},
		"timeout of a client":   {errors.New("net/http: request canceled (Client.Timeout exceeded while awaiting headers)"), KindTimeout},
		"deadline":              {fmt.Errorf("get: %w", context.DeadlineExceeded), KindTimeout},
		"deadline of a file":    {os.ErrDeadlineExceeded, KindTimeout},
		"dial timeout":          {dial(context.DeadlineExceeded), KindTimeout},
		"errno timeout":         {read(errno(syscall.ETIMEDOUT)), KindTimeout},
		"no such host":          {dial(&net.DNSError{Err: "no such host", IsNotFound: true}), KindDNS},
		"lookup timeout":        {dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), KindDNS},
		"refused":               {dial(errno(syscall.ECONNREFUSED)), KindConnect},
		"refused, bare":         {syscall.ECONNREFUSED, KindConnect},
		"refused on Windows":    {syscall.Errno(10061), KindConnect},
		"dial, no reason known": {dial(errors.New("x")), KindConnect},
		"deep":                  {deep(io.EOF, 63), KindReset},
		"too deep":              {deep(io.EOF, 64), KindOther},
		"unreachable":           {errno(syscall.EHOSTUNREACH), KindConnect},
		"reset":                 {read(errno(syscall.ECONNRESET)), KindReset},
		"reset on Windows":      {read(errno(syscall.Errno(10054))), KindReset},
		"broken pipe":           {read(errno(syscall.EPIPE)), KindReset},
		"EOF":                   {&url.Error{Op: "Get", URL: "http://h", Err: io.EOF}, KindReset},
		"cut body":              {io.ErrUnexpectedEOF, KindReset},
		"closed idle":           {errors.New("http: server closed idle connection"), KindReset},
		"unknown authority":     {dial(x509.UnknownAuthorityError{}), KindTLS},
		"certificate":           {&tls.CertificateVerificationError{Err: errors.New("x")}, KindTLS},
		"record header":         {tls.RecordHeaderError{Msg: "x"}, KindTLS},
		"alert":                 {&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, KindTLS},
		"tls text":              {errors.New("tls: no renegotiation"), KindTLS},
		"protocol":              {http.ErrNotSupported, KindProtocol},
		"malformed":             {errors.New(`malformed HTTP response "x"`), KindProtocol},
		"json":                  {json.Unmarshal([]byte("{"), new(any)), KindDecode},
		"json type":             {json.Unmarshal([]byte(`"x"`), new(int)), KindDecode},
		"base64":                {badBase64, KindDecode},
		"gzip":                  {fmt.Errorf("body: %w", badGzip), KindDecode},
		"csv":                   {badCSV, KindDecode},
		"charset":               {errors.New(`unsupported charset: "x"`), KindDecode},
		"xml":                   {xml.Unmarshal([]byte("<a"), new(struct{})), KindParse},
		"url":                   {badEscape, KindParse},
		"number":                {badNumber, KindParse},
		"date":                  {badTime, KindParse},
		"status":                {fmt.Errorf("get: %w", statusError(503)), KindHTTP},
		"status and timeout":    {errors.Join(statusError(503), context.DeadlineExceeded), KindTimeout},
		"joined":                {errors.Join(errors.New("a"), nil, fmt.Errorf("b: %w", syscall.ECONNRESET)), KindReset},
		"explicit":              {fmt.Errorf("a: %w", WithKind(KindHandler, context.Canceled)), KindHandler},
		"outermost explicit":    {WithKind(KindParse, WithKind(KindHandler, io.EOF)), KindParse},
		"explicit, not in set":  {WithKind("price", io.EOF), KindOther},
		"by Is":                 {asksIs{context.DeadlineExceeded}, KindTimeout},
		"by As":                 {asksAs{&net.DNSError{}}, KindDNS},
		"nil pointer":           {(*url.Error)(nil), KindOther},
		"nil pointer, wrapped":  {fmt.Errorf("x: %w", (*nilUnwrapper)(nil)), KindOther},
	} {
		t.Run(name, func(t *testing.T) {
			if got := KindOf(test.err); got != test.want {
				t.Errorf("KindOf(%T) = %s, want %s", test.err, got, test.want)
			}
		})
	}
}

func deep(err error, wraps int) error {
	for range wraps {
		err = fmt.Errorf("x: %w", err)
	}
	return err
}

type statusError int

func (e statusError) Error() string   { return "status " + strconv.Itoa(int(e)) }
func (e statusError) StatusCode() int { return int(e) }

type asksIs struct{ target error }

func (e asksIs) Error() string        { return "asks Is" }
func (e asksIs) Is(target error) bool { return target == e.target }

type asksAs struct{ err error }

func (e asksAs) Error() string      { return "asks As" }
func (e asksAs) As(target any) bool { return errors.As(e.err, target) }

type nilUnwrapper struct{ err error }

func (e *nilUnwrapper) Error() string { return "nil" }
func (e *nilUnwrapper) Unwrap() error { return e.err }

// What real clients and servers say over a real socket.
func TestKindOf_overTheWire(t *testing.T) {
	raw := func(t *testing.T, answer string) string {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		t.Cleanup(func() { _ = l.Close(); <-served })
		go func() {
			defer close(served)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			}
		}()
		return "http://" + l.Addr().String()
	}
	get := func(t *testing.T, url string) error {
		t.Helper()
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if !strings.Contains(url, "/slow") {
			ctx = t.Context()
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := (&http.Client{Transport: tr}).Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("hello"))
	_ = w.Close()
	broken := packed.Bytes()
	broken[len(broken)-5] ^= 1 // the checksum

	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(broken)
	})
	plain := httptest.NewServer(mux)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	gone := httptest.NewServer(mux)
	gone.Close()

	for name, test := range map[string]struct {
		url  string
		want ErrorKind
	}{
		"refused":           {gone.URL, KindConnect},
		"deadline":          {plain.URL + "/slow", KindTimeout},
		"endless redirects": {plain.URL + "/loop", KindProtocol},
		"broken gzip":       {plain.URL + "/gzip", KindDecode},
		"unknown authority": {secure.URL, KindTLS},
		"TLS to plain":      {strings.Replace(plain.URL, "http:", "https:", 1), KindProtocol},
		"not HTTP":          {raw(t, "SSH-2.0-x\r\n\r\n"), KindProtocol},
		"bad header":        {raw(t, "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), KindProtocol},
		"bad chunk":         {raw(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), KindProtocol},
		"closed at once":    {raw(t, ""), KindReset},
		"cut body":          {raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), KindReset},
		"control in URL":    {"http://h/\x01", KindParse},
	} {
		t.Run(name, func(t *testing.T) {
			err := get(t, test.url)
			if got := KindOf(err); got != test.want {
				t.Errorf("KindOf(%v) = %s, want %s", err, got, test.want)
			}
		})
	}
}

// cyclicError wraps itself, and asks the error below in every method, as the error
// types of the standard library do.
type cyclicError struct{ next error }

func (e *cyclicError) Error() string        { return "loop" }
func (e *cyclicError) Unwrap() error        { return e.next }
func (e *cyclicError) Timeout() bool        { return e.next.(interface{ Timeout() bool }).Timeout() }
func (e *cyclicError) Is(target error) bool { return errors.Is(e.next, target) }
func (e *cyclicError) As(target any) bool   { return errors.As(e.next, target) }

type forkedError struct{ next []error }

func (e *forkedError) Error() string   { return "fork" }
func (e *forkedError) Unwrap() []error { return e.next }

func TestCyclicCausesEnd(t *testing.T) {
	self := &cyclicError{}
	self.next = self
	if got := KindOf(self); got != KindOther {
		t.Errorf("of itself: %s", got)
	}

	// A cycle of the standard library's own types: Timeout would not return.
	get := &url.Error{Op: "Get"}
	get.Err = &net.OpError{Op: "read", Err: get}
	if got := KindOf(get); got != KindOther {
		t.Errorf("of url.Error: %s", got)
	}

	// What stands beside a cycle is still seen.
	wide := &forkedError{}
	wide.next = []error{wide, wide, &cyclicError{wide}, io.ErrUnexpectedEOF}
	if got := KindOf(wide); got != KindReset {
		t.Errorf("beside a cycle: %s, want %s", got, KindReset)
	}

	many := &forkedError{next: make([]error, 1<<20)}
	for i := range many.next {
		many.next[i] = many
	}
	if got := KindOf(many); got != KindOther {
		t.Errorf("of a million causes: %s", got)
	}
}

func TestWithKind(t *testing.T) {
	if err := WithKind(KindParse, nil); err != nil {
		t.Errorf("WithKind(parse, nil) = %v, want nil", err)
	}
	err := WithKind(KindParse, io.EOF)
	if !errors.Is(err, io.EOF) || err.Error() != io.EOF.Error() {
		t.Errorf("WithKind hides %v", err)
	}
}

func TestErrorKind_index(t *testing.T) {
	for i, k := range errorKinds {
		if k.index() != i {
			t.Errorf("%s.index() = %d, want %d", k, k.index(), i)
		}
	}
	if got := errorKinds[ErrorKind("strange").index()]; got != KindOther {
		t.Errorf("an unknown kind counts as %s", got)
	}
}

func BenchmarkKindOf(b *testing.B) {
	err := error(&url.Error{Op: "Get", URL: "http://h", Err: &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}})
	for _, bench := range []struct {
		name string
		err  error
	}{{"explicit", WithKind(KindHandler, err)}, {"reset", err}, {"other", errors.New("boom")}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				KindOf(bench.err)
			}
		})
	}
}
