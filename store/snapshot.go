package store

import (
	"crypto/sha256"
	"encoding/json"
	"time"
)

// Source says which call showed an account.
type Source string

// The sources of snapshots.
const (
	List   Source = "list"   // GET /accounts: up to a hundred accounts share one response
	Detail Source = "detail" // GET /accounts/{hash}
	Import Source = "import" // answers of the API that were read from files
)

// Response is one answer of the API that was understood as a whole: what it
// showed is appended in one transaction, or not at all. Its instants are those
// of every snapshot it carries.
type Response struct {
	Source Source
	// Page is the number of the page of the list, or of the answer that is imported, from
	// 1 on. It tells responses that show the same accounts each time from one another:
	// that an account stays on its page costs nothing. 0: it is about one account, and no
	// page of a list.
	Page int
	// Sent is when the request left, Received when the last byte of the answer
	// had arrived. The API's answer describes some instant between the two.
	// The store rounds Sent down and Received up to the millisecond.
	Sent, Received time.Time
	// Complete, unless it is nil, says that this is the last response of an imported
	// list, which was complete: the known accounts that no response of the same instant
	// shows become unlisted as of it, if the conclusion allows it and all of the call
	// was understood. No response may come after it in the same call.
	Complete Conclusion
	// ServerTime is the Date header of the answer; zero when there was none.
	ServerTime time.Time
	// Requests is how many requests the run has sent so far, retries included.
	Requests int
	// Accounts are the accounts shown, in the order of the answer.
	Accounts []Observed
	// Absent are ids that the API answered with 404, as only a detail call is.
	Absent []string
	// Failures are the parts of the answer that could not be understood.
	Failures []Failure
}

// Observed is one account object as the API sent it.
type Observed struct {
	ID string // see [IsAccountID]
	// Raw is the JSON object, byte for byte as received unless Withheld. It is
	// not kept after Append returns.
	Raw json.RawMessage
	// Digest is the SHA-256 of Raw; nil: Append takes it, while the store waits.
	Digest []byte
	// Withheld says that a secret was replaced in Raw. The digest of such an
	// object is not stored.
	Withheld bool
}

// Sum is what the Digest should be: that which is there, else the SHA-256 of Raw; nil
// when a secret was taken out of it. There is time for it while other answers are on
// their way.
func (o *Observed) Sum() []byte {
	switch {
	case o.Withheld:
		return nil
	case o.Digest != nil:
		return o.Digest
	}
	digest := sha256.Sum256(o.Raw)
	return digest[:]
}

// Appended counts what became of the accounts of a [Response].
type Appended struct {
	Changed   int // first sights included
	Unchanged int
	Gone      int // absent, and not known to be gone before
	StillGone int // absent, and known to be gone before
	Failed    int // the response's own failures included
	// Repeated is how many accounts this run had already seen in a list. Such an
	// account is left out: a list that shows one twice has drifted.
	Repeated int
	// Withheld is how many accounts were left out because they were redacted.
	Withheld int
	// Unlisted is how many accounts a complete list lacked that the one before had.
	Unlisted int
}

// Captured is how many snapshots of existing accounts were taken.
func (a Appended) Captured() int { return a.Changed + a.Unchanged }

// Add counts what became of another response too.
func (a *Appended) Add(more Appended) {
	a.Changed += more.Changed
	a.Unchanged += more.Unchanged
	a.Gone += more.Gone
	a.StillGone += more.StillGone
	a.Failed += more.Failed
	a.Repeated += more.Repeated
	a.Withheld += more.Withheld
	a.Unlisted += more.Unlisted
}

// Window is the time in which something happened: after After, and at or before
// Before. A zero After means that it was so when the account was first seen.
type Window struct {
	After, Before time.Time
}

// State is everything the store knows of one account at one instant: what the
// rules compare.
type State struct {
	// At is when the response was received; locks end by it.
	At time.Time
	// Gone says that the API answered 404; all other fields are then empty.
	Gone bool
	// Known is the latest word on every field, whichever source it came from. Nil: the
	// documents below are all there is, and the latest one holds where two have a field.
	Known json.RawMessage
	// Outdated says that the status in Known is out of date: a later document had another
	// status_code_info, and no status.
	Outdated bool
	// List, Detail and Reduced are the latest documents of each shape, nil when there is
	// none. An imported document has the shape of a list or of a detail, by its fields,
	// or the reduced shape that the vendor's CLI prints, without a status. In a document
	// volatile values are null, and a string under "icon" is "sha256:" and the digest of
	// the icon.
	List, Detail, Reduced json.RawMessage
	// Latest is the shape of the document that was received last: List, Detail, or Import
	// for Reduced.
	Latest Source
	// ResetsIn is what is known of the volatile /resets_in at the instant: as
	// sent, or what is left of what an earlier response sent; nil for nothing.
	ResetsIn json.RawMessage
}
