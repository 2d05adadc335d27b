package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// slow are the faults that hang or flood for real; the fetcher's tests have them.
var slow = []string{"hang", "hang-within", "huge-body", "gzip-bomb"}

// madeUp is an account that a fault shows and the world does not have.
const madeUp = "d3e97f2cd33658f301bdbe807402ab30"

func is404(f lobstrtest.Fault) bool {
	return f.Name == "not-found" || strings.Contains(f.Name, "404")
}

// lane is a workspace with a fake API in front of it.
type lane struct {
	world     *lobstrtest.World
	server    *lobstrtest.Server
	client    *fetcher.Client
	store     *sqlite.Store
	workspace string
}

func newLane(t *testing.T, a *arena, workspace string, world *lobstrtest.World) *lane {
	t.Helper()
	l := &lane{world: world, store: a.store, workspace: workspace}
	a.now = world.Clock().Now
	var err error
	if l.server, err = lobstrtest.Listen(world); err != nil {
		t.Fatal(err)
	}
	l.server.SetRateLimit(plenty)
	l.connect(t)
	return l
}

// connect makes another client, one that owes the API no wait.
func (l *lane) connect(t *testing.T) {
	t.Helper()
	if l.client != nil {
		l.client.CloseIdleConnections()
	}
	none := 0
	var err error
	l.client, err = fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, BaseURL: l.server.URL, UserAgent: "test", Now: l.world.Clock().Now, Retries: &none,
		Transport: l.server.Transport(), MaxBodyBytes: 1 << 20, MaxWait: time.Millisecond, Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (l *lane) close() {
	l.client.CloseIdleConnections()
	l.server.Close()
}

// snapshot runs one job, of some accounts or (none named) of all.
func (l *lane) snapshot(ctx context.Context, named ...string) (store.Run, error) {
	run, err := l.store.Begin(ctx, l.workspace, store.ScopeAll)
	if err != nil {
		return store.Run{}, err
	}
	var outcome store.Outcome
	if len(named) > 0 {
		outcome, err = l.client.SnapshotNamed(ctx, run, slices.Values(named), nil)
	} else {
		outcome, err = l.client.SnapshotAll(ctx, run, nil)
	}
	if _, stranger := errors.AsType[*fetcher.WorkspaceError](err); err != nil && !stranger && !errors.Is(err, fetcher.ErrKeyRefused) {
		return store.Run{}, err
	}
	if err := run.Finish(ctx, outcome); err != nil {
		return store.Run{}, err
	}
	return l.store.Run(ctx, l.workspace, run.ID())
}

// absent are the accounts that the store takes for gone or unlisted.
func (l *lane) absent(ctx context.Context) (gone, unlisted []string, err error) {
	for a, err := range l.store.Accounts(ctx, store.AccountQuery{Workspace: l.workspace}) {
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(l.world.Accounts(start), a.ID) {
			continue // made up by a fault
		}
		if a.Facts.Health == store.Gone {
			gone = append(gone, a.ID)
		}
		if !a.UnlistedSince.IsZero() {
			unlisted = append(unlisted, a.ID)
		}
	}
	return gone, unlisted, nil
}

// quietWorld has accounts that nothing happens to.
func quietWorld(accounts int) *lobstrtest.World {
	return oracle.RandomWorld(1, oracle.RandomOptions{Accounts: accounts, Events: -1})
}

// TestFaultsMakeNobodyGone injects each fault into a batch of accounts that are
// all there, and into their details: none of them is gone or unlisted for it, not even
// when the API says 404 of that very account, for the list shows it; and when it is over,
// all is well.
func TestFaultsMakeNobodyGone(t *testing.T) {
	arena := newArena(t)
	for i, fault := range lobstrtest.AllFaults() {
		if slices.Contains(slow, fault.Name) || i%fewer(1, 3) != 0 {
			continue
		}
		l := newLane(t, arena, fmt.Sprint("fault ", i, " ", fault.Name), quietWorld(7))
		l.server.SetPageLimits(3, 3)
		if err := l.suffer(t, fault); err != nil {
			t.Errorf("%s: %v", fault.Name, err)
		}
		l.close()
	}
	scanFiles(t, arena.store.Path(), lobstrtest.SecretValue)
	scanFiles(t, arena.store.Path(), lobstrtest.DefaultToken)
}

func (l *lane) suffer(t *testing.T, fault lobstrtest.Fault) error {
	ctx, all := t.Context(), l.world.Accounts(start)
	if first, err := l.snapshot(ctx); err != nil || first.State != store.Complete || first.Captured() != 7 {
		return fmt.Errorf("the first batch: %+v, %v", first, err)
	}
	routes := []lobstrtest.Route{lobstrtest.List, lobstrtest.Detail}
	for _, route := range routes {
		if len(fault.On) > 0 && !slices.Contains(fault.On, route) {
			continue
		}
		l.server.Inject(fault, lobstrtest.When{Route: route})
		named := all[:3]
		if route == lobstrtest.List {
			named = nil
		}
		run, err := l.snapshot(ctx, named...)
		if err != nil {
			return fmt.Errorf("with the fault in %s: %w", route, err)
		}
		l.server.ClearFaults()
		l.connect(t)
		if fault.Expect.ListIncomplete && route == lobstrtest.List && run.State == store.Complete {
			t.Errorf("%s: the list was taken for whole", fault.Name)
		}
		gone, unlisted, err := l.absent(ctx)
		if err != nil {
			return err
		}
		if len(gone)+len(unlisted) > 0 {
			t.Errorf("%s in %s: gone %v, unlisted %v (%+v)", fault.Name, route, gone, unlisted, run)
		}
	}
	last, err := l.snapshot(ctx)
	if err != nil || last.State != store.Complete || last.Captured() != 7 {
		return fmt.Errorf("when it was over: %+v, %w", last, err)
	}
	gone, unlisted, err := l.absent(ctx)
	if len(gone)+len(unlisted) > 0 {
		return fmt.Errorf("when it was over: gone %v, unlisted %v", gone, unlisted)
	}
	return err
}

// TestNobodyIsGoneWhoIsThere runs batches through random faults over worlds in
// which accounts come and go: who is told to be gone was truly deleted.
func TestNobodyIsGoneWhoIsThere(t *testing.T) {
	arena, faults := newArena(t), lobstrtest.AllFaults()
	faults = slices.DeleteFunc(faults, func(f lobstrtest.Fault) bool {
		return slices.Contains(slow, f.Name) || is404(f)
	})
	for seed := range uint64(fewer(20, 6)) {
		r := rand.New(rand.NewPCG(seed, 0xfa017))
		l := newLane(t, arena, fmt.Sprint("random ", seed), oracle.RandomWorld(seed, oracle.RandomOptions{
			Accounts: 8, Events: 40, Span: 30 * time.Hour, Kinds: []string{"create", "delete", "restore", "expire"},
		}))
		l.server.SetPageLimits(3, 3)
		for range 10 {
			clock := l.world.Clock()
			clock.Advance(3 * time.Hour)
			l.connect(t)
			l.server.ClearFaults()
			for range r.IntN(3) {
				l.server.Inject(faults[r.IntN(len(faults))], lobstrtest.When{Skip: r.IntN(4), Times: 1 + r.IntN(2)})
			}
			if _, err := l.snapshot(t.Context()); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for c, err := range l.store.Changes(t.Context(), store.ChangeQuery{Workspace: l.workspace, Kinds: []store.Kind{store.WentGone}}) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Account == madeUp {
				continue
			}
			truths := oracle.Between(l.world, c.Account, c.Window.After, c.Window.Before)
			if !slices.ContainsFunc(truths, func(t oracle.Truth) bool { return t.Kind == oracle.Gone }) {
				t.Errorf("seed %d: %s was not deleted in %v", seed, c.Account, c.Window)
			}
		}
		l.close()
	}
}

// scanFiles looks for a secret in all files of a store.
func scanFiles(t *testing.T, path, secret string) {
	t.Helper()
	entries, err := filepath.Glob(path + "*")
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, name := range entries {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), secret) {
			t.Errorf("%s holds the secret %s", filepath.Base(name), secret)
		}
	}
}
