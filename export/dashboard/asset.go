package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed web
var web embed.FS

// asset is a file of the page.
type asset struct {
	name        string
	contentType string
	etag        string
	data        []byte
}

// The files by the path they are served at. There are no folders to list.
var assetFiles = map[string]string{
	"":                         "index.html",
	"index.html":               "index.html",
	"app.css":                  "app.css",
	"app.js":                   "app.js",
	"chart.js":                 "chart.js",
	"theme.js":                 "theme.js",
	"favicon.svg":              "favicon.svg",
	"vendor/uPlot.iife.min.js": "vendor/uPlot.iife.min.js",
	"vendor/uPlot.min.css":     "vendor/uPlot.min.css",
	"vendor/uPlot.LICENSE":     "vendor/uPlot.LICENSE",
}

// types are not left to the machine, which may know none.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func assets() map[string]asset {
	all := make(map[string]asset, len(assetFiles))
	for at, name := range assetFiles {
		data, err := web.ReadFile("web/" + name)
		if err != nil { // it was there when this was compiled, or a test fails
			panic("dashboard: " + err.Error())
		}
		sum := sha256.Sum256(data)
		a := asset{name: name, data: data, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, contentType: types[path.Ext(name)]}
		if a.contentType == "" {
			a.contentType = "text/plain; charset=utf-8"
		}
		all[at] = a
	}
	return all
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "no-cache") // ask whether it has changed
	w.Header().Set("ETag", a.etag)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.data))
}
