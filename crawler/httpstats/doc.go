// Package httpstats counts what package net/http does: [Transport] for clients,
// [Listener] and [Handler] for servers.
//
//	client := httpstats.Client(st, http.DefaultClient, httpstats.Config{Requests: true})
//
// A Transport feeds the attempt layer of a Statistics: what the wire sees.
// Status codes, bytes, the time of each phase, kinds of errors, redirects and
// the fate of connections. With Config.Requests it also feeds the request layer,
// what the crawler meant: one request for each call of the client, however many
// redirects it takes. Leave that off where a framework or a Job feeds it.
//
// # Instruments
//
// All are counted in the Snapshot and sent by every exporter. docs/HTTP.md has
// the exact meaning of each.
//
//	StatusCodes               responses, those that redirect included
//	wire.bytes.wire           bytes of bodies as they were received
//	wire.bytes.content        bytes of bodies as the caller read them
//	wire.phase.<p>            timers: dns, connect, tls, ttfb, body
//	wire.error.<kind>         attempts that failed, by stats.ErrorKind
//	wire.redirects            attempts that followed a redirect
//	http.conn.…, http.req.…   events of connections, requests and responses
//	http.resp.…
//
// Clients and servers share ten names of events, so a program that is both keeps
// a Statistics for each.
//
// # One feeder
//
// Of several Transports on the way of a request, the one nearest to the wire
// counts the attempt, and the one nearest to the caller decides whether the
// request layer is fed; all others count nothing. An adapter above a Transport
// learns from [Watch] and [Counted] that it must not count status codes.
//
// # Concurrency
//
// All functions, and everything they return, may be used from any number of
// goroutines. No goroutine is started. A redirect that nobody follows, which a
// Transport cannot know and a Client does, is waited for by a timer of one
// second. No lock is held while the base transport, a hook or a handler runs.
package httpstats
