package stats_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/crawlstats/crawlstats/stats"
)

func ExampleKindOf() {
	fmt.Println(stats.KindOf(fmt.Errorf("fetch page: %w", context.DeadlineExceeded)))
	fmt.Println(stats.KindOf(&net.DNSError{Err: "no such host", Name: "shop.example", IsNotFound: true}))
	fmt.Println(stats.KindOf(io.ErrUnexpectedEOF))
	fmt.Println(stats.KindOf(errors.New("no price on the page")))
	// Output:
	// timeout
	// dns
	// reset
	// other
}

func ExampleWithKind() {
	errNoPrice := errors.New("no price on the page")
	err := stats.WithKind(stats.KindHandler, errNoPrice)

	fmt.Println(err)
	fmt.Println(stats.KindOf(fmt.Errorf("product 17: %w", err)))
	fmt.Println(errors.Is(err, errNoPrice))
	// Output:
	// no price on the page
	// handler
	// true
}

// An error type may know its kind itself.
func ExampleErrorKind() {
	fmt.Println(stats.KindOf(blockedError{}))
	// Output: http
}

type blockedError struct{}

func (blockedError) Error() string              { return "the shop asks for a captcha" }
func (blockedError) ErrorKind() stats.ErrorKind { return stats.KindHTTP }
