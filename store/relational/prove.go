package relational

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Prove makes the proof of a snapshot. It returns ErrNotFound when there was none at or
// before the moment, ErrLater when it came after the log had that size, and
// ErrRedacted.
func (s *Store) Prove(ctx context.Context, q store.ProofQuery) (p store.Proof, err error) {
	err = s.db.ReadApart(ctx, func(tx Tx) error {
		m := prover{ctx: ctx, tx: tx, query: q, proof: &p}
		if m.ws, m.account, err = findAccount(ctx, tx, q.Workspace, q.Account); err != nil {
			return err
		}
		for _, step := range []func() error{m.tree, m.snapshot, m.entry, m.show, m.next} {
			if err := step(); err != nil {
				return err
			}
		}
		p.InLog, err = tlog.ProveRecord(p.Tree.N, p.EntryIndex, HashReader(ctx, tx, m.ws))
		return err
	})
	return p, s.db.Failure(err)
}

// prover makes one proof.
type prover struct {
	ctx         context.Context
	tx          Tx
	query       store.ProofQuery
	ws, account int64
	at          int64 // the response
	slot        fold.Slot
	logged      ledger.Response
	proof       *store.Proof
}

// tree finds the tree of the log as it had that size.
func (m *prover) tree() (err error) {
	tree := &m.proof.Tree
	if tree.N = m.query.Size; tree.N == 0 {
		*tree, err = treeOf(m.ctx, m.tx, m.ws)
		return err
	}
	tree.Hash, err = tlog.TreeHash(tree.N, HashReader(m.ctx, m.tx, m.ws))
	return err
}

// snapshot finds the last response that showed the account at or before the moment.
func (m *prover) snapshot() error {
	seen, err := seenAt(m.ctx, m.tx, m.ws, m.account, moment(m.query.At))
	if err != nil {
		return err
	}
	if _, m.at = latest(seen); m.at == 0 {
		return store.ErrNotFound
	}
	m.proof.Taken, m.proof.Response = time.UnixMilli(m.at).UTC(), m.at
	var row struct {
		Source int64 `db:"source"`
		Slot   int64 `db:"slot"`
	}
	if err := m.tx.GetContext(m.ctx, &row, `SELECT source, slot FROM response WHERE ws = ? AND at = ?`, m.ws, m.at); err != nil {
		return err
	}
	source, err := sourceName(row.Source)
	m.slot = fold.Slot{Source: source, Number: row.Slot}
	return err
}

// entry finds the entry that names the response.
func (m *prover) entry() error {
	p := m.proof
	var row struct {
		ID   int64  `db:"id"`
		Text string `db:"text"`
	}
	err := m.tx.GetContext(m.ctx, &row, `
		SELECT id, text FROM entry
		WHERE ws = ? AND instr(text, ?) > 0
		ORDER BY id LIMIT 1`, m.ws, fmt.Sprintf("\nresponse %d ", m.at))
	if errors.Is(err, sql.ErrNoRows) {
		return Damaged("log", fmt.Errorf("no entry names response %d", m.at))
	}
	if err != nil {
		return err
	}
	p.EntryIndex, p.Entry = row.ID-1, ledger.EntryHeader(m.query.Workspace, row.ID)+row.Text
	if p.EntryIndex >= p.Tree.N {
		return fmt.Errorf("the snapshot of %s %w", p.Taken.Format(time.RFC3339Nano), store.ErrLater)
	}
	_, _, lines, err := ledger.ParseEntry(p.Entry)
	for _, line := range lines {
		if what, at := ledger.Subject(line); what == "response" && at == m.at && err == nil {
			m.logged, err = ledger.ParseResponse(line)
		}
	}
	if err != nil {
		return Damaged("log", err)
	}
	hashes, err := HashReader(m.ctx, m.tx, m.ws).ReadHashes([]int64{tlog.StoredHashIndex(0, p.EntryIndex)})
	if err == nil && hashes[0] != tlog.RecordHash([]byte(p.Entry)) {
		err = Damaged("log", fmt.Errorf("the text of entry %d is not the one that was hashed", row.ID))
	}
	return err
}

// show makes the part of the proof that is about the response: it works out the leaves
// of all accounts that it showed.
func (m *prover) show() error {
	var members []struct {
		ID       int64  `db:"id"`
		Hash     string `db:"hash"`
		Salt     []byte `db:"salt"`
		Endpoint int64  `db:"endpoint"`
	}
	err := m.tx.SelectContext(m.ctx, &members, `
		SELECT a.id AS id, a.hash AS hash, a.salt AS salt, s.endpoint AS endpoint
		FROM shown s
		ORDERED JOIN account a ON a.ws = s.ws AND a.id = s.account
		WHERE s.ws = ? AND s.source = ? AND s.slot = ? AND ? BETWEEN s.first AND s.last
		ORDER BY a.id`, m.ws, sourceID(m.slot.Source), m.slot.Number, m.at)
	if err != nil {
		return err
	}
	leaves, p := make([]ledger.Hash, len(members)), m.proof
	for i, member := range members {
		o, body, documentAt, err := m.observed(member.ID, member.Endpoint, member.Hash, member.Salt)
		if err != nil {
			return err
		}
		leaves[i] = o.Leaf()
		if member.ID != m.account {
			continue
		}
		if len(member.Salt) == 0 && !m.query.WithoutDocument {
			return fmt.Errorf("account %s %w", member.Hash, store.ErrRedacted)
		}
		p.Shown, p.Index = o, int64(i)
		if body != nil && !m.query.WithoutDocument {
			p.Document, p.Blind = body, ledger.Salt(member.Salt).DocumentBlind(documentAt)
		}
	}
	page := ledger.NewPageTree(leaves)
	if page.Root() != m.logged.Root {
		return Damaged("response", fmt.Errorf("%d is not what the log says", m.at))
	}
	p.InResponse = page.Prove(int(p.Index))
	return nil
}

// observed is what the leaf of an account in the response is made of.
func (m *prover) observed(account, endpoint int64, id string, salt ledger.Salt) (o ledger.Observed, body []byte, documentAt int64, err error) {
	if o.Account = id; len(salt) == 0 {
		return o, nil, 0, m.erased(account, endpoint, &o)
	}
	bodies, err := documentsAt(m.ctx, m.tx, m.ws, account, m.at)
	if body = bodies[endpoint-1]; err != nil || body == nil {
		return o, nil, 0, err
	}
	var at struct {
		Document int64 `db:"document"`
		Counters int64 `db:"counters"`
	}
	// The counters are those that stood when the endpoint last brought something new, or
	// was heard after another one.
	err = m.tx.GetContext(m.ctx, &at, `
		SELECT
			coalesce((SELECT max(at) FROM fact WHERE ws = ?1 AND account = ?2 AND endpoint = ?3 AND at <= ?4), 0) AS document,
			coalesce((SELECT max(at) FROM usage WHERE ws = ?1 AND account = ?2 AND at <= ?4), 0) AS counters`,
		m.ws, account, endpoint, m.at)
	if err != nil {
		return o, nil, 0, err
	}
	o.Document = new(salt.DocumentBlind(at.Document).Document(body))
	if at.Counters > 0 {
		counters, err := loggedCounters(m.ctx, m.tx, m.ws, account, m.at)
		if err != nil {
			return o, nil, 0, err
		}
		o.Counters = new(salt.CountersBlind(at.Counters).Counters(counters))
	}
	return o, body, at.Document, nil
}

// erased reads the commitments that are left of an account that was redacted.
func (m *prover) erased(account, endpoint int64, o *ledger.Observed) error {
	for _, part := range []struct {
		what string
		part int64
		to   **ledger.Hash
	}{{"document", endpoint, &o.Document}, {"counters", 0, &o.Counters}} {
		var hash []byte
		err := Each(m.ctx, m.tx, `
			SELECT hash FROM redacted WHERE ws = ? AND account = ? AND what = ? AND part = ? AND at <= ? ORDER BY at DESC LIMIT 1`, []any{m.ws, account, part.what, part.part, m.at}, func(scan func(...any) error) error { return scan(&hash) })
		if err != nil {
			return err
		}
		if h := ledger.Hash(append(hash, make([]byte, 32)...)[:32]); h != (ledger.Hash{}) {
			*part.to = &h
		}
	}
	if o.Document == nil {
		o.Counters = nil
	}
	return nil
}

// loggedCounters are all counters of an account at a moment, by pointer.
func loggedCounters(ctx context.Context, tx Tx, ws, account, at int64) (all []ledger.Counter, err error) {
	a := &fold.Account{Number: account}
	err = countersOf(ctx, tx, ws, a, at)
	return a.LoggedCounters(), err
}

// next finds when the account was next seen, if it was not until the moment asked for.
func (m *prover) next() error {
	if m.query.At.IsZero() || moment(m.query.At) == m.at {
		return nil
	}
	var pruned bool
	err := m.tx.GetContext(m.ctx, &pruned, `SELECT EXISTS (SELECT 1 FROM entry WHERE ws = ? AND instr(text, ?) > 0)`, m.ws, "\nprune ")
	if err != nil || !pruned {
		return err
	}
	var ms sql.NullInt64
	err = m.tx.GetContext(m.ctx, &ms, `
		SELECT min((
			SELECT min(at) FROM response WHERE ws = s.ws AND source = s.source AND slot = s.slot AND at > ?3 AND at BETWEEN s.first AND s.last
		))
		FROM shown s WHERE s.ws = ?1 AND s.account = ?2 AND s.last > ?3`, m.ws, m.account, m.at)
	m.proof.Next = instant(ms)
	return err
}
