package fold

import (
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Delta is everything that a response changes. Instants are Unix milliseconds;
// accounts and squids are given by their numbers in the workspace.
type Delta struct {
	Response Response
	// Rows that begin, in the order of their keys.
	Accounts    []*Account // seen for the first time
	Icons       []*document.Icon
	Facts       []Fact
	Usage       []Usage
	Entered     []Stay
	Versions    []Version
	Changes     []Change
	Steps       []Step
	Squids      []Squid // named for the first time
	Names       []SquidName
	Assignments []Assignment
	Failures    []store.Failure
	// Rows that end.
	Left     []Stay
	Ended    []Assignment
	Relisted []Absence
	// Touched are the accounts whose state must be saved, each once.
	Touched []*Account
	// Shown are the snapshots, in the order of the leaves.
	Shown []Snapshot
	News  map[int64]bool // the accounts that Response.News counts
	Done  store.Appended
}

// Response is one answer of the API. At is its key: no two of a workspace have the
// same.
type Response struct {
	At     int64 // when it was received, rounded up, and raised where it must be
	Run    int64
	Source store.Source
	// Slot tells responses that show the same accounts each time from one another:
	// the page of a list, the account of a detail call.
	Slot    int64
	Sent    int64 // rounded down
	Server  *int64
	HeldMS  int64 // by how much At was raised
	Shown   int64 // snapshots
	Changed int64 // of those, how many began a version
	Absent  int64 // how many were answered with 404
	Gone    int64 // how many of those newly
	// News counts the accounts of which it showed something new, or that entered or
	// left its page. A response without news may be dropped by a prune.
	News int64
	Root ledger.Hash
}

// Snapshot is an account as the response shows it.
type Snapshot struct {
	Account  *Account // as it stands after the response
	Endpoint Endpoint
	Leaf     ledger.Hash
}

// Line is the line of the log about the response.
func (r Response) Line() string {
	return ledger.Response{
		At: r.At, Source: string(r.Source), Page: r.Slot, Run: r.Run, Sent: r.Sent, HeldMS: r.HeldMS, Server: r.Server,
		Shown: r.Shown, Changed: r.Changed, Absent: r.Absent, Gone: r.Gone, Root: r.Root,
	}.Line()
}

// Fact is what a member of an account object is from a response on. A Value of nil:
// the endpoint no longer sends it.
type Fact struct {
	Account  int64
	Endpoint Endpoint
	document.Member
	At int64
}

// Usage is a movement of volatile values.
type Usage struct {
	Account int64
	At      int64
	document.Counter
}

// Stay is that the responses of a slot show an account, from the first one to the
// last one.
type Stay struct {
	Account     int64
	Source      store.Source
	Slot        int64
	Endpoint    Endpoint
	First, Last int64
}

// Version is a stretch of equal snapshots.
type Version struct {
	Account  int64
	Number   int64
	At       int64 // of its first response
	Endpoint Endpoint
	Facts    store.Facts
}

// Change is one difference between two versions.
type Change struct {
	Account int64
	N       int64 // among those of the account at the instant, from 1 on
	At      int64
	After   *int64 // nil: first sight
	store.Change
}

// Step is a step of a status field or of the health. HealthBefore is empty at first
// sight.
type Step struct {
	Account                   int64
	At                        int64
	After                     *int64
	StatusBefore, StatusAfter string
	InfoBefore, InfoAfter     string
	HealthBefore, HealthAfter store.Health
}

// Squid is a squid that an account named for the first time.
type Squid struct {
	Number int64
	ID     string
}

// SquidName is the name by which an account calls a squid from a response on.
type SquidName struct {
	Squid, Account int64
	At             int64
	Name           string
}

// Assignment is a squid using an account. FromAfter is nil when it was so at first
// sight.
type Assignment struct {
	Squid, Account int64
	FromAfter      *int64
	FromBefore     int64
	ToAfter        int64
	ToBefore       int64 // 0: still
}

// Absence is a time in which complete lists lacked an account.
type Absence struct {
	Account      int64
	Since, Ended int64
}
