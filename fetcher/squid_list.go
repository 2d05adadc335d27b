package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// SquidList is what the list of squids showed.
type SquidList struct {
	Squids []Squid
	// Problems say why squids may be missing: the list was cut, changed while it was read
	// or broke off, or showed a squid that could not be read. None: the list is complete.
	Problems []string
}

// maxSquidPages bounds the walk over the list of squids whatever the API promises.
const maxSquidPages = 1000

// Squids asks for the list of squids, page after page. The list may have neither the
// accounts nor the schedule of a squid; [Client.Squid] has them. An error means that
// there is no list: the first page was not to be had, or the key was refused. The
// problems of a list that broke off later say so.
func (c *Client) Squids(ctx context.Context) (SquidList, error) {
	w := newSquidWalk(c)
	for number := 1; number <= maxSquidPages; number++ {
		more, err := w.page(ctx, number)
		switch {
		case err != nil && (number == 1 || ctx.Err() != nil || errors.Is(err, ErrKeyRefused)):
			return SquidList{}, err
		case err != nil:
			w.brokeOff(number, lastTry(err))
		}
		if err != nil || !more {
			break
		}
	}
	if !w.ended && len(w.reasons) == 0 {
		w.doubt(doubtEnd, "it did not end after %d pages", maxSquidPages)
	}
	list := SquidList{Squids: w.squids, Problems: w.unread}
	if !w.whole() {
		list.Problems = append([]string{"the list of squids is not complete: " + strings.Join(w.reasons, "; ")}, list.Problems...)
	}
	return list, nil
}

// squidWalk is a walk over the list of squids.
type squidWalk struct {
	*session
	*listing
	squids []Squid
	seen   map[string]bool
	unread []string
}

func newSquidWalk(c *Client) *squidWalk {
	return &squidWalk{session: &session{Client: c}, listing: newListing("squids"), seen: map[string]bool{}}
}

// page asks for a page and takes note of it. It reports whether another one follows.
func (w *squidWalk) page(ctx context.Context, number int) (more bool, err error) {
	at := w.base.JoinPath("squids")
	at.RawQuery = url.Values{"page": {strconv.Itoa(number)}, "limit": {strconv.Itoa(pageLimit)}}.Encode()
	var around envelope
	_, err = w.get(ctx, at, nil, func(body []byte) error {
		around, err = listIn(body)
		return err
	})
	if err != nil {
		return false, err
	}
	if last := around.next == "" && around.pages <= number; around.total < 0 && last {
		around.total = w.shown + len(around.data) // nothing is concluded about what such a list does not show
	}
	w.seeEnvelope(number, around, w.key)
	fresh := w.take(number, around.data)
	more = w.more(number, around)
	if more && !fresh {
		return false, nil // a server that shows the same page again and again promises more for ever
	}
	if around.next != "" {
		if _, err := follow(at, around.next); err != nil {
			w.brokeOff(number+1, &mismatchError{text: "next: " + err.Error()})
			return false, nil
		}
	}
	return more, nil
}

// take reads the squids of a page. It reports whether any of them is new.
func (w *squidWalk) take(number int, data [][]byte) (fresh bool) {
	w.shown += len(data)
	for i, raw := range data {
		squid, err := readSquid(raw, w.key)
		switch {
		case err != nil:
			w.unread = append(w.unread, fmt.Sprintf("squid %d on page %d of the list: %v", i+1, number, err))
		case w.seen[squid.ID]:
			w.doubt(doubtRepeat, "it showed squids twice")
		default:
			w.seen[squid.ID], fresh = true, true
			w.squids = append(w.squids, squid)
		}
	}
	return fresh
}

// listIn reads the envelope of a list.
func listIn(body []byte) (envelope, error) {
	around, err := split(body)
	switch {
	case err != nil:
		return envelope{}, err
	case around.data == nil:
		return envelope{}, &decodeError{text: "the body has no data", unreadable: true}
	case around.single:
		return envelope{}, &decodeError{text: "data is no list", unreadable: true}
	}
	return around, nil
}
