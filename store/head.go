package store

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// head is where an account stands: what its next snapshot is compared with.
type head struct {
	AccountID   int64
	Hash        string
	VersionID   int64
	StepID      int64
	Health      Health
	SinceAfter  sql.NullInt64
	SinceBefore int64
	Gone        bool
	LockedUntil sql.NullInt64
	AbsenceID   sql.NullInt64
	List        endpoint
	Detail      endpoint
	Shapes      shapes
	Outdated    bool                // see State
	Known       []byte              // the latest word on every field; nil: see shapes
	Usage       map[string]*counter // where the volatile values stand, by pointer
	Salt        ledger.Salt

	whole            bool       // all of it was read; see heads.load
	moved            []*counter // since they were saved
	touched, changed bool       // see heads
}

// counter is the volatile values at a pointer as they last moved.
type counter struct {
	usage
	response int64 // that moved them
	moved    bool  // since they were saved
}

// usageAt is what stands at the pointer; nil for nothing.
func (h *head) usageAt(pointer string) json.RawMessage {
	if c := h.Usage[pointer]; c != nil {
		return c.body
	}
	return nil
}

// movements are those of the volatile values that stand otherwise, by pointer.
func (h *head) movements(usages []usage) (moved []ledger.Counters) {
	for _, u := range usages {
		standing := h.Usage[u.pointer]
		if standing == nil && string(u.body) == "null" || standing != nil && string(standing.body) == string(u.body) {
			continue
		}
		moved = append(moved, ledger.Counters{Pointer: u.pointer, Body: u.body, Max: u.max})
	}
	slices.SortFunc(moved, func(a, b ledger.Counters) int { return strings.Compare(a.Pointer, b.Pointer) })
	return moved
}

// endpoint is what one endpoint last said of an account.
type endpoint struct {
	Digest   []byte        // of the object as received; nil when not known
	Document sql.NullInt64 // null as long as it has said nothing
	Version  sql.NullInt64 // which the document last agreed with
	Seen     sql.NullInt64 // the last response that showed the account
	body     []byte        // SHA-256 of the document; nil when not known
	leaf     []byte        // of a snapshot that shows the document and nothing new
	commits  *ledger.Hash  // the commitment to the document; nil when not known, or gone
	template *template     // of the object; nil when not known
	marked   bool          // see heads
	digested bool          // see heads
}

// shapes are the latest documents of each shape, which are not valid where there is
// none. Of an account of which only one shape was ever seen, Known is left out where it
// is that document.
type shapes struct{ List, Detail, Reduced sql.NullInt64 }

// remember makes the state the one that the next response is compared with. The
// document is that of the state's latest shape.
func (h *head) remember(s State, document int64) {
	if s.Gone {
		h.Shapes, h.Known, h.Outdated = shapes{}, nil, false
		return
	}
	switch id := (sql.NullInt64{Int64: document, Valid: true}); s.Latest {
	case List:
		h.Shapes.List = id
	case Detail:
		h.Shapes.Detail = id
	default:
		h.Shapes.Reduced = id
	}
	h.Known, h.Outdated = s.Known, s.Outdated
	if only := s.documents(); len(only) == 1 && bytes.Equal(only[0], s.Known) {
		h.Known = nil
	}
}

// at is the endpoint that a source speaks for. Imports are lists of the past.
func (h *head) at(source Source) *endpoint {
	if source == Detail {
		return &h.Detail
	}
	return &h.List
}

// overtaken reports whether the other endpoint has shown the account since this one
// did last. What this one says holds again from then on, also in the same bytes: the
// other may have told of other counters, or of a lock.
func (h *head) overtaken(source Source) bool {
	other := h.List
	if source != Detail {
		other = h.Detail
	}
	return other.Seen.Int64 > h.at(source).Seen.Int64
}

// stands reports whether an object with this digest, received from source at
// the instant, is the state the account is in.
func (h *head) stands(source Source, digest []byte, receivedMS int64) bool {
	e := h.at(source)
	return e.Digest != nil && string(e.Digest) == string(digest) && !h.overtaken(source) &&
		h.settled(source, e.Document.Int64, receivedMS) &&
		(source == Detail || !h.AbsenceID.Valid)
}

// settled reports whether the document, seen from source at the instant, is the
// state the account is in: it is the endpoint's last, nothing else has been said
// since, and no lock has run out.
func (h *head) settled(source Source, document, receivedMS int64) bool {
	e := h.at(source)
	return !h.Gone && e.Document.Int64 == document && e.Version.Int64 == h.VersionID &&
		(!h.LockedUntil.Valid || h.LockedUntil.Int64 > receivedMS)
}

// show makes the document the endpoint's last, as the log has it. A nil body is a
// 404.
func (h *head) show(source Source, document int64, body []byte) {
	e := h.at(source)
	e.Document, e.body, e.commits = sql.NullInt64{Int64: document, Valid: true}, nil, h.commitment(document, body)
	leaf := ledger.Observed{Account: h.Hash, Document: e.commits}.Leaf()
	e.leaf = leaf[:]
}

// commitment is that to a document of the account.
func (h *head) commitment(document int64, body []byte) *ledger.Hash {
	if body == nil {
		return nil
	}
	return new(h.Salt.DocumentBlind(document).Document(body))
}

// vanish notes that the API answered 404: what the endpoints had said counts no more.
func (h *head) vanish() {
	h.List.Document.Valid, h.List.leaf = false, nil
	h.List.Digest, h.Detail.Digest = nil, nil
}

// textOrNull binds JSON as text; nil is NULL.
func textOrNull(raw []byte) sql.NullString {
	return sql.NullString{String: string(raw), Valid: raw != nil}
}
