package fetcher

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/lobstrail/lobstrail/store"
)

// What is asked of the API at a time, and of the recorder.
const (
	pageLimit    = 100
	missingChunk = 500
)

// maxPages bounds the walk whatever the API promises.
const maxPages = 100_000

// minKnown is how many accounts a workspace must know before a first page of
// strangers means that the key belongs to another workspace.
const minKnown = 3

// all is the job of SnapshotAll.
func (b *batch) all(ctx context.Context) error {
	walked := newListing()
	if err := b.list(ctx, walked); err != nil {
		return err
	}
	if !walked.whole() {
		b.warnings = append(b.warnings, walked.warning())
		return nil
	}
	missing, err := b.rec.Unlist(ctx, walked.received)
	if err != nil || missing == 0 {
		return err
	}
	b.state.Total += missing
	return b.missing(ctx)
}

// list walks the list, page after page, and stores each.
func (b *batch) list(ctx context.Context, walked *listing) error {
	in := newInspector(b.key)
	var buf []byte
	for number := 1; number <= maxPages; number++ {
		var shown page
		got, err := b.get(ctx, b.pageURL(number), buf, func(body []byte) error {
			var err error
			shown, err = in.page(body)
			return err
		})
		if err != nil {
			walked.brokeOff(number, lastTry(err))
			return b.fail(ctx, "", err)
		}
		buf = got.body
		more, err := b.page(ctx, walked, number, shown, got)
		if err != nil || !more {
			return err
		}
	}
	walked.doubt(doubtEnd, "it did not end after %d pages", maxPages)
	return nil
}

func (b *batch) pageURL(number int) *url.URL {
	u := b.base.JoinPath("accounts")
	u.RawQuery = url.Values{"page": {strconv.Itoa(number)}, "limit": {strconv.Itoa(pageLimit)}}.Encode()
	return u
}

// page stores a page and reports whether another one follows.
func (b *batch) page(ctx context.Context, walked *listing, number int, shown page, got answer) (more bool, err error) {
	if number == 1 {
		if err := b.guard(ctx, shown); err != nil {
			return false, err
		}
	}
	walked.see(number, shown, b.key)
	walked.received = got.received
	b.requested = walked.total
	b.state.Total = walked.total
	stored, err := b.append(ctx, store.Response{
		Source:     store.List,
		Sent:       got.sent,
		Received:   got.received,
		ServerTime: got.serverTime,
		Accounts:   shown.accounts,
		Failures:   shown.failures,
	})
	if err != nil {
		return false, err
	}
	if stored.Repeated > 0 {
		walked.doubt(doubtRepeat, "it showed accounts twice")
	}
	if shown.page >= 0 && shown.page != number {
		wrong := &mismatchError{text: fmt.Sprintf("page %d was answered with page %d", number, shown.page)}
		if err := b.fail(ctx, "", wrong); err != nil {
			return false, err
		}
	}
	if shown.next != "" {
		if _, err := follow(b.pageURL(number), shown.next); err != nil {
			refused := &mismatchError{text: "next: " + err.Error()}
			walked.brokeOff(number+1, refused)
			return false, b.fail(ctx, "", refused)
		}
	}
	// A server that shows the same page again and again promises more for ever.
	standstill := stored.Repeated > 0 && stored.Repeated == len(shown.accounts)
	return walked.more(number, shown) && !standstill, nil
}

// guard answers a WorkspaceError when the first page of the list shows strangers
// only, in a workspace that knows others.
func (b *batch) guard(ctx context.Context, first page) error {
	if len(first.accounts) == 0 {
		return nil
	}
	ids := make([]string, 0, len(first.accounts))
	for _, seen := range first.accounts {
		ids = append(ids, seen.ID)
	}
	hits, total, err := b.rec.Known(ctx, ids)
	if err != nil {
		return err
	}
	if hits == 0 && total >= minKnown {
		return &WorkspaceError{Listed: len(ids), Known: total}
	}
	return nil
}

// missing asks for the details of the accounts that a whole list lacked. Only
// the answer 404 makes one of them gone.
func (b *batch) missing(ctx context.Context) error {
	after := ""
	for {
		ids, err := b.rec.Missing(ctx, after, missingChunk)
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := b.details(ctx, slices.Values(ids)); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}
