package main_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Fleet is a workspace of simulated accounts that change at random. They look
// like the real ones: one kilobyte of fields, and an icon of four that all
// accounts of a type share. It is for one goroutine.
type Fleet struct {
	*rand.Rand
	squids   []string // as they stand in an account
	accounts []*account
	observed []store.Observed
}

// account is one of a fleet, with what can change of it.
type account struct {
	number  int
	created time.Time
	synced  time.Time
	status  int // of statuses
	maxima  [len(limitNames)]int
	used    [len(limitNames)]int
	resets  time.Time
	squids  []int
}

const (
	typeCount = 5
	iconBytes = 4096
	pageSize  = 100
)

var limitNames = [...]string{"profiles", "searches", "messages"}

var statuses = [...]struct{ status, info, description string }{
	{"200", "synchronized", "Success!"},
	{"401", "cookies_expired", "The cookies have expired."},
	{"429", "account_too_many_requests", "The platform has refused too many requests."},
	{"403", "challenge_required", "The platform asks for a challenge to be solved."},
}

// AccountID is the id of the account of a fleet that has the number, from 0 on.
func AccountID(number int) string { return hexID("account", number) }

// AccountName is its username.
func AccountName(number int) string { return fmt.Sprintf("scraper.%05d", number) }

// SquidID is the id of the squid that has the number, from 0 on.
func SquidID(number int) string { return hexID("squid", number) }

func hexID(what string, number int) string {
	sum := sha256.Sum256([]byte(what + strconv.Itoa(number)))
	return hex.EncodeToString(sum[:16])
}

// NewFleet makes accounts that are healthy for the most part.
func NewFleet(accounts, squids int, at time.Time, seed uint64) *Fleet {
	f := &Fleet{Rand: rand.New(rand.NewPCG(seed, 0xf1ee7))}
	for i := range squids {
		f.squids = append(f.squids, fmt.Sprintf(`{"name": "Squid %d", "hash_value": "%s"}`, i, SquidID(i)))
	}
	for i := range accounts {
		a := &account{number: i, created: at.AddDate(0, 0, -1-f.IntN(700)), synced: at.Add(-f.upTo(90 * 24 * time.Hour))}
		for limit := range a.maxima {
			a.maxima[limit] = 50 + 50*f.IntN(8)
		}
		a.resets = nextDay(at)
		if f.IntN(20) == 0 {
			a.status = 1 + f.IntN(len(statuses)-1)
		}
		a.squids = append(a.squids, f.Perm(squids)[:min(squids, f.IntN(4))]...)
		f.accounts = append(f.accounts, a)
		f.observed = append(f.observed, store.Observed{ID: AccountID(i)})
		f.show(a)
	}
	return f
}

func (f *Fleet) upTo(d time.Duration) time.Duration { return time.Duration(f.Int64N(int64(d))) }

func nextDay(t time.Time) time.Time { return t.Truncate(24 * time.Hour).Add(24 * time.Hour) }

// Change changes a share of the accounts, each in one way: its status flips, a
// limit is edited, it moves to another squid, or it is re-synchronised.
func (f *Fleet) Change(share float64, at time.Time) {
	for _, i := range f.some(share) {
		a := f.accounts[i]
		switch f.IntN(4) {
		case 0:
			if a.status = (a.status + 1 + f.IntN(len(statuses)-1)) % len(statuses); a.status == 0 {
				a.synced = at
			}
		case 1:
			a.maxima[f.IntN(len(a.maxima))] += 1 + f.IntN(50)
		case 2:
			f.reassign(a)
		case 3:
			a.status, a.synced = 0, at
		}
		f.show(a)
	}
}

// reassign takes the account's last squid away, or gives it another one.
func (f *Fleet) reassign(a *account) {
	if n := len(a.squids); n == 3 || n > 0 && f.IntN(2) == 0 {
		a.squids = a.squids[:n-1]
		return
	}
	squid := f.IntN(len(f.squids))
	for _, other := range a.squids {
		if other == squid {
			a.squids = nil
			return
		}
	}
	a.squids = append(a.squids, squid)
}

// Move moves the counters of a share of the accounts. At midnight they begin
// anew.
func (f *Fleet) Move(share float64, at time.Time) {
	for _, i := range f.some(share) {
		a := f.accounts[i]
		if !a.resets.After(at) {
			a.used, a.resets = [len(limitNames)]int{}, nextDay(at)
		}
		a.used[0] += 1 + f.IntN(20)
		if f.IntN(2) == 0 {
			a.used[1] += 1 + f.IntN(10)
		}
		f.show(a)
	}
}

// Sync has all accounts synchronised at the instant.
func (f *Fleet) Sync(at time.Time) {
	for _, a := range f.accounts {
		a.synced = at
		f.show(a)
	}
}

// some picks a share of the accounts at random, each at most once.
func (f *Fleet) some(share float64) []int {
	n := int(share*float64(len(f.accounts)) + 0.5)
	picked := make(map[int]bool, n)
	numbers := make([]int, 0, n)
	for len(numbers) < n {
		if i := f.IntN(len(f.accounts)); !picked[i] {
			picked[i] = true
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// Pages are the accounts as the list now shows them, a hundred a page. The bytes
// of an account stay the same until it changes.
func (f *Fleet) Pages() (pages [][]store.Observed) {
	for from := 0; from < len(f.observed); from += pageSize {
		pages = append(pages, f.observed[from:min(len(f.observed), from+pageSize)])
	}
	return pages
}

// Snapshot takes a batch of all accounts in workspace "default", as one run that
// begins at the instant. Pages follow each other by 300 ms.
func (f *Fleet) Snapshot(ctx context.Context, s store.Store, at time.Time) (sum store.Appended, err error) {
	run, err := s.Begin(ctx, "default", store.ScopeAll)
	if err != nil {
		return sum, err
	}
	requests := 0
	for page := range digested(f.Pages()) {
		sent := at.Add(time.Duration(requests) * 300 * time.Millisecond)
		requests++
		done, err := run.Append(ctx, store.Response{
			Source: store.List, Sent: sent, Received: sent.Add(200 * time.Millisecond),
			ServerTime: sent.Truncate(time.Second), Page: requests, Requests: requests, Accounts: page,
		})
		if err != nil {
			return sum, err
		}
		sum.Changed += done.Changed
		sum.Unchanged += done.Unchanged
		sum.Failed += done.Failed
	}
	return sum, run.Finish(ctx, store.Outcome{State: store.Complete, Requested: len(f.accounts), Requests: requests})
}

// show writes the account as the API would show it. The bytes are new ones: the
// old may still be read.
func (f *Fleet) show(a *account) {
	kind := a.number % typeCount
	status := statuses[a.status]
	raw := fmt.Appendf(make([]byte, 0, 2048+iconBytes),
		`{"id": "%s", "object": "account", "username": "%s", "created_at": "%s", "last_synchronization_time": "%s", `+
			`"status": "%s", "status_code_info": "%s", "status_code_description": "%s", "type": "type-%d-sync", "params": `,
		AccountID(a.number), AccountName(a.number), a.created.Format(time.RFC3339), a.synced.Format(time.RFC3339),
		status.status, status.info, status.description, kind)
	raw = f.appendParams(raw, a)
	raw = fmt.Appendf(raw, `, "updated_at": null, "account_type_hash": "%s", "squids": [`, hexID("type", kind))
	for i, squid := range a.squids {
		if i > 0 {
			raw = append(raw, ", "...)
		}
		raw = append(raw, f.squids[squid]...)
	}
	f.observed[a.number].Raw = fmt.Appendf(raw,
		`], "baseurl": "https://www.type%d.example", "cookies": [{"name": "session", "required": true}, `+
			`{"name": "csrf", "required": true}], "icon": "%s", "primary_color": "#0A66C2", "lock_time": null, "resets_in": null}`,
		kind, icons[kind])
}

// appendParams writes the limits: as they are by default, and the account's own
// with its counters.
func (f *Fleet) appendParams(raw []byte, a *account) []byte {
	raw = append(raw, `{"default": {`...)
	for i, name := range limitNames {
		raw = fmt.Appendf(raw, `"%s": {"max": 150, "default": 150, "description": "Maximum number of %s per day"}`, name, name)
		raw = append(raw, ", "[:2*min(1, len(limitNames)-1-i)]...)
	}
	raw = append(raw, `}, "user": {`...)
	for i, name := range limitNames {
		raw = fmt.Appendf(raw, `"%s": {"max": %d, "value": %d, "default": 150, "timestamp": %d, "start_time": null}`,
			name, a.maxima[i], a.used[i], a.resets.Unix())
		raw = append(raw, ", "[:2*min(1, len(limitNames)-1-i)]...)
	}
	return append(raw, "}}"...)
}

// icons are those of the types. They do not compress.
var icons = func() (icons [typeCount]string) {
	for i := range icons {
		noise := make([]byte, iconBytes*3/4)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(noise) // never fails
		icons[i] = base64.StdEncoding.EncodeToString(noise)
	}
	return icons
}()
