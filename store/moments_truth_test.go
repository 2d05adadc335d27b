package store_test

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

// knownOf is what had been told of an account by a moment: each field as it was told last
// since the account appeared or returned. doc is nil of one that is gone.
type knownOf struct {
	doc      map[string]json.RawMessage
	fields   map[string]json.RawMessage
	received int64 // of the last look
	resets   int64 // when resets_in was told last
	outdated bool  // the status: another status_code_info was told since, without a status
}

func (m *moments) known(at time.Time) map[string]*knownOf {
	all := map[string]*knownOf{}
	for _, l := range m.play.looks {
		if l.received > at.UnixMilli() {
			continue
		}
		k := all[l.account]
		if k == nil || k.doc == nil {
			k = &knownOf{fields: map[string]json.RawMessage{}}
			all[l.account] = k
		}
		info, had := k.fields["status_code_info"]
		k.outdated = l.doc["status"] == nil && (k.outdated || had && string(info) != string(l.doc["status_code_info"]))
		k.doc, k.received = l.doc, l.received
		maps.Copy(k.fields, l.doc)
		if l.doc["resets_in"] != nil {
			k.resets = l.received
		}
	}
	return all
}

func (k *knownOf) text(field string) string {
	if k == nil || k.doc == nil {
		return ""
	}
	if field == "status" && k.outdated {
		return ""
	}
	text := strings.Trim(string(k.fields[field]), `"`)
	return strings.Replace(text, "null", "", 1)
}

// health is written down anew from the words of the design.
func (k *knownOf) health() store.Health {
	switch status, info := k.text("status"), k.text("status_code_info"); {
	case k.doc == nil:
		return store.Gone
	case status == "401" || status == "429" || info == "cookies_expired":
		return store.Expired
	case status == "" && info == "synchronized":
		return store.Healthy
	case status == "" || len(status) == 3 && status[0] == '1':
		return store.Unknown
	case status != "200":
		return store.Failing
	case k.locked():
		return store.Locked
	}
	return store.Healthy
}

func (k *knownOf) locked() bool {
	var seconds int64
	if text := k.text("lock_time"); text != "" {
		until, err := time.Parse(time.RFC3339, text)
		if fmt.Sscan(text, &seconds); err != nil {
			until = time.Unix(seconds, 0)
		}
		return until.UnixMilli() > k.received
	}
	fmt.Sscan(k.text("resets_in"), &seconds)
	return k.resets+seconds*1000 > k.received
}

// squids are the names by id that the account's own document had last.
func (k *knownOf) squids() map[string]string {
	if k == nil || k.doc == nil {
		return map[string]string{}
	}
	squids, _ := store.ParseSquids(k.fields["squids"])
	names := map[string]string{}
	for _, s := range squids {
		names[s.ID] = s.Name
	}
	return names
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

// wholeFields are fields of which differences can be told apart by their values.
var wholeFields = []string{"username", "status", "status_code_info", "status_code_description", "primary_color"}

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

// differences are those between what was known of an account at two moments.
func differences(a, b *knownOf) (lines []string) {
	switch {
	case a == nil && b.doc == nil:
		return []string{"gone gone"}
	case a == nil:
		return []string{fmt.Sprintf("appeared %s", b.health())}
	case a.doc == nil && b.doc == nil:
		return nil
	case a.doc == nil:
		return []string{fmt.Sprintf("returned %s", b.health())}
	case b.doc == nil:
		return []string{"gone gone"}
	}
	for _, field := range wholeFields {
		x, y := a.fields[field], b.fields[field]
		if x == nil || y == nil || plain(x) == plain(y) {
			continue
		}
		health := ""
		if strings.HasPrefix(field, "status") {
			health = string(b.health())
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", field, plain(x), plain(y), health))
	}
	old, new := a.squids(), b.squids()
	for id, name := range old {
		switch now, still := new[id]; {
		case !still:
			lines = append(lines, fmt.Sprintf("squid_unassigned %s %q ", id, name))
		case now != name:
			lines = append(lines, fmt.Sprintf("squid_renamed %s %q %q", id, name, now))
		}
	}
	for id, name := range new {
		if _, had := old[id]; !had {
			lines = append(lines, fmt.Sprintf("squid_assigned %s  %q", id, name))
		}
	}
	slices.Sort(lines)
	return lines
}

// composed holds the net of an account that was there all the time to its changes: of each
// path, the first old and the last new value.
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
	if slices.ContainsFunc(changes, func(c store.AccountChange) bool { return c.Path == "" }) {
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
	var run *store.RunWriter
	last, finish := 0, func() {
		if run != nil {
			if err := run.Finish(m.Context(), store.Outcome{State: store.Complete}); err != nil {
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
	text += texts(collect(m.T, s.Assignments(ctx, store.AssignmentQuery{Workspace: workspace, At: at, Open: at.IsZero()})))
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
	return run.Finish(ctx, store.Outcome{State: store.Complete})
}
