package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/impact"
	"github.com/lobstrail/lobstrail/store"
)

// mostDetails bounds how many squids are asked for one by one.
const mostDetails = 500

// errOtherKey is for a key that shows nothing of what is known here.
var errOtherKey = errors.New("this looks like another workspace's key: the API knows none of the accounts and squids that were named")

// askWithin asks the API within a deadline.
func (a *app) askWithin(ctx context.Context, client *fetcher.Client, deadline time.Duration, in *impact.Input) error {
	bounded, cancel := context.WithTimeoutCause(ctx, deadline, fmt.Errorf("the API took longer than the %s of --deadline", deadline))
	defer cancel()
	q := &inquiry{
		client: client, in: in, squids: map[string]*impact.Squid{}, listed: map[string]bool{}, asked: map[string]bool{},
		types: map[string]*string{},
	}
	for i := range in.Squids {
		q.squids[in.Squids[i].ID] = &in.Squids[i]
	}
	return q.ask(bounded)
}

// inquiry asks the API for everything about the squids that accounts in question use.
type inquiry struct {
	client  *fetcher.Client
	in      *impact.Input
	squids  map[string]*impact.Squid
	listed  map[string]bool    // squids on the list
	asked   map[string]bool    // and those that were asked for one by one
	types   map[string]*string // by crawler: the type of account that it needs
	trusted bool               // the API knows something that is known here: the key is that of the workspace
}

func (q *inquiry) ask(ctx context.Context) error {
	if err := q.list(ctx); err != nil {
		return err
	}
	if err := q.accounts(ctx); err != nil {
		return err
	}
	wanted := q.concerned()
	for depth := 0; len(wanted) > 0 && depth <= impact.MaxChain; depth++ {
		var err error
		if wanted, err = q.details(ctx, wanted, depth == 0); err != nil {
			return err
		}
	}
	if !q.trusted {
		return errOtherKey
	}
	q.in.Squids = q.in.Squids[:0:0]
	for _, squid := range q.squids {
		q.in.Squids = append(q.in.Squids, *squid)
	}
	slices.SortFunc(q.in.Squids, func(a, b impact.Squid) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

// list reads the list of squids.
func (q *inquiry) list(ctx context.Context) error {
	list, err := q.client.Squids(ctx)
	if err != nil {
		return fmt.Errorf("the list of squids: %w", err)
	}
	q.problem(list.Problems...)
	for _, squid := range list.Squids {
		q.trusted = q.trusted || q.squids[squid.ID] != nil
		q.listed[squid.ID] = true
		q.learn(squid)
	}
	return nil
}

func (q *inquiry) problem(texts ...string) { q.in.Problems = append(q.in.Problems, texts...) }

// accounts asks for each account in question: its own document says which squids use it.
func (q *inquiry) accounts(ctx context.Context) error {
	q.in.Facts = map[string]store.Facts{}
	answers := inParallel(q.in.Named, func(id string) (store.Response, error) { return q.client.Account(ctx, id) })
	for i, id := range q.in.Named {
		facts, err := factsOf(answers[i].value, answers[i].err)
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, fetcher.ErrKeyRefused)):
			return err
		case err != nil:
			q.problem(err.Error())
		default:
			q.in.Facts[id] = facts
			q.trusted = q.trusted || facts.Health != store.Gone
		}
	}
	return nil
}

// factsOf reads the one account of a response.
func factsOf(response store.Response, err error) (store.Facts, error) {
	switch {
	case err != nil:
		return store.Facts{}, err
	case len(response.Accounts) == 0:
		return store.Facts{Health: store.Gone}, nil
	}
	state, err := store.State{}.Next(response.Received, store.Detail, response.Accounts[0].Raw)
	if err != nil {
		return store.Facts{}, err
	}
	return report.FactsOf(state)
}

// concerned are the squids of the accounts in question, and those that are to be stopped.
func (q *inquiry) concerned() (ids []string) {
	ids = slices.Clone(q.in.Stopped)
	named := func(id string) bool { return slices.Contains(q.in.Named, id) }
	for _, account := range q.in.Accounts {
		if named(account.ID) {
			ids = appendSquids(ids, account.Facts.Squids)
		}
	}
	for _, facts := range q.in.Facts {
		ids = appendSquids(ids, facts.Squids)
	}
	for id, squid := range q.squids {
		if slices.ContainsFunc(squid.Accounts, func(a impact.Attached) bool { return named(a.ID) }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func appendSquids(ids []string, squids []store.Squid) []string {
	for _, squid := range squids {
		ids = append(ids, squid.ID)
	}
	return ids
}

// details asks for squids one by one, and returns the ids of those that they start and that were
// not asked for yet. With their crawlers it asks which accounts they need, too.
func (q *inquiry) details(ctx context.Context, ids []string, crawlers bool) (next []string, err error) {
	if room := mostDetails - len(q.asked); len(ids) > room {
		q.problem(fmt.Sprintf("only %d squids were asked for their details", mostDetails))
		ids = ids[:room]
	}
	answers := inParallel(ids, func(id string) (fetcher.Squid, error) { return q.client.Squid(ctx, id) })
	for i, id := range ids {
		q.asked[id] = true
		if err := q.detail(ctx, id, answers[i]); err != nil {
			return nil, err
		}
		for _, link := range q.squid(id).Chain {
			if link.Active && !q.asked[link.ID] {
				next = append(next, link.ID)
			}
		}
	}
	if crawlers {
		if err := q.needs(ctx, ids, answers); err != nil {
			return nil, err
		}
	}
	slices.Sort(next)
	return slices.Compact(next), nil
}

// detail takes note of one squid.
func (q *inquiry) detail(ctx context.Context, id string, got answered[fetcher.Squid]) error {
	known := q.squids[id] != nil
	switch err := got.err; {
	case err == nil:
		q.trusted = q.trusted || known
		q.learn(got.value)
		for _, field := range got.value.Unread {
			q.problem(fmt.Sprintf("%s: the API gives %s in an unknown form", squidName(*q.squids[id]), field))
		}
	case errors.Is(err, store.ErrNotFound) && !q.listed[id]:
		q.squid(id).Deleted = true
	case ctx.Err() != nil || errors.Is(err, fetcher.ErrKeyRefused):
		return err
	default:
		q.problem(err.Error())
	}
	return nil
}

func squidName(s impact.Squid) string { return nameOf(s.Name, s.ID) }

// squid is what is known of a squid.
func (q *inquiry) squid(id string) *impact.Squid {
	if q.squids[id] == nil {
		q.squids[id] = &impact.Squid{ID: id}
	}
	return q.squids[id]
}

// learn takes over what the API says of a squid. The name that the store knows stays, and
// so does what the list said and the detail does not.
func (q *inquiry) learn(squid fetcher.Squid) {
	s := q.squid(squid.ID)
	s.Name = cmp.Or(s.Name, squid.Name)
	s.Active = cmp.Or(squid.Active, s.Active)
	s.Cron, s.Zone = cmp.Or(squid.Cron, s.Cron), cmp.Or(squid.Zone, s.Zone)
	s.NextLaunch = cmp.Or(squid.NextLaunch, s.NextLaunch)
	s.LastRunStatus, s.LastRunReason = cmp.Or(squid.LastRunStatus, s.LastRunStatus), cmp.Or(squid.LastRunReason, s.LastRunReason)
	if squid.Chain != nil {
		s.Chain = newLinks(squid.Chain)
	}
	if squid.Accounts == nil {
		return
	}
	s.Accounts = []impact.Attached{}
	for _, account := range squid.Accounts {
		s.Accounts = append(s.Accounts, impact.Attached{ID: account.ID, Status: account.Status})
	}
}

func newLinks(chain []fetcher.ChainLink) []impact.Link {
	if chain == nil {
		return nil
	}
	links := make([]impact.Link, 0, len(chain))
	for _, link := range chain {
		links = append(links, impact.Link{ID: link.ID, Name: link.Name, Active: link.Active, Chain: newLinks(link.Chain)})
	}
	return links
}

// needs asks the crawlers of squids which type of account they need. What a crawler does
// not tell is not known, and nothing else is: the squid then needs the type of the
// accounts that it uses.
func (q *inquiry) needs(ctx context.Context, ids []string, squids []answered[fetcher.Squid]) error {
	var crawlers []string
	for _, squid := range squids {
		if id := squid.value.Crawler; id != "" && !slices.Contains(crawlers, id) {
			crawlers = append(crawlers, id)
		}
	}
	answers := inParallel(crawlers, func(id string) (string, error) { return q.client.CrawlerType(ctx, id) })
	for i, id := range crawlers {
		switch err := answers[i].err; {
		case err == nil:
			q.types[id] = &answers[i].value
		case ctx.Err() != nil || errors.Is(err, fetcher.ErrKeyRefused):
			return err
		}
	}
	for i, id := range ids {
		q.squid(id).Needs = q.types[squids[i].value.Crawler]
	}
	return nil
}

// answered is what came of one question.
type answered[T any] struct {
	value T
	err   error
}

// inParallel calls ask for each id, a few at a time, and returns the answers in the order
// of the ids.
func inParallel[T any](ids []string, ask func(id string) (T, error)) []answered[T] {
	answers := make([]answered[T], len(ids))
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(len(ids), fetcher.DefaultConcurrency) {
		workers.Go(func() {
			for i := range next {
				answers[i].value, answers[i].err = ask(ids[i])
			}
		})
	}
	for i := range ids {
		next <- i
	}
	close(next)
	workers.Wait()
	return answers
}
