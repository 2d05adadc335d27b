package fold

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Account is where one account stands: what its next snapshot is compared with.
// Instants are Unix milliseconds.
type Account struct {
	Number  int64 // in its workspace
	ID      string
	FirstAt int64       // of the first response that showed it
	Salt    ledger.Salt // empty: redacted

	Versions       int64  // how many there are
	Username, Type string // a gone account keeps its last ones
	Status, Info   string // of the version, as Description, LastSync and SquidCount are
	Description    string
	LastSync       string
	SquidCount     int
	Health         store.Health
	HealthAfter    *int64 // when the health became what it is: nil: at first sight
	HealthBefore   int64
	Gone           bool
	LockedUntil    int64 // when the state must be looked at again, although nothing may have changed; 0: never
	Counting       bool  // the last resets_in is a value: it is counted from each response on. It is for accounts that are not Whole
	AbsentSince    int64 // since when complete lists lack it; 0: they do not

	// Latest is the endpoint that spoke last.
	Latest Endpoint
	// Known is the latest word on every field: see [store.State].
	Known    []byte
	Outdated bool // the status in Known is out of date
	Said     [Endpoints]Said
	// Counters are the volatile values as they last were told.
	Counters   Counters
	CountersAt int64 // when one of them last moved; 0: there are none
	// Uses are the squids that use the account, sorted by id.
	Uses []Use
	// Dropped are fields that an endpoint no longer sends, by name.
	Dropped map[string]Dropped

	// Whole says that all of the above is known, and not only what tells whether an
	// object is the same as before: Number to Salt, Gone to Latest, Counting, and of Said
	// the digests, leaves and stays.
	Whole bool
}

// Endpoint is who says something of an account, by the fields that it sends (see
// [store.ShapeOf]). Each is compared with what it said before.
type Endpoint int

// The endpoints.
const (
	List      Endpoint = iota // the list, and imports of the same shape
	Detail                    // the detail call, and imports of the same shape
	Reduced                   // the list of the vendor's own command, which leaves fields out
	Endpoints = 3
)

var shapes = [Endpoints]store.Source{store.List, store.Detail, store.Import}

// EndpointOf is the endpoint of a shape.
func EndpointOf(shape store.Source) Endpoint {
	switch shape {
	case store.List:
		return List
	case store.Detail:
		return Detail
	}
	return Reduced
}

// Said is what one endpoint said last of an account.
type Said struct {
	Digest     []byte // of the object as it was received; nil: not known
	Body       []byte // the document; nil: it has said nothing since the account was there
	DocumentAt int64  // since when it says that
	Leaf       ledger.Hash
	// Sent and Received are of the last response that showed the account, 404s
	// included; 0: there is none.
	Sent, Received int64
}

// Use is a squid using the account.
type Use struct {
	ID    string
	Squid int64 // number
	Since int64 // when the response that first showed it was received
	Sent  int64 // and its request sent
	Name  string
}

// Dropped is a field that an endpoint no longer sends.
type Dropped struct {
	Value json.RawMessage `json:"value"`
	Sent  int64           `json:"sent"` // the request whose answer last had it
}

// Counters are volatile values, sorted by pointer.
type Counters []document.Counter

func (c Counters) place(pointer string) (int, bool) {
	return slices.BinarySearchFunc(c, pointer, func(c document.Counter, pointer string) int { return strings.Compare(c.Pointer, pointer) })
}

// Find is the counter with that pointer; the zero Counter for none.
func (c Counters) Find(pointer string) document.Counter {
	if i, found := c.place(pointer); found {
		return c[i]
	}
	return document.Counter{}
}

// Set adds a counter, or replaces that with the same pointer.
func (c *Counters) Set(counter document.Counter) {
	i, found := c.place(counter.Pointer)
	if !found {
		*c = slices.Insert(*c, i, counter)
	}
	(*c)[i] = counter
}

// settled reports whether the endpoint spoke last, and a response of the instant that
// says the same changes nothing. A resets_in that is said again moves the end of the lock.
func (a *Account) settled(e Endpoint, source store.Source, at int64) bool {
	unlocked := a.LockedUntil == 0 || a.LockedUntil > at && !a.isCounting()
	return !a.Gone && a.Latest == e && unlocked && (source == store.Detail || a.AbsentSince == 0)
}

func (a *Account) isCounting() bool {
	if a.Whole {
		return !isNull(a.Counters.Find(document.ResetsIn).Body)
	}
	return a.Counting
}

// Same reports whether an object with this digest, received from the source at the
// instant, says what is known already, and which endpoint says it. It needs no more of
// the account than is always loaded.
func (a *Account) Same(source store.Source, digest []byte, at int64) (e Endpoint, same bool) {
	for e := range Endpoint(Endpoints) {
		if (source == store.Import || shapes[e] == source) && digest != nil && string(a.Said[e].Digest) == string(digest) {
			return e, a.settled(e, source, at)
		}
	}
	return EndpointOf(source), false
}

// seenAt reports whether the response of that instant has shown the account.
func (a *Account) seenAt(at int64) bool {
	return a.Said[List].Received == at || a.Said[Detail].Received == at || a.Said[Reduced].Received == at
}

// state is what the rules compare.
func (a *Account) state() store.State {
	s := store.State{At: instant(max(a.Said[List].Received, a.Said[Detail].Received, a.Said[Reduced].Received)), Gone: a.Gone}
	if a.Gone || a.Versions == 0 {
		return s
	}
	s.Known, s.List, s.Detail, s.Reduced = a.Known, a.Said[List].Body, a.Said[Detail].Body, a.Said[Reduced].Body
	s.Latest, s.Outdated = shapes[a.Latest], a.Outdated
	s.ResetsIn = json.RawMessage(a.Counters.Find(document.ResetsIn).Body)
	return s
}

// leaf is the leaf of a snapshot in which the endpoint shows what it said last.
func (a *Account) leaf(e Endpoint) ledger.Hash {
	o := ledger.Observed{Account: a.ID}
	if s := &a.Said[e]; s.Body != nil {
		o.Document = new(a.Salt.DocumentBlind(s.DocumentAt).Document(s.Body))
		if a.CountersAt > 0 {
			o.Counters = new(a.Salt.CountersBlind(a.CountersAt).Counters(a.LoggedCounters()))
		}
	}
	return o.Leaf()
}

// LoggedCounters are all volatile values, by pointer, as the log commits to them.
func (a *Account) LoggedCounters() []ledger.Counter {
	all := make([]ledger.Counter, 0, len(a.Counters))
	for _, c := range a.Counters {
		all = append(all, ledger.Counter{Pointer: c.Pointer, Body: c.Body, Max: c.Max})
	}
	return all
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
