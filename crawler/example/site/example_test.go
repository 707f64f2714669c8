package site_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/crawlstats/crawlstats/crawler/example/site"
)

func ExampleSite() {
	s := site.New()
	server := httptest.NewServer(s)
	defer server.Close()

	for _, path := range []string{"/p/17", "/404/1"} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	log := s.Log()
	fmt.Println(log.Requests, log.Status[200], log.Status[404], log.Paths["/p/17"])
	// Output:
	// 2 1 1 [200]
}
