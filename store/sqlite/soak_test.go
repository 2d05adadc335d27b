package sqlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

var soakDays = flag.Int("soak-days", 0, "how many simulated days the soak lasts; 0: one, or a year with -long")

// The soak: what cron does to a workspace of a usual size.
const (
	soakAccounts = 300
	soakEvery    = 15 * time.Minute
	soakRounds   = int(24 * time.Hour / soakEvery) // a day
)

// soak is a long life of one store: the real client asks the fake over the
// loopback every fifteen minutes, the store is opened and closed, and faults
// befall every tenth batch. A register on disk keeps what was looked at when.
type soak struct {
	*lane
	t        *testing.T
	path     string
	rand     *rand.Rand
	faults   []lobstrtest.Fault
	register *register
	faulted  int
}

// TestSoak lives through a day, or a year in the long mode, and then compares all
// that the store tells with what the fake knows to have happened. Meanwhile the
// memory and the descriptors of the process are measured.
func TestSoak(t *testing.T) {
	days := *soakDays
	switch {
	case days == 0 && *long:
		days = 365
	case days == 0:
		days = 1
	}
	began := time.Now()
	s := newSoak(t, days)
	if brief() {
		s.live(soakRounds/8, soakRounds/16)
	} else {
		s.live(days*soakRounds, max(soakRounds/8, days*soakRounds/24))
	}
	lived := time.Since(began)
	s.judge()
	t.Logf("%d days lived in %s and judged in %s", days, lived.Round(time.Second), (time.Since(began) - lived).Round(time.Second))
}

func newSoak(t *testing.T, days int) *soak {
	t.Helper()
	span := time.Duration(days) * 24 * time.Hour
	world := oracle.RandomWorld(7, oracle.RandomOptions{
		Accounts: soakAccounts - 10, Squids: 40, Events: 200 * days, Span: span, Start: start,
	})
	for i := range 10 { // some work all the time, and move their counters
		world.Add(lobstrtest.Account{Username: fmt.Sprintf("busy%d", i), Type: lobstrtest.LinkedIn, Load: 0.3})
	}
	// Played to its end now, the fake's own memory does not grow meanwhile.
	oracle.Between(world, "", start, start.Add(span))
	s := &soak{t: t, path: memoryPath(t), rand: rand.New(rand.NewPCG(7, 0x50a4)), faults: honestFaults()}
	s.lane = &lane{world: world, workspace: "default"}
	var err error
	if s.server, err = lobstrtest.Listen(world); err != nil {
		t.Fatal(err)
	}
	s.server.SetRateLimit(plenty)
	s.connect(t)
	t.Cleanup(s.close)
	s.register = newRegister(t, filepath.Join(t.TempDir(), "register"), world, s.server)
	return s
}

// honestFaults are those after which no account is shown as other than it is: a
// fault that makes the API lie would make the store true to a lie.
func honestFaults() []lobstrtest.Fault {
	return slices.DeleteFunc(lobstrtest.AllFaults(), func(f lobstrtest.Fault) bool {
		return slices.Contains(slow, f.Name) || is404(f) || f.Expect.PartKept || f.Expect.Secret != "" ||
			f.Expect.Failure == "none" && !f.Expect.ListIncomplete
	})
}

// live takes a batch every fifteen minutes, and looks at the process every so
// many of them.
func (s *soak) live(rounds, every int) {
	var measured []measure
	for round := range rounds {
		if at := start.Add(time.Duration(round+1) * soakEvery); at.After(s.world.Clock().Now()) {
			s.world.Clock().Set(at)
		}
		if round%4 == 0 {
			s.reopen()
		}
		s.round(round)
		if (round+1)%every == 0 {
			measured = append(measured, takeMeasure(s.t, round+1, s.path))
		}
	}
	s.server.ClearFaults()
	s.connect(s.t)
	s.world.Clock().Advance(soakEvery)
	s.batch(nil)
	if s.faulted == 0 && rounds >= soakRounds {
		s.t.Error("no batch met a fault")
	}
	s.t.Logf("%d of %d batches met a fault", s.faulted, rounds)
	checkMeasures(s.t, measured)
}

// reopen does what the end of a process and the next one do.
func (s *soak) reopen() {
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	var err error
	s.store, _, err = sqlite.OpenWriter(s.t.Context(), s.path, sqlite.Options{Rules: report.Rules(), Now: s.world.Clock().Now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.connect(s.t)
}

// round takes one batch of all accounts, or one in twenty times of a few.
func (s *soak) round(round int) {
	s.server.ClearFaults()
	faulty := s.rand.IntN(10) == 0
	if faulty {
		fault := s.faults[s.rand.IntN(len(s.faults))]
		s.server.Inject(fault, lobstrtest.When{Skip: s.rand.IntN(3), Times: 1})
	}
	var named []string
	if s.rand.IntN(20) == 0 && round > 0 {
		all := s.world.Accounts(s.world.Clock().Now())
		for range 5 {
			named = append(named, all[s.rand.IntN(len(all))])
		}
		slices.Sort(named)
		named = slices.Compact(named)
	}
	s.batch(named)
	if faulty && len(s.server.Unspent()) == 0 {
		s.faulted++
		s.connect(s.t) // one that owes the API no wait
	}
}

func (s *soak) batch(named []string) {
	s.server.ResetRequests()
	ctx := s.t.Context()
	run, err := s.store.Begin(ctx, s.workspace, store.ScopeAll)
	if err != nil {
		s.t.Fatal(err)
	}
	var outcome store.Outcome
	rec := s.register.of(run)
	if len(named) > 0 {
		outcome, err = s.client.SnapshotNamed(ctx, rec, slices.Values(named), nil)
	} else {
		outcome, err = s.client.SnapshotAll(ctx, rec, nil)
	}
	if err != nil && !errors.Is(err, fetcher.ErrKeyRefused) {
		s.t.Fatal(err)
	}
	if err := run.Finish(ctx, outcome); err != nil {
		s.t.Fatal(err)
	}
}

// judge compares the store with the fake's record.
func (s *soak) judge() {
	p := &play{world: s.world, store: s.store, workspace: s.workspace}
	want, lives := s.register.replay(s.t, p)
	told, err := p.told(context.WithoutCancel(s.t.Context()))
	if err != nil {
		s.t.Fatal(err)
	}
	problems := append(compareTold(want, told), p.checkTruth(want, told)...)
	for i, problem := range problems {
		if i == 20 {
			s.t.Fatalf("... and %d more", len(problems)-i)
		}
		s.t.Error(problem)
	}
	if n := count(s.t, s.store, `SELECT count(*) FROM snapshots`); n != s.register.looks {
		s.t.Errorf("%d snapshots of %d looks", n, s.register.looks)
	}
	s.judgeDocuments(lives)
	s.t.Logf("%d snapshots, %d changes, %d assignments, %d status steps", s.register.looks, len(told.changes), len(told.uses), len(told.steps))
	if len(told.changes) < soakAccounts {
		s.t.Errorf("only %d changes", len(told.changes))
	}
	healthy(s.t, s.path)
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

// judgeDocuments compares the document of every account that the last list
// showed with what the fake sent.
func (s *soak) judgeDocuments(lives map[string]*life) {
	for id, a := range lives {
		if a.gone || a.any.view != lobstrtest.ListView {
			continue
		}
		raw, err := s.store.Document(s.t.Context(), store.AccountQuery{Workspace: s.workspace, Account: id}, true)
		if err != nil {
			s.t.Fatal(err)
		}
		sent, _ := s.world.StateAt(id, lobstrtest.ListView, a.any.at)
		var got, want any
		if err := errors.Join(json.Unmarshal(raw, &got), json.Unmarshal(sent, &want)); err != nil {
			s.t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			s.t.Errorf("%s is kept as\n%s\nand was\n%s", id, raw, sent)
		}
	}
}
