package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// String is how a row is called that belongs to a snapshot.
func (p spot) String() string {
	return fmt.Sprintf("response %d, account %d", p.response, p.account)
}

// response compares a response and what it showed with its line.
func (c *logCheck) response(ctx context.Context, l lineOf, row *loggedResponse) error {
	all, err := c.rows.shown.of(row.ID)
	if err != nil {
		return err
	}
	c.done.Responses++ // nobody else does
	c.done.Snapshots += int64(len(all))
	leaves := make([]ledger.Hash, len(all))
	shown := make([]*loggedDocument, len(all))
	for i := range all {
		if shown[i], err = c.snapshot(ctx, row, &all[i]); err != nil {
			return err
		}
		if shown[i] != nil {
			leaves[i] = shown[i].leafOf(row.ID, &all[i])
		}
	}
	line := row.line()
	if line.Shown, line.Root, err = c.page(row.ID, leaves); err != nil {
		return err
	}
	if line.Line() == l.text && row.AccountMin.Valid && row.AccountMax.Valid {
		for _, d := range shown {
			d.right = true
		}
	} else {
		c.blame(l, row, shown, line.Shown)
	}
	if row.Run != l.run {
		c.find("response", row.ID, "belongs to run %d, but to run %d according to entry %d", row.Run, l.run, l.entry)
	}
	return nil
}

// snapshot checks what the leaf of a snapshot does not tell. It answers nil when
// there is no leaf.
func (c *logCheck) snapshot(ctx context.Context, row *loggedResponse, s *shown) (*loggedDocument, error) {
	at := spot{row.ID, s.account}
	d, err := c.reader.document(ctx, s.document)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		c.find("snapshot", at, "shows document %d, but that document or its account is missing", s.document)
		return nil, nil
	case err != nil:
		return nil, err
	case d.account != s.account:
		c.find("snapshot", at, "shows document %d, which is of account %d", s.document, d.account)
		return nil, nil
	}
	if d.workspace != row.Workspace {
		c.find("account", s.account, "is of workspace %d, and shown by response %d of workspace %d", d.workspace, row.ID, row.Workspace)
	}
	if d.response > row.ID {
		c.find("document", s.document, "names response %d as its first, and is shown by response %d", d.response, row.ID)
	}
	if len(s.moved) > 0 && !s.received {
		c.find("usage", at, "has no row in table received")
	}
	if s.account > c.accounts {
		if s.account != c.accounts+1 {
			c.find("account", s.account, "should be number %d: accounts are numbered in the order in which they are first shown", c.accounts+1)
		}
		if c.accounts = s.account; d.firstSeen != row.Received {
			c.find("account", s.account, "has another first_seen than response %d, which first showed it", row.ID)
		}
	}
	return d, nil
}

// blame says what is wrong with a response that is not what its line says. Which of
// its snapshots it is, the hash over them does not tell; but documents that other
// responses show as they were are not it.
func (c *logCheck) blame(l lineOf, row *loggedResponse, shown []*loggedDocument, size int64) {
	want, err := ledger.ParseResponse(l.text)
	if err != nil {
		c.find("entry", l.entry, "%v", err)
		return
	}
	got := row.line()
	got.Shown, got.Root = want.Shown, want.Root
	if got.Line() != l.text || !row.AccountMin.Valid || !row.AccountMax.Valid {
		c.find("response", row.ID, "does not match entry %d: the entry says %q, the row %q", l.entry, l.text, got.Line())
	}
	suspects := slices.DeleteFunc(slices.Clone(shown), func(d *loggedDocument) bool { return d == nil || d.right })
	if want.Shown != size {
		c.find("response", row.ID, "showed %d accounts, but %d are stored", want.Shown, size)
		return
	}
	if len(suspects) == 1 {
		d := suspects[0]
		if c.blamed[d.id]++; c.blamed[d.id] > 1 { // once is enough
			return
		}
		c.find("document", d.id, "(or account %d) does not match what response %d showed according to entry %d", d.account, row.ID, l.entry)
		return
	}
	var names []string
	for _, d := range suspects {
		names = append(names, fmt.Sprint(d.id))
	}
	if names == nil {
		names = []string{"none: look at tables received and usage"}
	}
	c.find("response", row.ID, "does not match entry %d; documents that no other response confirms: %s",
		l.entry, list(names))
}
