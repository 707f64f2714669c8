package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseOptions(t *testing.T) {
	o, err := parseOptions(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.start != nil || o.id != "example" || o.delay != 0 || o.maxRequests != math.MaxInt || o.statsd != nil || o.seed() != "/" || o.listen != "" || o.report != "" {
		t.Errorf("without flags: %+v", o)
	}

	o, err = parseOptions([]string{
		"-url", "https://shop.example:8443/a?b#c", "-max-requests", "7",
		"-statsd", "tcp://127.0.0.1:9125", "-statsd-prefix", "a.b", "-statsd-tags", "app:x,zone:y",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.id != "shop.example:8443" || o.seed() != "/a?b" || o.delay != time.Second || o.maxRequests != 7 {
		t.Errorf("with -url: %+v", o)
	}
	if o.statsd.Network != "tcp" || o.statsd.Address != "127.0.0.1:9125" || o.statsd.Prefix != "a.b" || len(o.statsd.Tags) != 2 {
		t.Errorf("with -statsd: %+v", o.statsd)
	}
}

func TestParseOptionsSaysWhatIsWrong(t *testing.T) {
	for _, args := range [][]string{
		{"-url", "shop.example"},
		{"-url", "ftp://shop.example/"},
		{"-site", "\x1b[2J"},
		{"-statsd", "127.0.0.1:8125"},
		{"-statsd", "udp://127.0.0.1"},
		{"-statsd", "udp://127.0.0.1:8125", "-statsd-tags", "no colon"},
		{"-concurrency", "0"},
		{"-max-requests", "-1"},
		{"-report", "/nowhere/report.html"},
		{"-nonsense"},
		{"nonsense"},
	} {
		var usage bytes.Buffer
		if _, err := parseOptions(args, &usage); err == nil || errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q was accepted", args)
		}
		if !strings.Contains(usage.String(), strings.TrimPrefix(args[0], "-")) {
			t.Errorf("%q: %q does not name the flag", args, &usage)
		}
	}
}
