package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// request is one request of a crawl as every contender records it: in flight
// for a while, then over with an outcome, a status code, a number of retries and
// a duration.
type request struct {
	id, host, url string
	code          int
	codeText      string
	retries       int
	extra         int64 // nanoseconds on top of what the clock says: a benchmark's requests are over at once
	bytes         int64
}

const tableSize = 1 << 13 // a power of two

// requests is the same random crawl for every contender: 90 % answered 200, 10 %
// retried, durations lognormal around 250 ms, so that a histogram meets more than
// one hot bucket.
var requests = func() []request {
	rng := rand.New(rand.NewPCG(1, 2))
	table := make([]request, tableSize)
	for i := range table {
		q := &table[i]
		q.id = fmt.Sprintf("%015x", rng.Uint64()>>4) // as long as Crawlee's
		q.host = fmt.Sprintf("host-%d.example.org", int(1000*math.Pow(rng.Float64(), 3)))
		q.url = fmt.Sprintf("https://%s/shop/item/%d", q.host, rng.IntN(1e6))
		q.code = code(rng)
		q.codeText = fmt.Sprint(q.code)
		q.retries = retries(rng)
		q.extra = int64(math.Exp(math.Log(250e6) + rng.NormFloat64()))
		q.bytes = int64(math.Exp(math.Log(30e3) + 1.5*rng.NormFloat64()))
	}
	return table
}()

func code(rng *rand.Rand) int {
	switch p := rng.Float64(); {
	case p < .90:
		return 200
	case p < .93:
		return 404
	case p < .95:
		return 301
	case p < .97:
		return 403
	case p < .985:
		return 500
	case p < .995:
		return 429
	}
	return 200 + rng.IntN(maxCode-200)
}

const maxCode = 512 // above every code in the table

func retries(rng *rand.Rand) int {
	switch p := rng.Float64(); {
	case p < .90:
		return 0
	case p < .97:
		return 1
	case p < .99:
		return 2
	}
	return 3
}
