// Package logging puts zerolog behind *slog.Logger: coloured lines on a
// terminal, one JSON object per record everywhere else, and a live progress line
// that log lines never garble.
//
//	line := logging.NewProgress(os.Stderr)
//	defer line.Close()
//	log := logging.New(line)
//
//	line.Set("51%  308/600  220/s")
//	log.Warn("slow page", "url", u, "took", d)
//
// Show keeps the line up to date by itself, and tells how much room there is.
//
// A terminal counts as one when it can show lines and someone is looking: the
// environment variable TERM is not "dumb", and CI is empty. NO_COLOR, when not
// empty, keeps the lines and drops the colours. A ProgressMode overrules the
// first of these rules; no mode writes an escape sequence to a file or a pipe.
//
// # Strangers' text
//
// Titles, URLs and error texts come from servers that may wish to confuse
// whoever reads the log. Control characters, bidirectional overrides and all
// else that does not show are written as \u001b and the like, in messages,
// attribute names and values, on terminals and in JSON, where this is merely
// another spelling of the same string. Line breaks of a message are kept on a
// terminal, so that a table is a table, but what follows them is indented: no
// message can pass for two. Nor can an attribute pass for a field of the record:
// one called time, level, message or caller becomes fields.time and so on.
//
// # Concurrency
//
// Loggers and a Progress may be used by any number of goroutines. Only Show starts
// one, which its stop waits for. Each record reaches the writer in one call of Write, so records
// never mix on files and terminals. A Progress serialises its writes by itself; any
// other writer given to New must be safe for concurrent use, as *os.File is.
package logging
