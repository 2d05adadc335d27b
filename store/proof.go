package store

import (
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// ProofQuery asks for the proof of a snapshot.
type ProofQuery struct {
	Workspace, Account string    // account: its id
	At                 time.Time // the last snapshot taken at or before it is meant; zero: the last
	Size               int64     // of the log, as a checkpoint has it; 0: all of it
	WithoutDocument    bool      // the proof does not show the document
}

// Proof is a proof that lacks its checkpoint, and what that is to sign.
type Proof struct {
	ledger.Proof
	Tree  tlog.Tree
	Taken time.Time // when the snapshot was received
	// Next, unless it is zero, is when the next snapshot was received that can be
	// proven: those between the two may have been pruned.
	Next time.Time
}
