package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// ProofJSON is what a proof shows: the answer of `verify-proof`, and of `prove`.
type ProofJSON struct {
	Account        string          `json:"account"`
	Workspace      Text            `json:"workspace"` // null: the entry does not tell
	Run            *int64          `json:"run"`       // null: the entry does not tell
	Source         string          `json:"source"`
	SentAt         Time            `json:"sent_at"`
	ReceivedAt     Time            `json:"received_at"`
	ServerAt       Time            `json:"server_at"`       // null: the server told no time
	Gone           bool            `json:"gone"`            // the API answered 404
	DocumentSHA256 Text            `json:"document_sha256"` // null: gone, or left out
	Document       json.RawMessage `json:"document"`        // as it was committed to; null: gone, or left out
	Entry          int64           `json:"entry"`           // its number in the log
	Origin         string          `json:"origin"`
	Size           int64           `json:"size"`
	Root           string          `json:"root"`
	Signature      string          `json:"signature"`   // checked, or not checked
	SignedBy       []string        `json:"signed_by"`   // whose signatures were checked
	AlsoBy         []string        `json:"not_checked"` // whose were not
	File           Text            `json:"file"`        // where the proof is
}

// NewProofJSON converts a proof that holds.
func NewProofJSON(p ledger.Proof, proven ledger.Proven, file string) ProofJSON {
	r, c := proven.Response, proven.Checkpoint
	out := ProofJSON{
		Account: p.Shown.Account, Workspace: Text(proven.Workspace), Source: r.Source, SentAt: timeOf(&r.Sent),
		ReceivedAt: timeOf(&r.At), ServerAt: timeOf(r.Server), Gone: p.Shown.Document == nil, Entry: proven.Entry,
		Origin: c.Origin, Size: c.N, Root: c.Hash.String(), Signature: "not checked", SignedBy: nonNil(c.By),
		AlsoBy: nonNil(c.Unknown), File: Text(file),
	}
	if proven.Run > 0 {
		out.Run = &proven.Run
	}
	if p.Document != nil {
		out.Document, out.DocumentSHA256 = p.Document, Text(fmt.Sprintf("%x", sha256.Sum256(p.Document)))
	}
	if len(c.By) > 0 {
		out.Signature = "checked"
	}
	return out
}

// timeOf is an instant in Unix milliseconds; nil is none.
func timeOf(ms *int64) Time {
	if ms == nil {
		return Time{}
	}
	return Time{time.UnixMilli(*ms).UTC()}
}
