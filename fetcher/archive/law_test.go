package archive_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
	"github.com/lobstrail/lobstrail/store"
)

var oneSeed = flag.Uint64("seed", 0, "play this world only")

// seeds are those to play.
func seeds(n uint64) (all []uint64) {
	if *oneSeed != 0 {
		return []uint64{*oneSeed}
	}
	if testing.Short() {
		n = n/4 + 1
	}
	for seed := range n {
		all = append(all, seed+1)
	}
	return all
}

// past is a random world that was looked at now and then.
type past struct {
	saver
	world *lobstrtest.World
	looks []time.Time
}

func newPast(seed uint64, unit time.Duration) *past {
	p := &past{saver: saver{rand.New(rand.NewPCG(seed, 0xa7c))}}
	p.world = oracle.RandomWorld(seed, oracle.RandomOptions{
		Accounts: 1 + p.IntN(8), Events: 60, Start: start, Load: p.Float64(), LockForm: lobstrtest.LockForm(p.IntN(2)),
	})
	for range 8 {
		at := start.Add(time.Duration(p.Int64N(int64(14 * 24 * time.Hour)))).Truncate(unit)
		p.looks = append(p.looks, at, at.Add(time.Duration(1+p.IntN(3))*unit)) // two close together
	}
	slices.SortFunc(p.looks, time.Time.Compare)
	p.looks = slices.Compact(p.looks)
	return p
}

// shown are the objects that the list shows at the instant.
func (p *past) shown(at time.Time) (objects []json.RawMessage) {
	for _, id := range p.world.Accounts(at) {
		if object, ok := p.world.StateAt(id, lobstrtest.ListView, at); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// fetchInto appends pages of objects as a list that was fetched at the instant.
func fetchInto(t testing.TB, s store.Store, at time.Time, pages ...[]json.RawMessage) {
	t.Helper()
	run := begin(t, s, store.ScopeAll)
	for i, page := range pages {
		response := store.Response{Source: store.List, Page: i + 1, Sent: at, Received: at}
		for _, raw := range page {
			var account struct{ ID string }
			if err := json.Unmarshal(raw, &account); err != nil {
				t.Fatal(err)
			}
			response.Accounts = append(response.Accounts, store.Observed{ID: account.ID, Raw: raw})
		}
		if _, err := run.Append(t.Context(), response); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
}

// pages cuts the objects into one or two pages.
func (p *past) pages(objects []json.RawMessage) [][]json.RawMessage {
	if len(objects) > 1 && p.IntN(2) == 0 {
		cut := 1 + p.IntN(len(objects)-1)
		return [][]json.RawMessage{objects[:cut], objects[cut:]}
	}
	return [][]json.RawMessage{objects}
}

// save writes each page to a file that tells the instant by its name or time.
func (p *past) save(t testing.TB, dir string, n int, at time.Time, pages [][]json.RawMessage) {
	t.Helper()
	names := []string{
		at.Format("2006-01-02T15:04:05.000Z07:00"), at.In(time.FixedZone("", 7200)).Format("20060102_150405.000-0700"),
		fmt.Sprint(at.UnixMilli()), fmt.Sprintf("saved-%d", n),
	}
	name := names[p.IntN(len(names))]
	for i, page := range pages {
		body, suffix := p.file(t, page)
		path := filepath.Join(dir, fmt.Sprintf("%s_%d%s", name, i, suffix))
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		modified := at
		if !strings.HasPrefix(name, "saved") {
			modified = today // means nothing
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
}

// TestImportedAsIfFetched: saved answers give the same history, row by row, as the
// same payloads that are fetched live.
func TestImportedAsIfFetched(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(8) {
		p, dir := newPast(seed, time.Millisecond), t.TempDir()
		live, later := openStore(t), openStore(t)
		for i, at := range p.looks {
			objects := p.shown(at)
			pages := p.pages(objects)
			fetchInto(t, live, at, pages...)
			p.save(t, dir, i, at, pages)
		}
		items, _, err := archive.Files([]string{dir}, nil, archive.Dating{Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		done := importInto(t, later, sequence(items...), archive.Options{})
		if !sameHistory(t, live, later) || done.outcome.State != store.Complete || done.Items != len(items) {
			t.Fatalf("seed %d (go test -seed %d): %+v", seed, seed, done)
		}
		if got := dump(t, later, sources); !strings.HasPrefix(got, "import ") || strings.Count(got, "\n") != 1 {
			t.Fatalf("seed %d: sources\n%s", seed, got)
		}
		// Again: there is nothing to do.
		before := dump(t, later, natural...)
		again := importInto(t, later, sequence(items...), archive.Options{})
		if after := dump(t, later, natural...); after != before || again.run.Captured() != 0 || again.outcome.State != store.Complete {
			t.Fatalf("seed %d: again: %+v", seed, again)
		}
	}
}

// TestAHistoryInGitAsIfFetched is the same of a file that was committed.
func TestAHistoryInGitAsIfFetched(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(3) {
		p := newPast(1000+seed, time.Second)
		live, later := openStore(t), openStore(t)
		r := newRepo(t)
		last := ""
		for _, at := range p.looks {
			objects := p.shown(at)
			body := " " + string(p.page(objects))
			if r.commit(at, map[string]string{"data/accounts.json": body, "README": at.String()}); body != last {
				fetchInto(t, live, at, objects)
			}
			last = body
		}
		r.write()
		history := r.find(t, "data/accounts.json", "")
		done := importInto(t, later, archive.Git(t.Context(), history), archive.Options{})
		if !sameHistory(t, live, later) || done.outcome.State != store.Complete {
			t.Fatalf("seed %d (go test -seed %d): %+v", seed, seed, done)
		}
		count, err := history.Count(t.Context())
		if err != nil || done.Items != count || done.Origins[archive.Commit] != count {
			t.Fatalf("seed %d: %d commits, %v, %+v", seed, count, err, done)
		}
	}
}
