package fetcher

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// minMass is how many accounts must disappear in one job before that can be a mass
// disappearance.
const minMass = 3

// maxProbes is how many known accounts are asked for when the first page of the list
// shows none.
const maxProbes = 3

// otherKey is what a user reads when no known account was seen in a job.
const otherKey = "this looks like another workspace's key"

// absences is what a job knows about accounts that may have disappeared. A 404 and a
// gap in a list conclude nothing while the job runs: only at its end is it known
// whether the key is this workspace's and how many accounts would disappear. Until
// then nothing is written, so a job that is killed concludes nothing, and the next
// job asks again.
type absences struct {
	known    int                       // accounts known in the workspace and not gone when the job began
	trusted  bool                      // a known account was seen in this job: the key is this workspace's
	mass     bool                      // the list alone lacks so many accounts that nothing will be concluded
	missing  []string                  // accounts that the complete list lacks; nil in a job of named accounts
	listed   time.Time                 // when the last page of that list was received
	held     map[string]store.Response // by account: answers 404 about known accounts
	captured int                       // details that were captured
	// strangers are accounts that this job itself made known. They say nothing about
	// whose key it is.
	strangers map[string]bool
}

func newAbsences() absences {
	return absences{held: make(map[string]store.Response), strangers: make(map[string]bool)}
}

// errMass ends the details of a job that will conclude nothing.
var errMass = errors.New("a mass disappearance")

// begin counts the known accounts. It must run before anything is stored.
func (b *batch) begin(ctx context.Context) (err error) {
	_, b.known, err = b.rec.Known(ctx, nil)
	return err
}

// trust takes note of accounts that the API has shown under the key, before they are
// stored.
func (b *batch) trust(ctx context.Context, ids []string) error {
	ids = slices.DeleteFunc(ids, func(id string) bool { return b.strangers[id] })
	if b.trusted || b.known == 0 || len(ids) == 0 {
		return nil
	}
	hits, _, err := b.rec.Known(ctx, ids)
	if b.trusted = hits > 0; !b.trusted {
		for _, id := range ids {
			b.strangers[id] = true
		}
	}
	return err
}

// probe asks for the details of a few known accounts that were not seen in this job:
// in a large workspace the first page may show none of those known here. Answers are
// not stored, since nobody asked for these accounts.
func (b *batch) probe(ctx context.Context) error {
	ids, err := b.rec.Missing(ctx, "", maxProbes+len(b.held))
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(ids, b.isHeld)
	for _, id := range ids[:min(len(ids), maxProbes)] {
		response, err := b.account(ctx, id)
		if errors.Is(err, ErrKeyRefused) || ctx.Err() != nil {
			return b.fail(ctx, id, err)
		}
		if err == nil && len(response.Accounts) > 0 {
			b.trusted = true
			return nil
		}
	}
	return nil
}

func (b *batch) isHeld(id string) bool {
	_, held := b.held[id]
	return held
}

// settleAbsent takes an answer 404. It is held back when it would make an account
// gone, and stored when it concludes nothing: of accounts never seen or gone before.
func (b *batch) settleAbsent(ctx context.Context, response store.Response) error {
	n, err := b.rec.Disappearing(ctx, nil, response.Absent)
	switch {
	case err != nil:
		return err
	case n == 0:
		_, err = b.append(ctx, response)
		return err
	case b.mass:
		return errMass
	}
	b.held[response.Absent[0]] = response
	b.looked = true
	return nil
}

// contradicted drops a 404 that was held back, when the same job then shows the account.
func (b *batch) contradicted(ctx context.Context, id, where string) error {
	if !b.isHeld(id) {
		return nil
	}
	delete(b.held, id)
	return b.refuse(ctx, store.FailMismatch, "the detail call answered 404, but "+where+" shows the account: nothing was concluded", id)
}

// refuse stores that nothing was concluded about accounts.
func (b *batch) refuse(ctx context.Context, kind store.FailureKind, message string, ids ...string) error {
	failures := make([]store.Failure, len(ids))
	for i, id := range ids {
		failures[i] = store.Failure{Account: id, Kind: kind, HTTPStatus: http.StatusNotFound, Message: message}
	}
	if err := b.rec.Fail(ctx, b.sent(), failures...); err != nil {
		return err
	}
	b.failed += len(ids)
	b.did(len(ids))
	return nil
}

// refuseHeld is refuse of every 404 that was held back, with a warning for the run.
func (b *batch) refuseHeld(ctx context.Context, reason string) error {
	b.warn("%s", reason)
	ids := b.heldIDs()
	clear(b.held)
	return b.refuse(ctx, store.FailHTTP, "HTTP 404 Not Found, but nothing was concluded: "+reason, ids...)
}

func (b *batch) heldIDs() []string { return slices.Sorted(maps.Keys(b.held)) }

// checkKey finds out whether the key is this workspace's, for a job of named accounts
// that has seen none of the known ones: it asks the first page of the list. reason
// says why nothing can be concluded; "" if the key is good, or the user confirmed.
func (b *batch) checkKey(ctx context.Context) (reason string, err error) {
	if b.trusted {
		return "", nil
	}
	reader := pageReader{in: newInspector(b.key)}
	first := reader.read(ctx, b, 1)
	if first.err != nil {
		return "the list of accounts could not be asked whether the key is this workspace's", b.fail(ctx, "", first.err)
	}
	ids := first.ids()
	if err := b.trust(ctx, slices.Clone(ids)); err != nil {
		return "", err
	}
	for _, id := range ids {
		if err := b.contradicted(ctx, id, "the list"); err != nil {
			return "", err
		}
	}
	return b.judgeFirst(ctx, first.page)
}

// judgeFirst says why the first page of the list leaves doubt about the key; "" if it
// leaves none.
func (b *batch) judgeFirst(ctx context.Context, first page) (reason string, err error) {
	if b.trusted || b.known == 0 || b.config.AcceptGone {
		return "", nil
	}
	if len(first.data) == 0 {
		return fmt.Sprintf("%s, or the workspace was emptied: the list shows no account, and %d are known here; %s", otherKey, b.known, b.config.ConfirmGone), nil
	}
	if err := b.probe(ctx); err != nil || b.trusted {
		return "", err
	}
	return fmt.Sprintf("%s: none of the first %d accounts of the list is among the %d known here; %s", otherKey, len(first.data), b.known, b.config.ConfirmGone), nil
}

// disappearing counts the accounts that the job would make unlisted or gone, and
// reports whether they are too many to be believed.
func (b *batch) disappearing(ctx context.Context) (n int, mass bool, err error) {
	n, err = b.rec.Disappearing(ctx, b.missing, b.heldIDs())
	allNamed := b.missing == nil && b.captured == 0
	return n, !b.config.AcceptGone && n >= minMass && (2*n > b.known || allNamed), err
}

func (b *batch) massReason(n int) string {
	return fmt.Sprintf("a mass disappearance: %d of the %d accounts known here would become gone or unlisted; "+
		"the key, the address of the API or the service has more likely changed. Nothing was concluded about them; %s", n, b.known, b.config.ConfirmGone)
}

// conclude writes what the job may conclude at its end, which err is the reason of; nil
// when everything was asked for. A job that was stopped or interrupted concludes what
// needs no further request.
func (b *batch) conclude(ctx context.Context, err error) error {
	_, stopped := errors.AsType[*stopError](err)
	interrupted := ctx.Err() != nil && errors.Is(err, context.Cause(ctx))
	switch {
	case err == nil || stopped:
	case interrupted && b.trusted:
		ctx = context.WithoutCancel(ctx)
	default:
		return err
	}
	if len(b.held)+len(b.missing) == 0 || b.mass {
		return err
	}
	reason := ""
	if err == nil && b.missing == nil {
		reason, err = b.checkKey(ctx)
		if _, stopped := errors.AsType[*stopError](err); err != nil && !stopped {
			return err
		}
	} else if !b.trusted && !b.config.AcceptGone {
		reason = "the job was stopped before it could check whether the key is this workspace's"
	}
	write := b.write
	if reason != "" {
		write = func(ctx context.Context) error { return b.refuseHeld(ctx, reason) }
	}
	if failed := write(ctx); failed != nil {
		return failed
	}
	return err
}

// write stores that accounts are unlisted and gone, unless they are too many.
func (b *batch) write(ctx context.Context) error {
	n, mass, err := b.disappearing(ctx)
	if err != nil {
		return err
	}
	if mass {
		return b.refuseHeld(ctx, b.massReason(n))
	}
	if len(b.missing) > 0 {
		if err := b.rec.Unlist(ctx, b.listed, b.missing); err != nil {
			return err
		}
	}
	responses := slices.SortedFunc(maps.Values(b.held), func(x, y store.Response) int { return x.Received.Compare(y.Received) })
	clear(b.held)
	_, err = b.append(ctx, responses...)
	return err
}
