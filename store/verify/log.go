package verify

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// logReader reads the log, entry by entry: it checks the tree, and hands on the lines
// about responses one by one. What the other lines say is kept.
type logReader struct {
	check    *check
	next     func() (Entry, error, bool)
	stop     func()
	lines    []string              // of the entry at hand that were not handed on
	entry    int64                 // its number
	tree     ledger.Frontier       // of the entries so far
	runs     map[int64][32]byte    // the last line about each, hashed
	failures map[[2]int64][32]byte // by run and number
	absences map[absence]int64     // the run
	pruned   prunes
	redacted []ledger.Redaction
}

type absence struct {
	account string
	since   int64
}

// prunes is what the prunes of the whole log dropped.
type prunes struct {
	entries, responses []ledger.Range
}

func (c *check) newLogReader() (*logReader, error) {
	l := &logReader{
		check: c, runs: map[int64][32]byte{}, failures: map[[2]int64][32]byte{}, absences: map[absence]int64{},
	}
	// What a prune dropped stands in the log before the prune.
	for e, err := range c.rows.Prunes {
		if err != nil {
			return nil, err
		}
		_, _, lines, _ := ledger.ParseEntry(e.Text) // checked below
		for _, line := range lines {
			if p, err := ledger.ParsePrune(line); err == nil {
				l.pruned.entries = append(l.pruned.entries, p.Entries...)
				l.pruned.responses = append(l.pruned.responses, p.Responses...)
			}
		}
	}
	for _, ranges := range [][]ledger.Range{l.pruned.entries, l.pruned.responses} {
		slices.SortFunc(ranges, func(a, b ledger.Range) int { return int(min(1, max(-1, a.First-b.First))) })
	}
	if err := l.checkTree(); err != nil { // the empty one
		return nil, err
	}
	l.next, l.stop = iter.Pull2(c.rows.Entries)
	return l, nil
}

// response is the next line about a response that is there; false at the end.
func (l *logReader) response() (r ledger.Response, ok bool, err error) {
	for {
		for len(l.lines) > 0 {
			line := l.lines[0]
			l.lines = l.lines[1:]
			what, _ := ledger.Subject(line)
			if what != "response" {
				l.keep(what, line)
				continue
			}
			r, err := ledger.ParseResponse(line)
			if err != nil {
				l.check.find("entry", l.entry, "%v", err)
				continue
			}
			if !ledger.Contains(l.pruned.responses, r.At) {
				return r, true, nil
			}
		}
		e, err, more := l.next()
		if err != nil || !more {
			return r, false, err
		}
		if err := l.read(e); err != nil {
			return r, false, err
		}
	}
}

// read checks an entry, and takes its lines.
func (l *logReader) read(e Entry) error {
	if e.Number != l.tree.Size+1 {
		l.check.find("entry", e.Number, "it is out of sequence: entry %d must follow entry %d", l.tree.Size+1, l.tree.Size)
		return errBroken
	}
	if e.Pruned != ledger.Contains(l.pruned.entries, e.Number) {
		l.check.find("entry", e.Number, "its text is missing or there, and a prune says otherwise")
	}
	if err := l.hash(e); err != nil {
		return err
	}
	if e.Pruned {
		return nil
	}
	workspace, number, lines, err := ledger.ParseEntry(e.Text)
	switch {
	case err != nil:
		l.check.find("entry", e.Number, "%v", err)
	case number != e.Number || workspace != l.check.rows.Name:
		l.check.find("entry", e.Number, "it says that it is entry %d of workspace %q", number, workspace)
	default:
		l.lines, l.entry = lines, e.Number
	}
	return nil
}

// errBroken ends a check: what follows cannot be told.
var errBroken = fmt.Errorf("%w: the log is broken", store.ErrDamaged)

// hash checks the hashes of an entry. They are taken as they are stored from then on,
// so that one that is wrong is not found again with each that rests on it.
func (l *logReader) hash(e Entry) error {
	var hashes []ledger.Hash
	var err error
	if e.Pruned {
		if len(e.Hashes) == 0 {
			l.check.find("entry", e.Number, "it has no hashes")
			return errBroken
		}
		hashes, err = tlog.StoredHashesForRecordHash(e.Number-1, e.Hashes[0], &l.tree)
	} else {
		hashes, err = l.tree.Hashes(e.Text)
	}
	if err != nil {
		return err
	}
	if !slices.Equal(hashes, e.Hashes) {
		l.check.find("entry", e.Number, "its text or its hashes are not those of the tree")
	}
	if len(e.Hashes) == len(hashes) {
		hashes = e.Hashes
	}
	l.tree.Add(hashes)
	return l.checkTree()
}

// checkTree compares the tree so far with what is known of it.
func (l *logReader) checkTree() error {
	known := l.check.options.Trees[l.tree.Size]
	if len(known) == 0 {
		return nil
	}
	root, err := l.tree.Root()
	for _, want := range known {
		if err == nil && want != root {
			l.check.find("entry", "", "%v: its first %d entries are others", store.ErrRewritten, l.tree.Size)
		}
	}
	return err
}

// keep keeps what a line says that is about no response.
func (l *logReader) keep(what, line string) {
	c := l.check
	var err error
	switch what {
	case "run":
		_, id := ledger.Subject(line)
		l.runs[id] = sha256.Sum256([]byte(line))
	case "failure":
		var run, n int64
		run, n, err = ledger.ParseFailureKey(line)
		l.failures[[2]int64{run, n}] = sha256.Sum256([]byte(line))
	case "absence":
		var a ledger.Absence
		if a, err = ledger.ParseAbsence(line); err == nil {
			l.absences[absence{a.Account, a.Since}] = a.Run
		}
	case "prune":
		_, err = ledger.ParsePrune(line)
	case "redaction":
		var r ledger.Redaction
		if r, err = ledger.ParseRedaction(line); err == nil {
			l.redacted = append(l.redacted, r)
		}
	default:
		err = fmt.Errorf("a line of an unknown kind: %.40q", line)
	}
	if err != nil {
		c.find("entry", l.entry, "%v", err)
	}
}
