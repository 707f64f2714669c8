package main

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got := parse(`<!doctype html><title>&lt;a href="/no">&lt;/a></title>
		<link rel="stylesheet" href="/no.css"><link rel=canonical href="/original">
		<a href="/a?x=1&amp;y=2">a</a><a name=b>no</a><A HREF='b#top'>b</A>
		<script>"<a href='/no'>"</script><!-- <a href="/no"> --><a href="/c`)
	want := page{links: []string{"/a?x=1&y=2", "b#top"}, canonical: "/original"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(page{})); diff != "" {
		t.Error(diff)
	}
}

func TestResolve(t *testing.T) {
	origin := &url.URL{Scheme: "https", Host: "shop.example"}
	for link, want := range map[string]string{
		"b":                    "https://shop.example/a/b",
		" /b?q=1#top ":         "https://shop.example/b?q=1#top",
		"//elsewhere.example/": "https://elsewhere.example/",
		"mailto:a@b.example":   "mailto:a@b.example",
	} {
		got, err := resolve(origin, "/a/page", link)
		if err != nil || got.String() != want {
			t.Errorf("resolve(%q) = %v, %v, want %s", link, got, err, want)
		}
	}
	for _, link := range []string{"java\x1bscript:", "http://[::1/", "/" + strings.Repeat("x", maxURL)} {
		_, err := resolve(origin, "/a/page", link)
		if err == nil {
			t.Errorf("resolve(%.20q) succeeded", link)
		} else if len(err.Error()) > 500 {
			t.Errorf("the error quotes %d bytes of a stranger's text", len(err.Error()))
		}
	}
	// A path of two slashes stays on its host.
	got, err := resolve(origin, "//elsewhere.example/", "b")
	if err != nil || got.Host != origin.Host {
		t.Errorf("a link on the page //elsewhere.example/ leads to %v (%v)", got, err)
	}
}

func TestWorthRetry(t *testing.T) {
	for err, want := range map[error]bool{
		statusError(503): true, statusError(500): true, statusError(429): true, statusError(408): true,
		statusError(404): false, statusError(410): false, statusError(403): false,
		errors.New("connection reset"): true,
	} {
		if got := worthRetry(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}
