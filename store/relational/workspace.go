package relational

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// still is the last instant of a stay that has not ended.
const still = math.MaxInt64

// workspace is what a writer keeps in memory of a workspace between transactions.
type workspace struct {
	id    int64
	name  string
	known fold.Workspace
	names interned // see table name
	texts interned // see table value, by digest
	icons map[[32]byte]bool
	log   *ledger.Frontier // nil: it was not read yet
	salt  func(of string) ledger.Salt
}

// interned numbers texts, from 1 on.
type interned struct {
	ids  map[string]int64
	next int64
}

// loadWorkspace reads what every response needs.
func loadWorkspace(ctx context.Context, tx Tx, id int64, name string, rules store.Rules) (*workspace, error) {
	w := &workspace{id: id, name: name, known: fold.Workspace{
		Rules: rules, Accounts: map[string]*fold.Account{}, Squids: map[string]int64{}, Pages: map[fold.Slot]*fold.Page{},
	}, icons: map[[32]byte]bool{}}
	err := Each(ctx, tx, `
		SELECT
			coalesce((SELECT max(at) FROM response WHERE ws = ?1), 0),
			coalesce((SELECT max(id) FROM account WHERE ws = ?1), 0) + 1,
			coalesce((SELECT max(id) FROM value WHERE ws = ?1), 0) + 1`, []any{id}, func(scan func(...any) error) error {
		return scan(&w.known.LastAt, &w.known.NextAccount, &w.texts.next)
	})
	if err != nil {
		return nil, err
	}
	w.names.ids, w.names.next, w.texts.ids = map[string]int64{}, 1, map[string]int64{}
	err = Each(ctx, tx, `SELECT id, top, sub FROM name WHERE ws = ? ORDER BY id`, []any{id}, func(scan func(...any) error) error {
		var number int64
		var top, sub string
		err := scan(&number, &top, &sub)
		w.names.ids[nameText(top, sub)] = number
		w.names.next = number + 1
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, Each(ctx, tx, `SELECT id, hash FROM squid WHERE ws = ? ORDER BY id`, []any{id}, func(scan func(...any) error) error {
		var number int64
		var hash string
		err := scan(&number, &hash)
		w.known.Squids[hash] = number
		return err
	})
}

// nameText is a name in one text. No text that was stored has this byte: it is in
// no UTF-8.
func nameText(top, sub string) string { return top + "\xff" + sub }

// trim forgets where the accounts stand when there are too many in memory. Within a
// transaction it would lose what the responses so far have changed: that is written at
// the end.
func (w *workspace) trim(most int) {
	if len(w.known.Accounts) > most {
		clear(w.known.Accounts)
	}
}

// load reads where the accounts stand that a response shows, as far as it is not in
// memory: of each as much as tells whether an object is the one before.
func (w *workspace) load(ctx context.Context, tx Tx, r store.Response) error {
	var missing []string
	for i := range r.Accounts {
		if id := r.Accounts[i].ID; w.known.Accounts[id] == nil {
			missing = append(missing, id)
		}
	}
	for _, id := range r.Absent {
		if w.known.Accounts[id] == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return w.loadBrief(ctx, tx, `
		FROM texts(?2) wanted
		LOOKUP (account a ON a.ws = ?1 AND a.hash = wanted.value)
		LOOKUP (state s ON s.ws = ?1 AND s.account = a.id)
		LOOKUP (said d ON d.ws = ?1 AND d.account = a.id)`, w.id, jsonList(missing))
}

// loadBrief reads accounts, of tables that a query joins: account a, state s and said d.
func (w *workspace) loadBrief(ctx context.Context, tx Tx, from string, args ...any) error {
	var last *fold.Account
	return Each(ctx, tx, `
		SELECT
			a.id, a.hash, a.first_at, a.salt, s.latest, s.gone, s.locked_until, s.locked_until IS NOT NULL AND EXISTS (
				SELECT 1 FROM name n JOIN counter c ON c.ws = n.ws AND c.account = s.account AND c.name = n.id
				WHERE n.ws = s.ws AND n.top = 'resets_in' AND n.sub = '' AND c.body <> 'null'
			), s.absent_since,
			d.endpoint, d.digest, d.leaf, d.document_at`+from+`
		ORDER BY a.id`, args, func(scan func(...any) error) error {
		var row struct {
			a                fold.Account
			latest, endpoint int64
			locked, absent   sql.NullInt64
			said             fold.Said
			leaf             []byte
		}
		a := &row.a
		err := scan(&a.Number, &a.ID, &a.FirstAt, (*[]byte)(&a.Salt), &row.latest, &a.Gone, &row.locked, &a.Counting, &row.absent,
			&row.endpoint, &row.said.Digest, &row.leaf, &row.said.DocumentAt)
		if err != nil {
			return err
		}
		if last == nil || last.Number != a.Number {
			a.Latest, a.LockedUntil, a.AbsentSince = fold.Endpoint(row.latest-1), row.locked.Int64, row.absent.Int64
			last = a
			w.known.Accounts[a.ID] = a
		}
		if row.endpoint < 1 || row.endpoint > fold.Endpoints || copy(row.said.Leaf[:], row.leaf) != len(row.said.Leaf) {
			return Damaged("said", errNoEndpoint)
		}
		last.Said[row.endpoint-1] = row.said
		return nil
	})
}

// complete reads what load left out.
func (w *workspace) complete(ctx context.Context, tx Tx, a *fold.Account) error {
	if a.Whole {
		return nil
	}
	if err := w.loadState(ctx, tx, a); err != nil {
		return err
	}
	for _, load := range []func(context.Context, Tx, *fold.Account) error{
		w.loadBodies, w.loadSeen, w.loadCounters, w.loadUses,
	} {
		if err := load(ctx, tx, a); err != nil {
			return err
		}
	}
	a.Whole = true
	return nil
}

func (w *workspace) loadState(ctx context.Context, tx Tx, a *fold.Account) error {
	return Each(ctx, tx, `
		SELECT `+wholeColumns+`
		FROM state s
		ORDERED JOIN version v ON v.ws = s.ws AND v.account = s.account AND v.until IS NULL
		WHERE s.ws = ? AND s.account = ?`, []any{w.id, a.Number}, func(scan func(...any) error) error {
		if err := scanWhole(scan, a); err != nil || a.Known == nil {
			return err
		}
		return checkDocument("state", a.Known)
	})
}

// wholeColumns are read from s (the state of an account) and v (its version).
const wholeColumns = `v.number, v.username, v.type, v.status, v.status_code_info, v.status_code_description,
			v.last_synchronization_time, v.squid_count, s.health, s.health_after, s.health_before, s.known, coalesce(s.outdated, 0), s.dropped`

func scanWhole(scan func(...any) error, a *fold.Account) error {
	var after, number, squids sql.NullInt64
	var username, kind, status, info, description, sync, dropped sql.NullString
	err := scan(&number, &username, &kind, &status, &info, &description, &sync, &squids, &a.Health, &after, &a.HealthBefore,
		&a.Known, &a.Outdated, &dropped)
	if err != nil {
		return err
	}
	a.Versions, a.Username, a.Type, a.Status, a.Info = number.Int64, username.String, kind.String, status.String, info.String
	a.Description, a.LastSync, a.SquidCount, a.HealthAfter = description.String, sync.String, int(squids.Int64), pointerTo(after)
	if dropped.Valid {
		if err := json.Unmarshal([]byte(dropped.String), &a.Dropped); err != nil {
			return Damaged("state", err)
		}
	}
	return nil
}

func (w *workspace) loadBodies(ctx context.Context, tx Tx, a *fold.Account) error {
	return Each(ctx, tx, `SELECT endpoint, body FROM body WHERE ws = ? AND account = ? ORDER BY endpoint`, []any{w.id, a.Number}, func(scan func(...any) error) error {
		var endpoint int64
		var body []byte
		err := scan(&endpoint, &body)
		if err == nil {
			err = checkDocument("body", body)
		}
		if err == nil && endpoint >= 1 && endpoint <= fold.Endpoints {
			a.Said[endpoint-1].Body = body
		}
		if fold.Endpoint(endpoint-1) == a.Latest && a.Known == nil {
			a.Known = body
		}
		return err
	})
}

// checkDocument returns an error unless what was read is a document: whoever uses it
// relies on that.
func checkDocument(table string, body []byte) error {
	if value := jsontext.Value(body); value.Kind() != '{' || !value.IsValid() {
		return Damaged(table, errNoDocument)
	}
	return nil
}

var errNoDocument = errors.New("a document is no JSON object")

// loadSeen finds the last response of each endpoint that showed the account.
func (w *workspace) loadSeen(ctx context.Context, tx Tx, a *fold.Account) error {
	return Each(ctx, tx, `
		SELECT s.endpoint, r.sent_at, r.at
		FROM shown s
		ORDERED JOIN response r ON r.ws = s.ws AND r.at = (
			SELECT max(at) FROM response WHERE ws = s.ws AND source = s.source AND slot = s.slot AND at BETWEEN s.first AND s.last
		)
		WHERE s.ws = ? AND s.account = ?`, []any{w.id, a.Number}, func(scan func(...any) error) error {
		var endpoint, sent, at int64
		if err := scan(&endpoint, &sent, &at); err != nil {
			return err
		}
		if endpoint < 1 || endpoint > fold.Endpoints {
			return Damaged("shown", errNoEndpoint)
		}
		if said := &a.Said[endpoint-1]; said.Received < at {
			said.Sent, said.Received = sent, at
		}
		return nil
	})
}

func (w *workspace) loadCounters(ctx context.Context, tx Tx, a *fold.Account) error {
	return countersOf(ctx, tx, w.id, a, still)
}

// countersOf reads the volatile values of an account as they stood at a moment.
func countersOf(ctx context.Context, tx Tx, ws int64, a *fold.Account, at int64) error {
	a.Counters, a.CountersAt = nil, 0
	query := `SELECT n.top, n.sub, c.at, c.body, c.max
		FROM counter c
		ORDERED JOIN name n ON n.ws = c.ws AND n.id = c.name
		WHERE c.ws = ?1 AND c.account = ?2 AND CAST(?3 AS BIGINT) IS NOT NULL
		ORDER BY c.name`
	if at < still {
		query = `SELECT n.top, n.sub, u.at, u.body, u.max
		FROM counter c
		ORDERED JOIN name n ON n.ws = c.ws AND n.id = c.name
		ORDERED JOIN usage u ON u.ws = c.ws AND u.account = c.account AND u.name = c.name AND u.at = (
			SELECT at FROM usage WHERE ws = c.ws AND account = c.account AND name = c.name AND at <= ?3 ORDER BY at DESC LIMIT 1
		)
		WHERE c.ws = ?1 AND c.account = ?2
		ORDER BY c.name`
	}
	return Each(ctx, tx, query, []any{ws, a.Number, at}, func(scan func(...any) error) error {
		var c document.Counter
		var top, sub string
		var at int64
		if err := scan(&top, &sub, &at, &c.Body, &c.Max); err != nil {
			return err
		}
		c.Pointer = "/" + document.EscapePointer(top) + sub
		a.Counters.Set(c)
		a.CountersAt = max(a.CountersAt, at)
		return nil
	})
}

func (w *workspace) loadUses(ctx context.Context, tx Tx, a *fold.Account) error {
	a.Uses = nil
	return Each(ctx, tx, `
		SELECT q.hash, g.squid, g.from_before, (SELECT sent_at FROM response WHERE ws = g.ws AND at = g.from_before),
			(SELECT name FROM squid_name WHERE ws = g.ws AND squid = g.squid AND account = g.account ORDER BY at DESC LIMIT 1)
		FROM assignment g
		ORDERED JOIN squid q ON q.ws = g.ws AND q.id = g.squid
		WHERE g.ws = ? AND g.account = ? AND g.to_before IS NULL
		ORDER BY q.hash`, []any{w.id, a.Number}, func(scan func(...any) error) error {
		var use fold.Use
		var sent sql.NullInt64
		if err := scan(&use.ID, &use.Squid, &use.Since, &sent, &use.Name); err != nil {
			return err
		}
		use.Sent = cmp.Or(sent.Int64, use.Since)
		a.Uses = append(a.Uses, use)
		return nil
	})
}

// loadPage reads what the last response of a slot showed.
func (w *workspace) loadPage(ctx context.Context, tx Tx, slot fold.Slot) error {
	if w.known.Pages[slot] != nil {
		return nil
	}
	page, source := &fold.Page{}, sourceID(slot.Source)
	err := Each(ctx, tx, `
		SELECT 0, 0, coalesce(max(at), 0) FROM response WHERE ws = ?1 AND source = ?2 AND slot = ?3
		UNION ALL
		SELECT account, endpoint, first FROM shown WHERE ws = ?1 AND source = ?2 AND slot = ?3 AND last = ?4
		ORDER BY 1`, []any{w.id, source, slot.Number, int64(still)}, func(scan func(...any) error) error {
		var m fold.Member
		var endpoint int64
		if err := scan(&m.Account, &endpoint, &m.First); err != nil {
			return err
		}
		if m.Account == 0 { // which no account has
			page.LastAt = m.First
			return nil
		}
		m.Endpoint = fold.Endpoint(endpoint - 1)
		page.Members = append(page.Members, m)
		return nil
	})
	if err == nil {
		w.known.Pages[slot] = page
	}
	return err
}

func pointerTo(n sql.NullInt64) *int64 {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}
