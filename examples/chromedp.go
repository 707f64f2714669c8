package examples

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/crawlstats/crawlstats/stats"
)

// CountPages counts the documents that the tab of ctx loads, of frames too. The
// events of a tab come one after the other, so the set needs no lock.
func CountPages(ctx context.Context, st *stats.Statistics) error {
	// quoted: tab
	pages := map[network.RequestID]int64{} // status codes; images and scripts are not in it
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			switch {
			case ev.Type == network.ResourceTypeDocument && ev.RedirectResponse == nil:
				pages[ev.RequestID] = 0
				st.StartWith(string(ev.RequestID), stats.Request{URL: ev.Request.URL})
			case ev.Type == network.ResourceTypeDocument:
				st.StatusCode(int(ev.RedirectResponse.Status))
			}
		case *network.EventResponseReceived:
			if _, page := pages[ev.RequestID]; page {
				pages[ev.RequestID] = ev.Response.Status
				st.StatusCode(int(ev.Response.Status))
			}
		case *network.EventLoadingFinished:
			endPage(st, pages, ev.RequestID, nil)
		case *network.EventLoadingFailed:
			endPage(st, pages, ev.RequestID, errors.New(ev.ErrorText))
		}
	})
	// end
	return err
}

// endPage finishes or fails a page; other resources are not in pages.
func endPage(st *stats.Statistics, pages map[network.RequestID]int64, id network.RequestID, err error) {
	status, page := pages[id]
	delete(pages, id)
	if err == nil && status >= 400 {
		err = fmt.Errorf("status %d", status)
	}
	switch {
	case !page:
	case err != nil:
		st.Fail(string(id), err)
	default:
		st.Finish(string(id))
	}
}
