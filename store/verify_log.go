package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// logCheck holds the log to the evidence, entry by entry: each row is named by the
// next line that is about such a row, and by no other one.
type logCheck struct {
	*verifier
	tx     *txn
	reader *logReader
	edge   [64]ledger.Hash // the last hash of each level of the tree
	size   int64           // of the tree so far
	trees  map[int64][]ledger.Hash

	rows     evidenceRows
	thinned  thinnings
	redacted map[int64]bool   // accounts that an entry names
	before   int64            // responses up to this one are not checked
	named    map[string]int64 // the highest number of each kind so far
	accounts int64            // how many were shown so far
	runs     runLines
	blamed   map[int64]int64 // responses in which a document was found, by document
}

// checkLog is the part of the check that is about evidence.
func (v *verifier) checkLog(ctx context.Context, tx *txn) (err error) {
	c := &logCheck{
		verifier: v, tx: tx, reader: newLogReader(tx), trees: map[int64][]ledger.Hash{},
		named: map[string]int64{}, runs: runLines{open: map[int64]string{}}, blamed: map[int64]int64{}, redacted: map[int64]bool{},
	}
	for _, tree := range v.options.Trees {
		c.trees[tree.N] = append(c.trees[tree.N], tree.Hash)
	}
	if since := v.options.Since; since.N > 0 {
		c.trees[since.N] = append(c.trees[since.N], since.Hash)
	}
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer c.rows.close()
	defer c.thinned.rows.close()
	err = tx.each(ctx, func(scan func(...any) error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var e entryRow
		if err := scan(&e.id, &e.text, &e.hashes); err != nil {
			return err
		}
		return c.entry(ctx, e)
	}, `SELECT id, text, hashes FROM entry WHERE id > ? ORDER BY id`, v.options.Since.N)
	if err != nil {
		return err
	}
	return c.end(ctx)
}

// begin finds where the check begins.
func (c *logCheck) begin(ctx context.Context) (err error) {
	for _, what := range []string{"run", "response", "failure", "absence"} {
		if c.named[what], err = c.namedBefore(ctx, c.tx, what); err != nil {
			return err
		}
	}
	if err := c.readTrees(ctx); err != nil {
		return err
	}
	if c.size > 0 {
		err := c.tx.GetContext(ctx, &c.accounts,
			`SELECT coalesce(max(account_max), 0) FROM response WHERE id <= ?`, c.named["response"])
		if err != nil {
			return err
		}
	}
	c.before = c.named["response"]
	if c.thinned, err = newThinnings(ctx, c.tx, c.before); err != nil {
		return err
	}
	return c.rows.open(ctx, c)
}

// readTrees takes the hashes of the tree from which the check begins as they are
// stored, and checks those that came before it.
func (c *logCheck) readTrees(ctx context.Context) error {
	c.size = c.options.Since.N
	var last int64
	if err := c.tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM entry`); err != nil {
		return err
	}
	for n, hashes := range c.trees {
		if n > c.size {
			continue
		}
		for _, hash := range hashes {
			switch err := extends(ctx, c.tx, tlog.Tree{N: n, Hash: hash}); {
			case errors.Is(err, ErrRewritten):
				c.find("entry", "", "%v", err)
			case err != nil:
				return err
			}
		}
		delete(c.trees, n)
	}
	reader := hashReader(ctx, c.tx)
	for level := range 63 {
		if c.size>>level&1 == 0 || c.size > last {
			continue
		}
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(level, c.size>>level-1)})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil {
			c.edge[level] = hashes[0]
		}
	}
	return nil
}

// checkTree compares the tree over the first n entries with what is told of it.
func (c *logCheck) checkTree(n int64, hash ledger.Hash) {
	for _, want := range c.trees[n] {
		if want != hash {
			c.find("entry", "", "%v: its first %d entries are others", ErrRewritten, n)
		}
	}
	delete(c.trees, n)
}

type entryRow struct {
	id     int64
	text   string
	hashes []byte
}

// entry checks an entry and what it names.
func (c *logCheck) entry(ctx context.Context, e entryRow) error {
	switch {
	case e.id > ledger.MaxEntries:
		c.find("entry", e.id, "no log has so many entries")
		return nil
	case e.id > c.size+1:
		c.find("entry", c.size+1, "is missing: entry %d follows entry %d", e.id, c.size)
	}
	if err := c.hash(e); err != nil {
		return err
	}
	number, lines, err := ledger.ParseEntry(e.text)
	switch {
	case err != nil:
		c.find("entry", e.id, "%v", err)
		return nil
	case number != e.id:
		c.find("entry", e.id, "says that it is number %d", number)
	}
	var run int64
	for _, line := range lines {
		what, subject := ledger.Subject(line)
		if what == "run" {
			run = subject
		}
		if err := c.line(ctx, lineOf{e.id, run, subject, line}, what); err != nil {
			return err
		}
	}
	return nil
}

// hash checks the hashes of an entry. They are taken as they are stored from then
// on, so that one that is wrong is not found again with each that rests on it.
func (c *logCheck) hash(e entryRow) error {
	hashes, err := tlog.StoredHashes(e.id-1, []byte(e.text), tlog.HashReaderFunc(c.readEdge))
	if err != nil {
		return err
	}
	whole := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, hash := range hashes {
		whole = append(whole, hash[:]...)
	}
	switch {
	case bytes.Equal(whole, e.hashes):
	case !bytes.HasPrefix(e.hashes, hashes[0][:]):
		c.find("entry", e.id, "is not the text that was hashed")
	default:
		c.find("entry", e.id, "has hashes that are not those of the tree")
	}
	for level := range hashes {
		if c.edge[level] = hashes[level]; len(e.hashes) == len(whole) {
			copy(c.edge[level][:], e.hashes[level*tlog.HashSize:])
		}
	}
	c.size = e.id
	if len(c.trees[c.size]) > 0 {
		root, err := tlog.TreeHash(c.size, tlog.HashReaderFunc(c.readEdge))
		if err != nil {
			return err
		}
		c.checkTree(c.size, root)
	}
	return nil
}

// readEdge is a tlog.HashReader for what the next entry and the root of the tree
// rest on: the last hash of each level.
func (c *logCheck) readEdge(indexes []int64) ([]ledger.Hash, error) {
	hashes := make([]ledger.Hash, len(indexes))
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		hashes[i] = c.edge[level]
	}
	return hashes, nil
}

// end looks at what is left when all entries were read.
func (c *logCheck) end(ctx context.Context) error {
	for n := range c.trees {
		c.find("entry", "", "%v: the log has %d entries, the checkpoint %d", ErrRewritten, c.size, n)
	}
	root, err := tlog.TreeHash(c.size, tlog.HashReaderFunc(c.readEdge))
	if err != nil {
		return err
	}
	c.done.Tree = tlog.Tree{N: c.size, Hash: root} // nobody else does
	if err := c.runs.end(ctx, c); err != nil {
		return err
	}
	return errors.Join(c.thinned.end(c), c.endRedacted(ctx), c.rows.end(ctx, c))
}

// namedBefore is the highest number of the kind that the entries name which are
// not checked.
func (v *verifier) namedBefore(ctx context.Context, tx *txn, what string) (number int64, err error) {
	if v.options.Since.N == 0 {
		return 0, nil
	}
	found := errors.New("found")
	err = tx.each(ctx, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		_, lines, err := ledger.ParseEntry(text)
		if err != nil {
			return damagedRow("entry", err)
		}
		for _, line := range lines {
			if kind, n := ledger.Subject(line); kind == what {
				number = max(number, n)
			}
		}
		if number > 0 {
			return found
		}
		return nil
	}, `SELECT text FROM entry WHERE id <= ? ORDER BY id DESC`, v.options.Since.N)
	if errors.Is(err, found) {
		err = nil
	}
	return number, err
}

// noMore is above all row numbers.
const noMore = math.MaxInt64
