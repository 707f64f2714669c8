// Package crawlstats is the front page of a module that a crawler embeds to know
// what it is doing, to remember it across crashes and moves, and to tell others.
// It holds no code; these are its rooms:
//
//   - stats: the heart. Statistics, Snapshot, Summary.
//   - kvstore: where state is kept. The contract, a store in memory and one of
//     files; kvstore/badgerstore is the embedded default, kvstore/redisstore and
//     kvstore/natsstore are shared by many workers.
//   - events: a typed bus, and the events of a crawl; events/local brings those
//     of one machine: ticks, system figures, signals.
//   - logging: zerolog behind slog, and a progress line.
//   - export: the live page and the report (dashboard), the terminal, statsd,
//     Prometheus, OpenTelemetry. Import the one you use.
//   - crawler: hands for net/http (httpstats) and Colly (collystats);
//     crawler/example is a whole crawler that one command runs, offline.
//   - cmd/crawlstats: a command that looks into what crawls have saved.
//
// A program that imports stats alone links neither Badger nor an exporter.
//
//	store, err := badgerstore.Open(badgerstore.Config{Dir: "crawl-state"})
//	if err != nil {
//		return err
//	}
//	defer store.Close(ctx)
//	st, err := stats.Open(ctx, stats.Config{ID: "shop", Store: store})
//	if err != nil {
//		return err
//	}
//	defer st.Close() // runs first: the last save needs the store
//
//	j := st.Begin()
//	resp, err := http.Get(url)
//	if err != nil {
//		j.Fail(err)
//		return err
//	}
//	j.StatusCode(resp.StatusCode)
//	j.Finish()
//	fmt.Println(st.Calculate())
//
// # Concurrency
//
// Everything is safe for concurrent use unless its documentation says otherwise.
package crawlstats
