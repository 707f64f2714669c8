package site

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sections holds the number of pages of each section. The home page and /evil
// are not in a section.
var sections = map[string]int{
	"c": 12, "p": 540, "slow": 12, "404": 15, "410": 5, "500": 8, "503": 21,
	"hang": 4, "rst": 6, "go": 15, "to": 15, "copy": 12, "no": 10,
}

const productsPerCategory = 45

// An answer is how the site treats a request.
type answer struct {
	status   int // NoResponse: none
	delay    time.Duration
	location string
	body     string
	reset    bool
}

// forever is longer than the patience of any client.
const forever = time.Hour

// answerTo is the site: the same answer to the same attempt, always.
func answerTo(path string, attempt int) answer {
	switch path {
	case "/":
		return page("Home", homeLinks())
	case "/evil":
		return evil()
	}
	section, n, ok := split(path)
	if !ok {
		return failure(http.StatusNotFound)
	}
	healed := page(path, []string{"/"})
	healed.delay = time.Duration(5+7919*n%40) * time.Millisecond
	switch section {
	case "c":
		return page(path, categoryLinks(n))
	case "p":
		a := page(path, []string{"/", fmt.Sprint("/c/", n/productsPerCategory), fmt.Sprint("/p/", (n+1)%sections["p"])})
		a.delay = healed.delay
		return a
	case "slow":
		healed.delay = 250 * time.Millisecond
	case "404", "410", "500":
		status, _ := strconv.Atoi(section)
		return failure(status)
	case "503":
		if attempt <= n%3 { // heals at the second, third or fourth attempt
			return failure(http.StatusServiceUnavailable)
		}
	case "hang":
		if attempt == 0 || n == 0 {
			return answer{status: NoResponse, delay: forever}
		}
	case "rst":
		if attempt == 0 || n%2 == 0 {
			return answer{status: NoResponse, reset: true}
		}
	case "go":
		return answer{status: http.StatusMovedPermanently, location: fmt.Sprint("/to/", n)}
	case "copy":
		healed.body = fmt.Sprintf(`<!doctype html><link rel="canonical" href="/p/%d"><title>Copy</title>`, 7*n)
	}
	return healed
}

func failure(status int) answer {
	return answer{status: status, body: "<!doctype html><title>" + http.StatusText(status) + "</title>"}
}

func page(title string, links []string) answer {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><title>%s</title><ul>\n", html.EscapeString(title))
	for _, link := range links {
		fmt.Fprintf(&b, "<li><a href=%q>%[1]s</a>\n", link)
	}
	return answer{status: http.StatusOK, body: b.String()}
}

// homeLinks leads to the categories and to all pages that are no product. What
// takes longest comes first.
func homeLinks() []string {
	links := []string{"/evil"}
	for _, section := range []string{"hang", "slow", "rst", "500", "503", "404", "410", "go", "copy", "no", "c"} {
		for n := range sections[section] {
			links = append(links, fmt.Sprint("/", section, "/", n))
		}
	}
	return links
}

func categoryLinks(category int) []string {
	links := []string{"/"}
	for n := range productsPerCategory {
		links = append(links, fmt.Sprint("/p/", category*productsPerCategory+n))
	}
	return links
}

// evil is the page of a server that would like to write on the crawler's
// terminal and run in the browser of whoever reads its report.
func evil() answer {
	return answer{status: http.StatusOK, body: "<!doctype html>" +
		"<title>\x1b]0;owned\x07\x1b[2J\u202e<script>alert(1)</script></title>" +
		// Three that cannot be requested.
		"<a href='/\x1b[31mred'>1</a><a href='java\x1bscript:alert(1)'>2</a><a href='http://[::1/'>3</a>" +
		// Three that lead elsewhere, and one that only seems to.
		"<a href='javascript:alert(1)'>4</a><a href='//elsewhere.example/'>5</a><a href='mailto:a@b.example'>6</a>" +
		"<a href='/.//elsewhere.example/'>11</a>" +
		// Two that lead to a page there is, and two to pages there are not.
		"<a href='/p/1#top'>7</a><a href='../p/1'>8</a>" +
		"<a href='/<img src=x onerror=alert(1)>'>9</a><a href='/%1b[2J%0a%e2%80%ae'>10</a>"}
}
