package oracle

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// RandomOptions says what a random world is like. Zero values are replaced by
// the defaults named.
type RandomOptions struct {
	Accounts int           // that exist from the beginning; 20
	Squids   int           // 8, or one for ten accounts if that is more
	Events   int           // five for each account; below 0: none
	Start    time.Time     // what the world's clock shows; 2026-01-05 06:00 UTC
	Span     time.Duration // events happen after Start, within it; two weeks
	Kinds    []string      // of events, see [RandomKinds]; nil: all
	Load     float64       // see [lobstrtest.Account]
	LockForm lobstrtest.LockForm
}

// RandomKinds lists the kinds of events that random scripts are made of.
func RandomKinds() []string {
	var kinds []string
	for _, k := range randomKinds {
		kinds = append(kinds, k.name)
	}
	return kinds
}

// RandomWorld makes a world with random accounts, squids and events, on a clock
// of its own. The same seed and options give the same world. Every single event
// makes differences on which design.md leaves no doubt; two looks with several
// events between them may show a status that has both another value and another
// JSON type (a status and a schema, see [Net]) unless Kinds leaves
// status_form out.
func RandomWorld(seed uint64, o RandomOptions) *lobstrtest.World {
	o = o.filled()
	s := &randomScript{
		Rand: rand.New(rand.NewPCG(seed, 0x10b57e)), opts: o, world: lobstrtest.NewWorld(lobstrtest.NewClock(o.Start)),
	}
	for i := range o.Squids {
		s.squids = append(s.squids, s.world.AddSquid(fmt.Sprintf("%s (%d)", pick(s, squidNouns), i+1)))
	}
	for range o.Accounts {
		s.accounts = append(s.accounts, s.world.Add(s.account()))
	}
	s.events()
	return s.world
}

func (o RandomOptions) filled() RandomOptions {
	o.Accounts = cmp.Or(o.Accounts, 20)
	o.Squids = cmp.Or(o.Squids, max(8, o.Accounts/10))
	o.Events = cmp.Or(o.Events, 5*o.Accounts)
	o.Span = cmp.Or(o.Span, 14*24*time.Hour)
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	}
	if o.Kinds == nil {
		o.Kinds = RandomKinds()
	}
	return o
}

// randomScript writes a random script.
type randomScript struct {
	*rand.Rand
	opts     RandomOptions
	world    *lobstrtest.World
	accounts []string
	squids   []string
	made     int
	at       time.Time // of the event in the making
}

var (
	givenNames = []string{"ada", "bruno", "chiara", "dmitri", "elif", "femi", "greta", "hugo", "ines", "jonas", "keiko",
		"luca", "maya", "nils", "olga", "pedro", "quentin", "rosa", "samir", "tess"}
	familyNames = []string{"almeida", "bauer", "costa", "dubois", "eriksen", "fischer", "garcia", "haddad", "ivanova",
		"jensen", "kowalski", "lopez", "moreau", "novak", "okafor", "petrova", "rossi", "silva", "tanaka", "weber"}
	squidNouns = []string{"Sales Navigator Leads", "LinkedIn Profiles", "X User Tweets", "Facebook Groups",
		"Instagram Followers", "Company Pages", "Search Export", "Post Commenters"}
)

func pick[T any](s *randomScript, from []T) T { return from[s.IntN(len(from))] }

func (s *randomScript) name() string {
	s.made++
	return fmt.Sprintf("%s.%s%d", pick(s, givenNames), pick(s, familyNames), s.made)
}

func (s *randomScript) account() lobstrtest.Account {
	a := lobstrtest.Account{Username: s.name(), Type: pick(s, lobstrtest.AccountTypes()), Load: s.opts.Load}
	a.ID = lobstrtest.ID(fmt.Sprintf("random/%d/%d", s.made, s.Uint64()))
	for range s.IntN(3) {
		if id := pick(s, s.squids); !slices.Contains(a.Squids, id) {
			a.Squids = append(a.Squids, id)
		}
	}
	return a
}

// events scripts the events, in the order of time, so that accounts are created
// before anything is scripted about them.
func (s *randomScript) events() {
	var makers []func(*randomScript) lobstrtest.Event
	for _, k := range randomKinds {
		if slices.Contains(s.opts.Kinds, k.name) {
			makers = append(makers, k.make)
		}
	}
	instants := make([]time.Duration, max(0, s.opts.Events))
	for i := range instants {
		instants[i] = time.Duration(1 + s.Int64N(int64(s.opts.Span)))
	}
	slices.Sort(instants)
	for _, after := range instants {
		s.at = s.opts.Start.Add(after)
		s.world.At(s.at, pick(s, makers)(s))
	}
}

// some returns the id of any account, deleted ones too.
func (s *randomScript) some() string { return pick(s, s.accounts) }
