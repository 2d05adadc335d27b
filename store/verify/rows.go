package verify

import (
	"iter"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Rows are all rows of a workspace, as an engine iterates over them. An error ends an
// iteration.
type Rows struct {
	Name     string // of the workspace
	Evidence fold.Evidence
	Entries  iter.Seq2[Entry, error] // by number
	Prunes   iter.Seq2[Entry, error] // those with a line about a prune
	Runs     iter.Seq2[Line, error]  // by number
	Failures iter.Seq2[Line, error]
	// Derived rows, each kind by instant, and within one instant by account.
	Versions    iter.Seq2[Version, error]
	Changes     iter.Seq2[fold.Change, error]
	Steps       iter.Seq2[fold.Step, error]
	Names       iter.Seq2[fold.SquidName, error]  // within one instant by account, then squid
	Assignments iter.Seq2[fold.Assignment, error] // by FromBefore, account, squid
	Absences    iter.Seq2[Absence, error]         // by Since, account
	// Redacted are the numbers of the accounts of which what is derived is kept as it
	// was.
	Redacted map[int64]bool
	States   iter.Seq2[*fold.Account, error] // by number: what fold.Account says, whole but for Uses, Sent and Received
}

// Entry is an entry of the log.
type Entry struct {
	Number int64
	Text   string
	Pruned bool // Text was dropped
	Hashes []ledger.Hash
}

// Line is a row that the log has a line about, by what identifies it.
type Line struct {
	Run, N int64 // N: of a failure
	Text   string
	Rules  int64 // of a run: their version
	// Erased says that the message of a failure was redacted: the commitment stands in
	// its place.
	Erased bool
}

// Version is a version and its end: 0: it is current.
type Version struct {
	fold.Version
	Until      int64
	SquidCount int64
}

// Absence is an absence as it is stored. Ended is 0 while it lasts.
type Absence struct {
	fold.Absence
	Run int64
	ID  string // of the account
}

// Options say what is checked, and how it is reported.
type Options struct {
	// Rules are those by which the store was derived.
	Rules store.Rules
	// WithoutDerived leaves out what is derived: other rules made it.
	WithoutDerived bool
	// Trees are roots that the log once had, by size: see store.VerifyOptions.
	Trees map[int64][]ledger.Hash
	// Find takes what is found.
	Find func(table string, row any, problem string, args ...any)
	// Progress takes how many responses were checked.
	Progress func(responses int64)
}
