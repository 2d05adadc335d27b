package relational

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/verify"
)

// copyReader reads the entries of a source, and what they are about.
type copyReader struct {
	*copying
	ctx       context.Context
	tx        Tx
	ws        int64
	entryRows *fold.Cursor[verify.Entry]
	responses *fold.Cursor[fold.Response]
	teller    *fold.Teller
	icons     map[string]bool // by digest: those that were read
}

// copyBatch is what one transaction copies.
type copyBatch struct {
	entries  []verify.Entry
	lines    [][]string   // of each entry
	told     []*fold.Told // by the lines about responses, in their order
	failures []failureRow // likewise
	left     []copyLeft   // likewise, of redactions
	icons    []copyIcon
	size     int  // about how many rows it has
	last     bool // what follows must be in another transaction
}

type copyIcon struct {
	digest []byte
	text   string
}

// maxCopyEntries is how many entries are in a transaction, if nothing else is asked for.
const maxCopyEntries = 1000

// maxCopyRows is about how many rows are in a transaction. Their texts are in memory.
const maxCopyRows = 20_000

func (c *copying) newReader(ctx context.Context, tx Tx, ws int64) *copyReader {
	from := everything
	p := c.start.position
	if c.start.tree.N > 0 {
		from = rowPlace{at: p.At + 1, account: p.NextAccount, lasting: p.At + 1, entry: c.start.tree.N + 1}
		for _, at := range p.Pages {
			from.lasting = min(from.lasting, at)
		}
	}
	rows := rowReader{ctx: ctx, tx: tx, ws: ws, name: c.name, from: from}
	evidence := rows.evidence(c.plan.squids)
	return &copyReader{
		copying: c, ctx: ctx, tx: tx, ws: ws, entryRows: fold.NewCursor(rows.entries()), responses: fold.NewCursor(evidence.Responses),
		teller: fold.NewTeller(evidence, p), icons: map[string]bool{},
	}
}

func (r *copyReader) stop() {
	r.entryRows.Stop()
	r.responses.Stop()
	r.teller.Stop()
}

// end returns an error if rows are left that no entry is about.
func (r *copyReader) end() error {
	switch {
	case r.responses.OK:
		return r.damaged("no entry names the response of %d", r.responses.Next.At)
	case r.responses.Err != nil:
		return r.responses.Err
	}
	return r.teller.End()
}

// batch reads the next entries: at most most, and no more than one transaction can take.
// At the end of the log the batch is empty.
func (r *copyReader) batch(most int) (*copyBatch, error) {
	b := &copyBatch{}
	for len(b.entries) < most && b.size < maxCopyRows && !b.last && r.entryRows.OK {
		e := r.entryRows.Next
		lines, err := r.linesOf(e)
		if err != nil {
			return nil, err
		}
		if erasing(lines) && len(b.entries) > 0 {
			return b, nil
		}
		for _, line := range lines {
			if err := r.line(b, line); err != nil {
				return nil, err
			}
		}
		b.entries, b.lines, b.size, b.last = append(b.entries, e), append(b.lines, lines), b.size+1, erasing(lines)
		r.entryRows.Step()
	}
	return b, r.entryRows.Err
}

// erasing reports whether an entry takes from what is stored: what is kept in memory is
// then out of date.
func erasing(lines []string) bool {
	for _, line := range lines {
		if what, _ := ledger.Subject(line); what == "prune" || what == "redaction" {
			return true
		}
	}
	return false
}

func (r *copyReader) linesOf(e verify.Entry) ([]string, error) {
	if e.Pruned {
		if !ledger.Contains(r.plan.dropped.entries, e.Number) || len(e.Hashes) == 0 {
			return nil, r.damaged("entry %d has no text, and no prune dropped it", e.Number)
		}
		return nil, nil
	}
	workspace, number, lines, err := ledger.ParseEntry(e.Text)
	switch {
	case err != nil:
		return nil, r.damaged("entry %d: %v", e.Number, err)
	case workspace != r.name || number != e.Number:
		return nil, r.damaged("entry %d says that it is entry %d of workspace %q", e.Number, number, workspace)
	}
	return lines, nil
}

// line reads what a line is about.
func (r *copyReader) line(b *copyBatch, line string) error {
	switch what, number := ledger.Subject(line); what {
	case "response":
		return r.response(b, number)
	case "failure":
		f, err := r.failure(line)
		b.failures = append(b.failures, f)
		return err
	case "redaction":
		clear(r.icons) // the target may drop some of them
		left, err := readLeft(r.ctx, r.tx, r.ws, number)
		b.left = append(b.left, left)
		return err
	}
	return nil
}

func (r *copyReader) response(b *copyBatch, at int64) error {
	if ledger.Contains(r.plan.dropped.responses, at) {
		return nil
	}
	if err := r.responses.Err; err != nil {
		return err
	}
	if !r.responses.OK || r.responses.Next.At != at {
		return r.damaged("the response of %d is missing, or no entry names the one before it", at)
	}
	told, err := r.teller.Tell(r.responses.Next)
	if err != nil {
		return err
	}
	r.responses.Step()
	b.told = append(b.told, told)
	b.size += 1 + len(told.Facts) + len(told.Usage) + len(told.Began)
	for _, f := range told.Facts {
		if err := r.icon(b, f); err != nil {
			return err
		}
	}
	return nil
}

// icon reads the icon that a fact refers to.
func (r *copyReader) icon(b *copyBatch, f fold.Fact) error {
	digest, isIcon := strings.CutPrefix(strings.TrimSuffix(string(f.Value), `"`), `"sha256:`)
	if !isIcon || f.Top != "icon" || f.Sub != "" || r.icons[digest] || len(digest) != 64 {
		return nil
	}
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return nil // a text that only looks like one
	}
	text, err := iconText(r.ctx, r.tx, r.ws, digest)
	if err != nil {
		return err
	}
	r.icons[digest] = true
	b.icons = append(b.icons, copyIcon{raw, text})
	return nil
}

// failure reads a failure, which must be what its line says.
func (r *copyReader) failure(line string) (f failureRow, err error) {
	run, n, err := ledger.ParseFailureKey(line)
	if err != nil {
		return f, r.damaged("%v", err)
	}
	var erased []byte
	found := false
	err = Each(r.ctx, r.tx, failureRows+`
		WHERE f.ws = ? AND f.run = ? AND f.n = ?`, []any{r.ws, run, n}, func(scan func(...any) error) error {
		found = true
		return scan(&f.Run, &f.N, &f.Account, &f.Kind, &f.HTTPStatus, &f.Message, &f.At, &f.Salt, &erased)
	})
	if err == nil && (!found || f.lineWith(erased) != line) {
		err = r.damaged("failure %d of run %d is missing, or is not what the log says", n, run)
	}
	return f, err
}

// failureRows reads failures, with what is left of a message that was redacted.
const failureRows = `
		SELECT f.run, f.n, f.account, f.kind, f.http_status, f.message, f.at, f.salt, (
			SELECT hash FROM redacted x WHERE x.ws = f.ws AND x.what = 'failure' AND x.part = f.run AND x.at = f.n
		)
		FROM failure f`

// checkLine returns an error unless the response, with the root of what it showed, is what
// the log says.
func (c *copying) checkLine(told *fold.Told, root ledger.Hash, line string) error {
	r := told.Response
	r.Root = root
	if r.Line() == line {
		return nil
	}
	return c.damaged("the response of %d is not what the log says: %q, and not %q", r.At, r.Line(), line)
}

var errOtherWriter = fmt.Errorf("%w: another process has written to the copy", store.ErrConflict)
