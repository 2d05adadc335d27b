package sqlite_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// TestMomentsOfRandomHistories plays random histories in which lists, details and, between
// them, the reduced accounts of the vendor's CLI tell of locks, counters, renamings,
// deletions and returns, and holds what is told as of random moments to what the fake API
// had said by then.
func TestMomentsOfRandomHistories(t *testing.T) {
	t.Parallel()
	histories, rounds := fewer(6, 3), fewer(200, 50)
	if *long {
		histories = 60
	}
	compared := 0
	for n := range uint64(histories) {
		seed := 9000 + n
		arena := newArena(t)
		p := newPlay(t, arena, seed)
		p.rounds, p.reduced = rounds, true
		err := p.run(t.Context())
		p.close()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		m := moments{T: t, play: p, seed: seed}
		var all []time.Time
		for range fewer(20, 8) {
			at := time.UnixMilli(p.looks[p.rand.IntN(len(p.looks))].received + p.rand.Int64N(3) - 1).UTC()
			m.check(at)
			all = append(all, at)
		}
		m.check(time.UnixMilli(p.last).UTC())
		for range fewer(40, 16) {
			a, b := all[p.rand.IntN(len(all))], all[p.rand.IntN(len(all))]
			if b.Before(a) {
				a, b = b, a
			}
			compared += m.compare(a, b)
		}
		m.truncate(all[p.rand.IntN(len(all))])
	}
	if compared < 20 {
		t.Errorf("no more than %d differences were compared", compared)
	}
}

// moments holds the answers about one history to what was told in it.
type moments struct {
	*testing.T
	play *play
	seed uint64
}

// check compares the accounts and their documents at a moment with what had been told.
func (m *moments) check(at time.Time) {
	m.Helper()
	known, p := m.known(at), m.play
	got := map[string]string{}
	for _, a := range collect(m.T, p.store.Accounts(m.Context(), store.AccountQuery{Workspace: p.workspace, At: at})) {
		names := map[string]string{}
		for _, s := range a.Facts.Squids {
			names[s.ID] = s.Name
		}
		got[a.ID] = fmt.Sprintf("%s %q %q %v %d", a.Facts.Health, a.Facts.Status, a.Facts.Info, names, a.SeenAt.UnixMilli())
		if a.Facts.Health != store.Gone {
			got[a.ID] += " " + a.Facts.Username
		}
		doc, err := p.store.Document(m.Context(), store.AccountQuery{Workspace: p.workspace, Account: a.ID, At: at}, true)
		if err != nil {
			m.Fatal(err)
		}
		if k := known[a.ID]; k != nil && (k.doc == nil) != (doc == nil) || k != nil && doc != nil && !sameObject(m.T, doc, k.doc) {
			m.Errorf("seed %d at %s: %s has the document\n%s\ninstead of\n%s", m.seed, at, a.ID, doc, k.doc)
		}
	}
	want := map[string]string{}
	for id, k := range known {
		want[id] = fmt.Sprintf("%s %q %q %v %d", k.health(), k.text("status"), k.text("status_code_info"), k.squids(), k.received)
		if k.doc != nil {
			want[id] += " " + k.text("username")
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		m.Fatalf("seed %d at %s: %s", m.seed, at, diff)
	}
}

func sameObject(t *testing.T, doc json.RawMessage, want map[string]json.RawMessage) bool {
	t.Helper()
	var got map[string]json.RawMessage
	if err := json.Unmarshal(doc, &got); err != nil {
		t.Fatal(err)
	}
	return maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return sameValue(a, b) })
}

func sameValue(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && gocmp.Equal(x, y)
}

// compare holds the differences between two moments to what had been told by each, and to
// the net of the changes in between. It returns how many there were.
func (m *moments) compare(a, b time.Time) int {
	m.Helper()
	p, before, after := m.play, m.known(a), m.known(b)
	net := map[string][]string{}
	for _, pair := range collect(m.T, p.store.Pairs(m.Context(), p.workspace, "", a, b)) {
		changes, err := report.Net(pair)
		if err != nil {
			m.Fatal(err)
		}
		m.composed(pair, changes, a, b)
		for _, c := range changes {
			field := strings.TrimPrefix(c.Path, "/")
			if k := before[c.Account]; k != nil && k.doc != nil && k.fields[field] == nil && slices.Contains(wholeFields, field) {
				continue // it became known in between, and changed since
			}
			if line := m.line(c.Change); line != "" {
				net[c.Account] = append(net[c.Account], line)
			}
			if !c.Window.Before.After(a) || c.Window.Before.After(b) {
				m.Errorf("seed %d: %s was noticed at %s, not between %s and %s", m.seed, c.Path, c.Window.Before, a, b)
			}
		}
		slices.Sort(net[pair.Account])
	}
	n := 0
	for id := range after {
		want := differences(before[id], after[id])
		if n += len(want); strings.Join(want, "\n") != strings.Join(net[id], "\n") {
			m.Errorf("seed %d: %s differs between %s and %s in\n%s\nwant\n%s", m.seed, id, a, b, strings.Join(net[id], "\n"), strings.Join(want, "\n"))
		}
	}
	return n
}

// line is a change of those that differences knows; "" for others.
func (m *moments) line(c store.Change) string {
	switch field := strings.TrimPrefix(c.Path, "/"); {
	case c.Path == "":
		return fmt.Sprintf("%s %s", c.Kind, c.HealthAfter)
	case strings.HasPrefix(string(c.Kind), "squid_"):
		return fmt.Sprintf("%s %s %s %s", c.Kind, strings.TrimPrefix(field, "squids/"), c.Old, c.New)
	case c.Kind != store.SchemaChanged && slices.Contains(wholeFields, field):
		return fmt.Sprintf("%s %s %s %s", field, plain(c.Old), plain(c.New), c.HealthAfter)
	}
	return ""
}

func plain(raw json.RawMessage) string { return strings.Trim(string(raw), `"`) }

// composed holds the net of an account to its changes, where these tell all: of each path,
// the first old and the last new value.
func (m *moments) composed(pair store.Pair, net []store.AccountChange, a, b time.Time) {
	m.Helper()
	byPath := func(changes []store.AccountChange) map[string]string {
		ends := map[string][2]string{}
		for _, c := range changes {
			if c.Kind == store.SchemaChanged {
				continue
			}
			old, new := cmp.Or(plain(c.Old), "null"), cmp.Or(plain(c.New), "null")
			if had, again := ends[c.Path]; again {
				old = had[0]
			}
			ends[c.Path] = [2]string{old, new}
		}
		differ := map[string]string{}
		for path, end := range ends {
			if end[0] != end[1] {
				differ[path] = end[0] + " -> " + end[1]
			}
		}
		return differ
	}
	changes := slices.Concat(pair.Steps...)
	if pair.NeedsStates() || slices.ContainsFunc(changes, func(c store.AccountChange) bool { return c.Path == "" }) {
		return
	}
	if diff := gocmp.Diff(byPath(changes), byPath(net)); diff != "" {
		m.Errorf("seed %d: %s between %s and %s: %s", m.seed, pair.Account, a, b, diff)
	}
}

// truncate plays what had been received by a moment into another workspace, and holds what is
// told as of the moment to what is told there now.
func (m *moments) truncate(at time.Time) {
	m.Helper()
	p, copied := m.play, m.play.workspace+" cut"
	var run store.RunWriter
	last, finish := 0, func() {
		if run != nil {
			if err := finishRun(m.Context(), run, 0); err != nil {
				m.Fatal(err)
			}
		}
	}
	for _, r := range p.responses {
		if r.received > at.UnixMilli() {
			break
		}
		if r.run != last {
			finish()
			var err error
			if run, err = p.store.Begin(m.Context(), copied, store.ScopeAll); err != nil {
				m.Fatal(err)
			}
			last = r.run
		}
		if _, err := run.Append(m.Context(), r.Response); err != nil {
			m.Fatal(err)
		}
	}
	finish()
	if then, now := m.told(p.workspace, at), m.told(copied, time.Time{}); then != now {
		m.Errorf("seed %d: as of %s: %s", m.seed, at, gocmp.Diff(now, then))
	}
}

// told is what readers tell of a workspace as of a moment, apart from the numbers of runs and
// from absences, which are no part of responses.
func (m *moments) told(workspace string, at time.Time) string {
	m.Helper()
	ctx, s, text := m.Context(), m.play.store, ""
	for _, a := range collect(m.T, s.Accounts(ctx, store.AccountQuery{Workspace: workspace, At: at})) {
		a.Workspace, a.UnlistedSince = "", time.Time{}
		text += fmt.Sprintf("%+v\n", a)
	}
	for _, c := range collect(m.T, s.Changes(ctx, store.ChangeQuery{Workspace: workspace, Until: at})) {
		text += fmt.Sprintf("%s %s %s %s %s %s %v\n", c.Account, c.Username, c.Kind, c.Path, c.Old, c.New, c.Window)
	}
	sorted := store.AssignmentQuery{At: time.Unix(1, 0)}
	text += texts(sorted, collect(m.T, s.Assignments(ctx, store.AssignmentQuery{Workspace: workspace, At: at, Open: at.IsZero()})))
	return text + fmt.Sprintln(collect(m.T, s.Squids(ctx, workspace, at)))
}

// toldResponse is a response as the store was given it, in a run.
type toldResponse struct {
	store.Response
	run      int
	received int64
}

// importReduced lets the vendor's CLI tell of some accounts that exist.
func (p *play) importReduced(ctx context.Context) error {
	now := p.world.Clock().Now()
	received := time.UnixMilli(max(ceilMS(now), p.last+1)).UTC()
	r := store.Response{Source: store.Import, Sent: received, Received: received, Requests: 1}
	for _, id := range p.world.Accounts(now) {
		raw, there := p.world.StateAt(id, lobstrtest.CLIView, now)
		if !there || p.rand.IntN(2) == 0 {
			continue
		}
		l := look{account: id, at: now, sent: received.UnixMilli(), received: received.UnixMilli()}
		if err := json.Unmarshal(raw, &l.doc); err != nil {
			return err
		}
		p.looks, r.Accounts = append(p.looks, l), append(r.Accounts, store.Observed{ID: id, Raw: raw})
	}
	run, err := p.store.Begin(ctx, p.workspace, store.ScopeImport)
	if err != nil {
		return err
	}
	p.runs++
	p.last = received.UnixMilli()
	p.responses = append(p.responses, toldResponse{r, p.runs, p.last})
	if done, err := run.Append(ctx, r); err != nil || done.Captured() != len(r.Accounts) {
		return fmt.Errorf("%d reduced accounts: %+v, %v", len(r.Accounts), done, err)
	}
	return finishRun(ctx, run, 0)
}
