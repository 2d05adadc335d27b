package fetcher

import (
	"context"
	"errors"
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

// all is the job of SnapshotAll.
func (b *batch) all(ctx context.Context) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	walked := newListing("accounts")
	if err := b.list(ctx, walked); err != nil {
		return err
	}
	if !walked.whole() {
		b.warnings = append(b.warnings, walked.warning())
		return nil
	}
	if b.known > 0 && !b.trusted && !b.config.AcceptGone {
		return nil // guard has warned
	}
	b.listed = walked.received
	return b.conclude(ctx, b.askMissing(ctx))
}

// askMissing asks for the details of the accounts that a complete list lacks. When
// these are too many, only for as long as they are still there.
func (b *batch) askMissing(ctx context.Context) error {
	for after := ""; ; {
		ids, err := b.rec.Missing(ctx, after, missingChunk)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		b.missing = append(b.missing, ids...)
		after = ids[len(ids)-1]
	}
	n, mass, err := b.disappearing(ctx)
	if err != nil {
		return err
	}
	if b.mass = mass; mass {
		b.warn("%s", b.massReason(n))
	}
	b.state.Total += len(b.missing)
	if _, err = b.details(ctx, slices.Values(b.missing)); errors.Is(err, errMass) {
		return nil
	}
	return err
}

// listed is a page that was asked for.
type listed struct {
	page
	number int // of the page
	got    answer
	err    error
}

// list walks the list, page after page, and stores each. While a page is being
// stored the next one is on its way: storing does not make a slow link slower.
func (b *batch) list(ctx context.Context, walked *listing) error {
	flight, land := context.WithCancel(ctx)
	var next chan listed
	defer func() {
		if land(); next != nil {
			<-next
		}
	}()
	readers := [2]pageReader{{in: newInspector(b.key)}, {in: newInspector(b.key)}}
	ask := func(number int) {
		if number > maxPages {
			return
		}
		answer := make(chan listed, 1)
		next = answer
		go func() { answer <- readers[number%2].read(flight, b, number) }()
	}
	ask(1)
	for number := 1; next != nil; number++ {
		p := <-next
		next = nil
		if p.err != nil {
			walked.brokeOff(number, lastTry(p.err))
			return b.fail(ctx, "", p.err)
		}
		if number == 1 {
			if err := b.guard(ctx, p.page); err != nil {
				return err
			}
		}
		onward, wrong := b.see(walked, number, p)
		if onward {
			ask(number + 1)
		}
		stays, err := b.store(ctx, walked, p, wrong)
		if err != nil || stays {
			return err
		}
	}
	if !walked.ended && len(walked.reasons) == 0 {
		walked.doubt(doubtEnd, "it did not end after %d pages", maxPages)
	}
	return nil
}

// pageReader has what a page is read with. The page points into its buffer until
// the next one.
type pageReader struct {
	in  *inspector
	buf []byte
}

func (r *pageReader) read(ctx context.Context, b *batch, number int) (p listed) {
	p.number = number
	p.got, p.err = b.get(ctx, b.pageURL(number), r.buf, func(body []byte) (err error) {
		p.page, err = r.in.page(body)
		return err
	})
	if p.err == nil {
		r.buf = p.got.body
	}
	return p
}

func (b *batch) pageURL(number int) *url.URL {
	u := b.base.JoinPath("accounts")
	u.RawQuery = url.Values{"page": {strconv.Itoa(number)}, "limit": {strconv.Itoa(pageLimit)}}.Encode()
	return u
}

// see takes note of a page, the number-th: whether another one follows, and what
// is wrong with it, nil for nothing.
func (b *batch) see(walked *listing, number int, p listed) (onward bool, wrong error) {
	walked.see(number, p.page, b.key)
	walked.received = p.got.received
	b.requested = walked.total
	b.state.Total = walked.total
	onward = walked.more(number, p.envelope)
	if p.page.page >= 0 && p.page.page != number {
		wrong = &mismatchError{text: fmt.Sprintf("page %d was answered with page %d", number, p.page.page)}
	}
	if p.next == "" {
		return onward, wrong
	}
	if _, err := follow(b.pageURL(number), p.next); err != nil {
		refused := &mismatchError{text: "next: " + err.Error()}
		walked.brokeOff(number+1, refused)
		return false, refused
	}
	return onward, wrong
}

// store stores a page, and what is wrong with it. It reports whether the list
// stays where it is: a server that shows the same page again and again promises
// more for ever.
func (b *batch) store(ctx context.Context, walked *listing, p listed, wrong error) (stays bool, err error) {
	stored, err := b.append(ctx, store.Response{
		Source:     store.List,
		Page:       p.number,
		Sent:       p.got.sent,
		Received:   p.got.received,
		ServerTime: p.got.serverTime,
		Accounts:   p.accounts,
		Failures:   p.failures,
	})
	if err != nil {
		return false, err
	}
	if stored.Repeated > 0 {
		walked.doubt(doubtRepeat, "it showed accounts twice")
	}
	if wrong != nil {
		err = b.fail(ctx, "", wrong)
	}
	return stored.Repeated > 0 && stored.Repeated == len(p.accounts), err
}

// guard looks whether the first page of the list is of this workspace. It returns a
// WorkspaceError when the page shows accounts, and none of them is known here.
func (b *batch) guard(ctx context.Context, first page) error {
	ids := first.ids()
	if err := b.trust(ctx, slices.Clone(ids)); err != nil {
		return err
	}
	reason, err := b.judgeFirst(ctx, first)
	switch {
	case err != nil || reason == "":
		return err
	case len(ids) > 0:
		return &WorkspaceError{Listed: len(ids), Known: b.known, ConfirmGone: b.config.ConfirmGone}
	}
	b.warn("%s", reason)
	return nil
}
