package fold_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
)

var long = flag.Bool("long", false, "play thousands of random histories")

// history is a random history, and the rows that it leaves.
type history struct {
	*rand.Rand
	t         *testing.T
	w         *fold.Workspace
	deltas    []*fold.Delta
	responses []fold.Response
	accounts  []*fold.Account
	stays     []fold.Stay
	facts     []fold.Fact
	usage     []fold.Usage
	absences  []fold.Absence
	shown     []map[string][]byte        // by each response: the document of each account, nil: gone
	calm      map[string]json.RawMessage // objects that sources show again most of the time; nil: all are new
}

func newWorkspace() *fold.Workspace {
	return &fold.Workspace{
		Rules: report.Rules(), Accounts: map[string]*fold.Account{}, Squids: map[string]int64{}, Pages: map[fold.Slot]*fold.Page{}, NextAccount: 1,
	}
}

func idOf(n int) string { return fmt.Sprintf("%032x", n+1) }

// object is a random account object, of few values. In a calm history it mostly is that of
// before.
func (h *history) object(n int, source store.Source) json.RawMessage {
	if h.calm == nil {
		return h.newObject(n, source)
	}
	key := fmt.Sprint(n, source == store.List) // an import may say what the API said
	if h.calm[key] == nil || h.IntN(8) == 0 {
		h.calm[key] = h.newObject(n, source)
	}
	return h.calm[key]
}

func (h *history) newObject(n int, source store.Source) json.RawMessage {
	o := map[string]any{
		"id": idOf(n), "username": fmt.Sprint("u", n, h.IntN(8)/7), "status": []string{"200", "401", "500"}[h.IntN(12)/5],
		"status_code_info": []string{"synchronized", "cookies_expired"}[h.IntN(12)/10],
		"params":           map[string]any{"user": map[string]any{"p": map[string]any{"value": h.IntN(3), "max": 5 + h.IntN(9)/8}}},
		"squids":           []any{},
	}
	for squid := range 2 {
		if h.IntN(2) == 0 {
			o["squids"] = append(o["squids"].([]any), map[string]any{"hash_value": idOf(100 + squid), "name": fmt.Sprint("S", h.IntN(9)/8)})
		}
	}
	if h.IntN(3) == 0 {
		o["x"] = map[string]any{"a": h.IntN(2), "b~/": h.IntN(2)}
	}
	if h.IntN(4) == 0 { // it ends in the middle of the history, or was over before
		o["lock_time"] = time.UnixMilli(1767592800000).Add(time.Duration(h.IntN(12)) * time.Hour).UTC().Format(time.RFC3339)
	}
	switch {
	case source == store.List:
		o["resets_in"] = []any{nil, 90, 3600}[h.IntN(8)/3]
	case source == store.Import && h.IntN(2) == 0: // as the vendor's command prints it
		delete(o, "status")
		delete(o, "params")
	}
	raw, err := json.Marshal(o)
	if err != nil {
		h.t.Fatal(err)
	}
	return raw
}

// response is a random one: a page of the list, one account, or an import.
func (h *history) response() store.Response {
	r := store.Response{Source: []store.Source{store.List, store.List, store.Detail, store.Import}[h.IntN(4)]}
	switch n := h.IntN(6); {
	case r.Source == store.Detail && h.IntN(4) == 0:
		r.Absent = []string{idOf(n)}
	case r.Source == store.Detail:
		r.Accounts = []store.Observed{{ID: idOf(n), Raw: h.object(n, r.Source)}}
	default:
		r.Page = 1 + h.IntN(2)
		for n := range 6 {
			if h.IntN(6) > 0 && n%2 == r.Page%2 || h.IntN(9) == 0 {
				r.Accounts = append(r.Accounts, store.Observed{ID: idOf(n), Raw: h.object(n, r.Source)})
			}
		}
	}
	return r
}

// answer takes a response apart as an engine does.
func (h *history) answer(r store.Response, received int64) fold.Answer {
	slot := h.w.SlotOf(&r)
	a := fold.Answer{Response: fold.Response{At: h.w.At(received), Source: r.Source, Slot: slot.Number, Sent: received - 1}, Received: received}
	for _, id := range r.Absent {
		a.Shown = append(a.Shown, fold.Shown{ID: id, Known: h.w.Accounts[id], Absent: true})
	}
	for _, o := range r.Accounts {
		parts, err := document.Split(o.Raw)
		if err != nil {
			h.t.Fatal(err)
		}
		shown := fold.Shown{ID: o.ID, Endpoint: fold.EndpointOf(store.ShapeOf(r.Source, parts.Body)), Digest: o.Sum(), Parts: parts, Salt: ledger.NewSalt()}
		if shown.Known = h.w.Accounts[o.ID]; shown.Known != nil {
			if e, same := shown.Known.Same(r.Source, shown.Digest, a.At); same && e == shown.Endpoint {
				shown.Same, shown.Parts = true, document.Parts{}
			}
		}
		a.Shown = append(a.Shown, shown)
	}
	return a
}

func (h *history) take(r store.Response, received int64) *fold.Delta {
	d, err := h.w.Fold(h.answer(r, received))
	if err != nil {
		h.t.Fatal(err)
	}
	if d.Response.At-d.Response.HeldMS != received {
		h.t.Fatalf("received at %d, and stored at %d, %d ms later", received, d.Response.At, d.Response.HeldMS)
	}
	h.deltas = append(h.deltas, d)
	h.responses = append(h.responses, d.Response)
	for _, a := range d.Accounts {
		h.accounts = append(h.accounts, &fold.Account{Number: a.Number, ID: a.ID, FirstAt: a.FirstAt, Salt: a.Salt})
	}
	for _, left := range d.Left {
		i := slices.IndexFunc(h.stays, func(s fold.Stay) bool {
			return s.Account == left.Account && s.Source == left.Source && s.First == left.First
		})
		h.stays[i].Last = left.Last
	}
	for _, s := range d.Entered {
		s.Last = math.MaxInt64
		h.stays = append(h.stays, s)
	}
	h.facts, h.usage = append(h.facts, d.Facts...), append(h.usage, d.Usage...)
	for _, q := range d.Squids {
		h.w.Squids[q.ID] = q.Number
	}
	shown := map[string][]byte{}
	for _, s := range d.Shown {
		shown[s.Account.ID] = slices.Clone(s.Account.Said[s.Endpoint].Body)
	}
	h.shown = append(h.shown, shown)
	return d
}

// unlist lets a complete list lack some accounts.
func (h *history) unlist() {
	var lacking []fold.Absence
	for _, id := range slices.Sorted(maps.Keys(h.w.Accounts)) {
		a := h.w.Accounts[id]
		if !a.Gone && a.AbsentSince == 0 && h.IntN(3) == 0 {
			a.AbsentSince = h.w.LastAt
			lacking = append(lacking, fold.Absence{Account: a.Number, Since: h.w.LastAt})
		}
	}
	slices.SortFunc(lacking, func(a, b fold.Absence) int { return int(a.Account - b.Account) })
	h.absences = append(h.absences, lacking...)
}

func play(t *testing.T, seed uint64) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 0xf01d)), t: t, w: newWorkspace()}
	if seed%2 == 1 {
		h.calm = map[string]json.RawMessage{}
	}
	at := int64(1767592800000)
	for range 5 + h.IntN(40) {
		at += int64(h.IntN(2)) * int64(1+h.IntN(4_000_000))
		r := h.response()
		h.take(r, at)
		if h.IntN(5) == 0 {
			h.take(r, at+1) // the same again
		}
		if h.IntN(9) == 0 {
			h.unlist()
		}
	}
	return h
}

func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

func (h *history) evidence() fold.Evidence {
	return fold.Evidence{
		Responses: each(h.responses), Accounts: each(h.accounts), Stays: each(h.stays), Facts: each(h.facts), Usage: each(h.usage),
		Absences: each(h.absences), Erased: each[fold.Commitment](nil), Squids: maps.Clone(h.w.Squids),
	}
}

// derived is what is derived of a response, and of its evidence what a replay finds
// again.
func derived(d *fold.Delta) any {
	shown := make([]string, len(d.Shown))
	for i, s := range d.Shown {
		shown[i] = fmt.Sprint(s.Account.Number, s.Endpoint, s.Leaf)
	}
	return []any{shown, d.Response, d.Versions, d.Changes, d.Steps, d.Names, d.Assignments, d.Ended, d.Relisted, d.Entered, d.Left, d.News}
}

// histories is how many random histories are played.
func histories() uint64 {
	switch {
	case *long:
		return 5000
	case testing.Short():
		return 50
	}
	return 200
}

// TestReplayFindsTheSameAgain: the rows of a history, taken through Fold once more, give
// what they gave when they were written, and the same state in the end.
func TestReplayFindsTheSameAgain(t *testing.T) {
	t.Parallel()
	for seed := range histories() {
		h, n := play(t, seed), 0
		known, err := fold.Replay(h.evidence(), report.Rules(), func(_ fold.Response, d *fold.Delta) error {
			if diff := cmp.Diff(derived(h.deltas[n]), derived(d)); diff != "" {
				t.Fatalf("seed %d, response %d (-written +replayed):\n%s", seed, n, diff)
			}
			n++
			return nil
		})
		if err != nil || n != len(h.deltas) {
			t.Fatalf("seed %d: %v after %d of %d responses", seed, err, n, len(h.deltas))
		}
		for id, a := range h.w.Accounts {
			b := known.Accounts[id]
			for e := range a.Said { // what was received is not evidence
				a.Said[e].Digest, b.Said[e].Digest = nil, nil
			}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("seed %d: account %d (-written +replayed):\n%s", seed, a.Number, diff)
			}
		}
	}
}

// TestEvidenceIsWhatWasShown: stays say which accounts each response showed, and facts
// what they were.
func TestEvidenceIsWhatWasShown(t *testing.T) {
	t.Parallel()
	for seed := range histories() {
		h := play(t, seed)
		said := map[[2]int64][]document.Member{} // by account and endpoint
		facts := h.facts
		for i, r := range h.responses {
			for ; len(facts) > 0 && facts[0].At == r.At; facts = facts[1:] {
				key := [2]int64{facts[0].Account, int64(facts[0].Endpoint)}
				said[key] = document.Apply(said[key], []document.Member{facts[0].Member})
			}
			shown := map[string][]byte{}
			for _, s := range h.stays {
				if s.Source != r.Source || s.Slot != r.Slot || s.First > r.At || s.Last < r.At {
					continue
				}
				var body []byte
				if members := said[[2]int64{s.Account, int64(s.Endpoint)}]; len(members) > 0 {
					var err error
					if body, err = document.FromMembers(members); err != nil {
						t.Fatal(err)
					}
				}
				shown[h.accounts[s.Account-1].ID] = body
			}
			if diff := cmp.Diff(h.shown[i], shown); diff != "" {
				t.Fatalf("seed %d, response %d (-shown +rows):\n%s", seed, i, diff)
			}
		}
	}
}

// TestTheSameAgainIsNoNews: a response that shows what the one before of its page showed
// brings nothing, unless a resets_in counts down: said again, it moves the end of a lock.
func TestTheSameAgainIsNoNews(t *testing.T) {
	t.Parallel()
	quiet := 0
	for seed := range histories() {
		h := play(t, seed)
		r := h.response()
		h.take(r, h.w.LastAt+1)
		if slices.ContainsFunc(r.Accounts, func(o store.Observed) bool { return h.w.Accounts[o.ID].LockedUntil > 0 }) {
			continue
		}
		quiet++
		d := h.take(r, h.w.LastAt+1)
		if d.Response.News > 0 || len(d.Facts)+len(d.Usage)+len(d.Versions)+len(d.Changes)+len(d.Steps)+len(d.Entered)+len(d.Left) > 0 {
			t.Fatalf("seed %d: %+v", seed, d)
		}
	}
	if quiet == 0 {
		t.Error("no history without a lock")
	}
}

// TestVersionsFollowEachOther: versions are numbered without gaps, and windows end where
// they were noticed.
func TestVersionsFollowEachOther(t *testing.T) {
	t.Parallel()
	for seed := range histories() {
		h, versions := play(t, seed), map[int64]int64{}
		for _, d := range h.deltas {
			for _, v := range d.Versions {
				if versions[v.Account]++; v.Number != versions[v.Account] || v.At != d.Response.At {
					t.Fatalf("seed %d: version %+v after %d", seed, v, versions[v.Account]-1)
				}
			}
			for _, c := range d.Changes {
				if c.At != d.Response.At || c.Kind == store.Appeared && c.After != nil || c.After != nil && *c.After >= c.At {
					t.Fatalf("seed %d: change %+v at %d", seed, c, d.Response.At)
				}
			}
			for _, g := range d.Ended {
				if g.ToBefore != d.Response.At || g.ToAfter >= g.ToBefore || g.FromBefore > g.ToAfter && g.FromAfter != nil && *g.FromAfter > g.ToAfter {
					t.Fatalf("seed %d: assignment %+v ended at %d", seed, g, d.Response.At)
				}
			}
		}
	}
}
