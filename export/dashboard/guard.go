package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const (
	// policy lets the page use its own files and nothing else.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// reportPolicy is for a file that has its style in itself.
	reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// protect sets the headers that keep other web sites out. There are no CORS
// headers at all.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// allowed reports whether a page that is asked for under this Host can only be
// ours. A hostile site can point a name of its own at a loopback address, and its
// scripts then read what they like; but the browser still says that name.
func allowed(host string, names []string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if bare, found := strings.CutPrefix(name, "["); found {
		name = strings.TrimSuffix(bare, "]")
	}
	if ip, err := netip.ParseAddr(name); err == nil && ip.Unmap().IsLoopback() {
		return true
	}
	same := func(n string) bool { return strings.EqualFold(strings.Trim(n, "[]"), name) }
	return same("localhost") || name != "" && slices.ContainsFunc(names, same)
}

// reset puts the crawl back to zero, if the request comes from this page or from
// no page at all.
func (d *Dashboard) reset(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "Another web site asked for this.", http.StatusForbidden)
		return
	}
	if err := d.cfg.Reset(r.Context()); err != nil {
		d.cfg.Logger.Error("the statistics were reset from the dashboard, but not all went well", "error", err, "from", r.RemoteAddr)
		http.Error(w, "The reset did not go well: the log of the crawler says why.", http.StatusInternalServerError)
		return
	}
	d.cfg.Logger.Warn("the statistics were reset from the dashboard", "from", r.RemoteAddr)
	w.WriteHeader(http.StatusNoContent)
}
