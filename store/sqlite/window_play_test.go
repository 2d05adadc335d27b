package sqlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// arena is a store that many plays share, each in a workspace of its own: that
// is faster than one store each, and would show workspaces that mix.
type arena struct {
	store *sqlite.Store
	now   func() time.Time
}

func newArena(t *testing.T) *arena {
	t.Helper()
	a := &arena{now: time.Now}
	a.store = openStore(t, memoryPath(t), func() time.Time { return a.now() })
	return a
}

// plenty is a budget that nobody waits for: without one, the client keeps to a
// rate by the real clock.
var plenty = lobstrtest.RateLimit{Budget: 1 << 20, Window: time.Hour}

// look is what one response of the API told of one account.
type look struct {
	account        string
	view           lobstrtest.View
	at             time.Time // when the API evaluated it
	sent, received int64     // Unix milliseconds, as the store must round them
	doc            map[string]json.RawMessage
}

// play is one random schedule against one random world.
type play struct {
	seed      uint64
	rand      *rand.Rand
	world     *lobstrtest.World
	server    *lobstrtest.Server
	client    *fetcher.Client
	store     *sqlite.Store
	workspace string
	last      int64 // the instant of the newest response
	looks     []look
	responses []toldResponse
	runs      int
	rounds    int  // how many snapshots are taken; 0: ten to thirty
	reduced   bool // the vendor's command tells of accounts too
}

func newPlay(t *testing.T, a *arena, seed uint64) *play {
	p := &play{
		seed: seed, rand: rand.New(rand.NewPCG(seed, 0x517e)), store: a.store, workspace: fmt.Sprintf("seed %d", seed),
	}
	accounts := 1 + p.rand.IntN(6)
	options := oracle.RandomOptions{
		Accounts: accounts, Squids: 1 + p.rand.IntN(4), Events: accounts * (5 + p.rand.IntN(20)),
		Span: time.Duration(1+p.rand.IntN(6)) * 24 * time.Hour, Load: p.rand.Float64(),
		LockForm: lobstrtest.LockForm(p.rand.IntN(2)),
	}
	p.world = oracle.RandomWorld(seed, options)
	a.now = p.world.Clock().Now
	var err error
	if p.server, err = lobstrtest.Listen(p.world); err != nil {
		t.Fatal(err)
	}
	p.server.Seed(seed)
	p.server.SetRateLimit(plenty)
	p.server.SetPageLimits(50, []int{1, 2, 3, 100}[p.rand.IntN(4)])
	p.client, err = fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, BaseURL: p.server.URL, UserAgent: "test", Transport: p.server.Transport(),
		Now: a.now, Concurrency: 1 + p.rand.IntN(4),
		AcceptGone: true, // the histories are small: often most accounts are deleted at once
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *play) close() {
	p.client.CloseIdleConnections()
	p.server.Close()
}

// run takes ten to thirty snapshots at random instants.
func (p *play) run(ctx context.Context) error {
	clock := p.world.Clock()
	rounds := p.rounds
	if rounds == 0 {
		rounds = 10 + p.rand.IntN(21)
	}
	for _, at := range p.instants(rounds, clock.Now()) {
		if at.After(clock.Now()) {
			clock.Set(at)
		}
		p.server.SetLatency(p.latency(), p.latency())
		if err := p.snapshot(ctx); err != nil {
			return err
		}
		if p.reduced && p.rand.IntN(2) == 0 {
			if err := p.importReduced(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// instants are random ones; every other is just before something happens, so
// that it happens while a request is under way.
func (p *play) instants(n int, start time.Time) []time.Time {
	const span = 7 * 24 * time.Hour
	events := oracle.Between(p.world, "", start, start.Add(span))
	var all []time.Time
	for range n {
		at := start.Add(time.Duration(p.rand.Int64N(int64(span))))
		if len(events) > 0 && p.rand.IntN(2) == 0 {
			at = events[p.rand.IntN(len(events))].At.Add(-time.Duration(p.rand.Int64N(int64(200 * time.Millisecond))))
		}
		all = append(all, at)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func (p *play) latency() lobstrtest.Latency {
	ranges := []lobstrtest.Latency{
		{Min: time.Microsecond, Max: 2 * time.Millisecond},
		{Min: 20 * time.Millisecond, Max: 180 * time.Millisecond},
		{Min: time.Second, Max: 10 * time.Minute},
	}
	return ranges[p.rand.IntN(len(ranges))]
}

// snapshot runs one job: all accounts, or some by name.
func (p *play) snapshot(ctx context.Context) error {
	p.server.ResetRequests()
	all := p.rand.IntN(3) > 0
	scope := store.ScopeNamed
	if all {
		scope = store.ScopeAll
	}
	run, err := p.store.Begin(ctx, p.workspace, scope)
	if err != nil {
		return err
	}
	p.runs++
	w := &witness{RunWriter: run, play: p}
	var outcome store.Outcome
	if all {
		outcome, err = p.client.SnapshotAll(ctx, w, nil)
	} else {
		outcome, err = p.client.SnapshotNamed(ctx, w, slices.Values(p.names()), nil)
	}
	if _, stranger := errors.AsType[*fetcher.WorkspaceError](err); err != nil && !stranger {
		return err
	}
	return run.Finish(ctx, outcome)
}

// names are some accounts: of those that exist, that are gone, and one that
// never was.
func (p *play) names() []string {
	ids := p.world.Accounts(p.world.Clock().Now())
	for _, l := range p.looks {
		ids = append(ids, l.account)
	}
	ids = append(ids, lobstrtest.ID("nobody"))
	p.rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	ids = ids[:1+p.rand.IntN(len(ids))]
	slices.Sort(ids)
	return slices.Compact(ids)
}

// witness notes what the store was given.
type witness struct {
	store.RunWriter
	play  *play
	pages int
	shown map[string]bool
}

// AppendAll is for fetcher.Recorder.
func (w *witness) AppendAll(ctx context.Context, responses []store.Response) (sum store.Appended, err error) {
	for _, r := range responses {
		done, err := w.append(ctx, r)
		if err != nil {
			return sum, err
		}
		sum.Add(done)
	}
	return sum, nil
}

func (w *witness) append(ctx context.Context, r store.Response) (store.Appended, error) {
	looks, err := w.looks(r)
	if err != nil {
		return store.Appended{}, err
	}
	done, err := w.RunWriter.Append(ctx, r)
	if err != nil {
		return done, err
	}
	if done.Captured()+done.Gone+done.StillGone != len(looks) {
		return done, fmt.Errorf("%d accounts told of, but %+v", len(looks), done)
	}
	p := w.play
	p.last = max(p.last+1, ceilMS(r.Received)) // no two responses have one instant
	for i := range r.Accounts {
		r.Accounts[i].Raw = slices.Clone(r.Accounts[i].Raw)
	}
	p.responses = append(p.responses, toldResponse{r, p.runs, p.last})
	for i := range looks {
		looks[i].received = p.last
	}
	p.looks = append(p.looks, looks...)
	return done, nil
}

// looks are those that the response brings. An account that a list shows again
// is none, nor is a 404 for an account never seen.
func (w *witness) looks(r store.Response) (looks []look, err error) {
	if w.shown == nil {
		w.shown = map[string]bool{}
	}
	ids, base := append([]string(nil), r.Absent...), look{view: lobstrtest.DetailView, sent: r.Sent.UnixMilli()}
	if r.Source == store.List {
		w.pages++
		base.view = lobstrtest.ListView
	}
	raw := map[string]string{}
	for _, o := range r.Accounts {
		ids, raw[o.ID] = append(ids, o.ID), string(o.Raw)
	}
	for _, id := range ids {
		l := base
		if l.account, l.at, err = id, w.evaluated(l.view, id), nil; l.at.IsZero() {
			return nil, fmt.Errorf("no request told of %s", id)
		}
		object, there := w.play.world.StateAt(id, l.view, l.at)
		if string(object) != raw[id] || there != (raw[id] != "") {
			return nil, fmt.Errorf("%s was shown as %s instead of %s", id, raw[id], object)
		}
		if there {
			if err := json.Unmarshal(object, &l.doc); err != nil {
				return nil, err
			}
		}
		again := l.view == lobstrtest.ListView && w.shown[id]
		if w.shown[id] = w.shown[id] || l.view == lobstrtest.ListView; !again && (there || w.play.known(id)) {
			looks = append(looks, l)
		}
	}
	return looks, nil
}

func (p *play) known(id string) bool {
	return slices.ContainsFunc(p.looks, func(l look) bool { return l.account == id })
}

// evaluated is when the API worked out the answer that told of the account.
func (w *witness) evaluated(view lobstrtest.View, id string) time.Time {
	for _, r := range w.play.server.Requests() {
		if view == lobstrtest.ListView && r.Route == lobstrtest.List && r.Page == w.pages ||
			view == lobstrtest.DetailView && r.Account == id {
			return r.At
		}
	}
	return time.Time{}
}
