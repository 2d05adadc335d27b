package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that a snapshot was in a log when a checkpoint of it was signed. It
// is a text of four parts with an empty line between them, the last two of which
// are a transparency log proof of the entry (https://c2sp.org/tlog-proof):
//
//	lobstrail/1 proof
//	shown ACCOUNT COMMITMENT [COMMITMENT] | shown ACCOUNT gone
//	blind BASE64                             } both, or neither
//	document JSON                            }
//	response NUMBER index NUMBER
//	HASH...
//
//	the text of the entry, of which one line is that of the response
//
//	c2sp.org/tlog-proof@v1
//	index NUMBER
//	HASH...
//
//	the signed checkpoint
//
// What follows "shown" is a leaf of the tree of the response ([Observed.Text]), the
// one with that index, from 0; the hashes below lead from it to the root that the
// line of the response has. The document is as it was committed to, and the blind
// is the secret of that one commitment ([Blind.Document]). The entry is the leaf
// with that index, from 0, of the tree of the log, and the hashes lead to the root
// of the checkpoint. Hashes are in base64, a line each, from the leaf's sibling up
// (RFC 6962, section 2.1.1).
type Proof struct {
	Shown      Observed
	Blind      Blind
	Document   []byte // nil: left out, or gone
	Response   int64
	Index      int64 // of the snapshot in the response
	InResponse tlog.RecordProof
	Entry      string
	EntryIndex int64 // of the entry in the log
	InLog      tlog.RecordProof
	Checkpoint []byte // a signed note
}

const (
	proofHeader = "lobstrail/1 proof\n"
	tlogHeader  = "c2sp.org/tlog-proof@v1\n"
)

// FormatProof is the text of a proof.
func FormatProof(p Proof) []byte {
	text := append(make([]byte, 0, 4096+len(p.Document)+len(p.Entry)), proofHeader...)
	text = fmt.Appendf(text, "shown %s\n", p.Shown.Text())
	if p.Document != nil {
		text = fmt.Appendf(text, "blind %s\ndocument %s\n", Hash(p.Blind), p.Document)
	}
	text = appendHashes(fmt.Appendf(text, "response %d index %d\n", p.Response, p.Index), p.InResponse)
	text = append(append(append(text, '\n'), p.Entry...), '\n')
	text = appendHashes(fmt.Appendf(append(text, tlogHeader...), "index %d\n", p.EntryIndex), p.InLog)
	return append(append(text, '\n'), p.Checkpoint...)
}

func appendHashes(text []byte, hashes []Hash) []byte {
	for _, hash := range hashes {
		text = fmt.Appendf(text, "%s\n", hash)
	}
	return text
}

// ParseProof is the inverse of FormatProof. It returns ErrInvalid for any other
// text; whether the proof holds is told by [Proof.Verify].
func ParseProof(text []byte) (p Proof, err error) {
	parts := strings.SplitN(string(text), "\n\n", 4)
	if len(parts) != 4 || !strings.HasPrefix(parts[0], proofHeader) || !strings.HasPrefix(parts[2], tlogHeader) {
		return Proof{}, invalid("not a proof, or not all of one")
	}
	p.Entry, p.Checkpoint = parts[1]+"\n", []byte(parts[3])
	claim := &lines{rest: parts[0][len(proofHeader):] + "\n"}
	if p.Shown, err = parseObserved(claim.next("shown ")); err != nil {
		return Proof{}, invalid("what was shown: %w", err)
	}
	if strings.HasPrefix(claim.rest, "blind ") {
		p.Blind = Blind(claim.hash(claim.next("blind ")))
		p.Document = []byte(claim.next("document "))
	}
	response, index, _ := strings.Cut(claim.next("response "), " index ")
	p.Response, p.Index, p.InResponse = claim.number(response), claim.number(index), claim.hashes()
	entry := &lines{rest: parts[2][len(tlogHeader):] + "\n"}
	p.EntryIndex, p.InLog = entry.number(entry.next("index ")), entry.hashes()
	if claim.wrong || entry.wrong || string(FormatProof(p)) != string(text) {
		return Proof{}, invalid("the proof is not spelled as proofs are")
	}
	return p, nil
}

// lines reads lines one by one, and remembers that one was not what it should be.
type lines struct {
	rest  string
	wrong bool
}

// next is the next line, without what it must begin with.
func (l *lines) next(prefix string) string {
	line, rest, found := strings.Cut(l.rest, "\n")
	line, right := strings.CutPrefix(line, prefix)
	l.rest, l.wrong = rest, l.wrong || !found || !right
	return line
}

func (l *lines) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	l.wrong = l.wrong || err != nil || n < 0
	return n
}

func (l *lines) hash(text string) Hash {
	hash, err := tlog.ParseHash(text)
	l.wrong = l.wrong || err != nil
	return hash
}

// hashes are all lines that are left.
func (l *lines) hashes() (hashes []Hash) {
	for l.rest != "" && !l.wrong {
		hashes = append(hashes, l.hash(l.next("")))
	}
	return hashes
}

// parseObserved is the inverse of Observed.Text.
func parseObserved(text string) (o Observed, err error) {
	account, rest, _ := strings.Cut(text, " ")
	o.Account = account
	if rest == "gone" && account != "" {
		return o, nil
	}
	document, counters, more := strings.Cut(rest, " ")
	if o.Document, err = parseCommitment(document); err == nil && more {
		o.Counters, err = parseCommitment(counters)
	}
	if err == nil && account == "" {
		err = errors.New("no account")
	}
	return o, err
}

func parseCommitment(text string) (*Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		return nil, fmt.Errorf("%.50q is no commitment", text)
	}
	hash := Hash(raw)
	return &hash, nil
}
