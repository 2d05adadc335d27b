package ledger

import (
	"encoding/json"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proven is what a proof shows, if one trusts who signed.
type Proven struct {
	Response   Response // the answer of the API that showed the account
	Run        int64    // the job that took it
	Workspace  string
	Entry      int64 // number of the entry in the log, from 1
	Checkpoint Signed
}

// Verify checks every step of the proof, from the document to the checkpoint, and
// the signature if keys are known: without any, anybody could have made the proof,
// and Checkpoint.By is empty. It returns ErrInvalid when a step does not hold.
func (p Proof) Verify(known ...note.Verifier) (proven Proven, err error) {
	if proven.Checkpoint, err = openWith(p.Checkpoint, known); err != nil {
		return Proven{}, err
	}
	if p.Document != nil && (p.Shown.Document == nil || p.Blind.Document(p.Document) != *p.Shown.Document) {
		return Proven{}, invalid("the document is not the one that was committed to")
	}
	if p.Document != nil && !json.Valid(p.Document) {
		return Proven{}, invalid("the document is not JSON")
	}
	workspace, number, entry, err := ParseEntry(p.Entry)
	if err != nil {
		return Proven{}, invalid("%w", err)
	}
	if number != p.EntryIndex+1 {
		return Proven{}, invalid("entry %d is not the one with index %d", number, p.EntryIndex)
	}
	if proven.Response, err = p.response(entry); err != nil {
		return Proven{}, err
	}
	r, log := proven.Response, proven.Checkpoint.Tree
	if r.Shown > maxPage { // see MaxEntries
		return Proven{}, invalid("a response cannot have shown %d accounts", r.Shown)
	}
	if err := tlog.CheckRecord(p.InResponse, r.Shown, r.Root, p.Index, p.Shown.Leaf()); err != nil {
		return Proven{}, invalid("the snapshot is not in the response: %w", err)
	}
	if err := tlog.CheckRecord(p.InLog, log.N, log.Hash, p.EntryIndex, tlog.RecordHash([]byte(p.Entry))); err != nil {
		return Proven{}, invalid("the entry is not in the log: %w", err)
	}
	proven.Entry = number
	proven.Run, proven.Workspace = proven.Response.Run, workspace
	return proven, nil
}

func openWith(signed []byte, known []note.Verifier) (Signed, error) {
	if len(known) == 0 {
		return ReadCheckpoint(signed)
	}
	return OpenCheckpoint(signed, known...)
}

// response finds the line of the response in the entry.
func (p Proof) response(entry []string) (Response, error) {
	for _, line := range entry {
		if what, number := Subject(line); what == "response" && number == p.Response {
			r, err := ParseResponse(line)
			if err != nil {
				return Response{}, invalid("%w", err)
			}
			return r, nil
		}
	}
	return Response{}, invalid("the entry has no response %d", p.Response)
}
