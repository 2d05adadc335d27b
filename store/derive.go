package store

import (
	"context"
	"database/sql"
)

// derive writes what follows from the evidence of the step: a version with its
// changes, a status step, assignments, and where the account now stands.
func (s *step) derive(ctx context.Context) error {
	if s.changed() {
		if err := s.insertVersion(ctx); err != nil {
			return err
		}
		if err := s.insertChanges(ctx); err != nil {
			return err
		}
	}
	if err := s.insertStatusStep(ctx); err != nil {
		return err
	}
	if s.fresh || s.changed() {
		if err := s.assign(ctx); err != nil {
			return err
		}
	}
	h := s.head
	h.Gone = s.new.Gone
	h.remember(s.new, s.documentID)
	h.LockedUntil = s.lockedUntil()
	h.at(s.page.source).Version = sql.NullInt64{Int64: h.VersionID, Valid: true}
	s.page.w.heads.change(h)
	return nil
}

// lockedUntil is when the state has to be looked at again although nothing else
// may have changed.
func (s *step) lockedUntil() sql.NullInt64 {
	if until := s.facts.LockedUntil; !until.IsZero() {
		return nullMS(until)
	}
	if until, ok := ParseResetsIn(s.new.ResetsIn, s.new.At); ok {
		return nullMS(until)
	}
	return sql.NullInt64{}
}

func (s *step) insertVersion(ctx context.Context) error {
	f := s.facts
	return s.page.tx.insert(ctx, &s.head.VersionID, `
		INSERT INTO version (
			id, account_id, number, response_id, document_id, valid_from, health, status, status_code_info,
			status_code_description, username, type, last_synchronization_time, locked_until, squid_count
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.page.w.numbers.next("version"), s.head.AccountID, s.before.Number+1, s.page.id, s.documentID, s.page.received, f.Health, nullText(f.Status),
		nullText(f.Info), nullText(f.Description), f.Username, f.Type, nullText(f.LastSync), nullMS(f.LockedUntil),
		len(f.Squids))
}

func (s *step) insertChanges(ctx context.Context) error {
	for _, c := range s.changes {
		after, err := s.after(ctx, c)
		if err != nil {
			return err
		}
		_, err = s.page.tx.ExecContext(ctx, `
			INSERT INTO change (
				id, account_id, version_id, kind, path, old, new, health_before, health_after, after, before
			) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			s.page.w.numbers.next("change"), s.head.AccountID, s.head.VersionID, c.Kind, c.Path, textOrNull(c.Old), textOrNull(c.New),
			nullText(string(c.HealthBefore)), nullText(string(c.HealthAfter)), after, s.page.received)
		if err != nil {
			return err
		}
	}
	return nil
}

// statusChanged reports whether a status field or the health is another than before. A
// status that was not known before, or is out of date, is no change by itself.
func (s *step) statusChanged() bool {
	if s.before.Number == 0 || s.facts.Health != s.before.Health {
		return true
	}
	for _, c := range s.changes {
		if c.Kind == StatusChanged && (c.Path == "/status" || c.Path == "/status_code_info") {
			return true
		}
	}
	return false
}

// insertStatusStep writes a step when a status field or the health changed.
func (s *step) insertStatusStep(ctx context.Context) error {
	status, info := nullText(s.facts.Status), nullText(s.facts.Info)
	if !s.statusChanged() {
		return nil
	}
	after, err := s.stepAfter(ctx)
	if err != nil {
		return err
	}
	if h := s.head; s.before.Number == 0 || s.facts.Health != s.before.Health {
		h.Health, h.SinceAfter, h.SinceBefore = s.facts.Health, after, s.page.received
	}
	return s.page.tx.insert(ctx, &s.head.StepID, `
		INSERT INTO status_step (
			id, account_id, response_id, status_before, status_after, info_before, info_after,
			health_before, health_after, after, before
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.page.w.numbers.next("status_step"), s.head.AccountID, s.page.id, s.before.Status, status, s.before.Info, info,
		nullText(string(s.before.Health)), s.facts.Health, after, s.page.received)
}

// stepAfter is the earliest start of the windows of the changes that make the
// step. A step without such changes comes from resets_in.
func (s *step) stepAfter(ctx context.Context) (earliest sql.NullInt64, err error) {
	found := false
	for _, c := range s.changes {
		if c.HealthAfter == "" {
			continue
		}
		after, err := s.after(ctx, c)
		if err != nil {
			return after, err
		}
		if !found || !after.Valid || earliest.Valid && after.Int64 < earliest.Int64 {
			earliest, found = after, true
		}
	}
	if !found {
		return s.lastTold(ctx, "resets_in")
	}
	return earliest, nil
}

// assign opens and closes assignments so that the open ones are those the
// response shows. A response without a squids field says nothing of them.
func (s *step) assign(ctx context.Context) error {
	if !s.new.Gone && !hasMember(*s.new.last(s.new.Latest), "squids") {
		return nil
	}
	open, err := s.openAssignments(ctx)
	if err != nil {
		return err
	}
	after, err := s.assignedAfter(ctx)
	if err != nil {
		return err
	}
	for _, squid := range s.facts.Squids {
		if err := s.nameSquid(ctx, squid); err != nil {
			return err
		}
		if known, already := open[squid.ID]; already {
			delete(open, squid.ID)
			if err := s.renameAssignment(ctx, known, squid.Name); err != nil {
				return err
			}
			continue
		}
		if err := s.openAssignment(ctx, squid, after); err != nil {
			return err
		}
	}
	for _, ended := range open {
		// It ended after it was last seen to hold, at the earliest.
		_, err := s.page.tx.ExecContext(ctx, `
			UPDATE assignment SET to_after = coalesce(?, from_after, from_before), to_before = ? WHERE id = ?`,
			after, s.page.received, ended.id)
		if err != nil {
			return err
		}
	}
	return nil
}

// assignedAfter begins the window in which assignments changed.
func (s *step) assignedAfter(ctx context.Context) (sql.NullInt64, error) {
	switch {
	case s.before.Number == 0:
		return sql.NullInt64{}, nil
	case s.new.Gone:
		return s.after(ctx, Change{Kind: WentGone})
	case s.old.Gone:
		return s.after(ctx, Change{Kind: Returned})
	}
	return s.lastTold(ctx, "squids")
}

// openAssignment is one that lasts, with the name that the account's document gave the
// squid last.
type openAssignment struct {
	id   int64
	name string
}

// openAssignments maps the squids that use the account to their assignments.
func (s *step) openAssignments(ctx context.Context) (map[string]openAssignment, error) {
	var rows []struct {
		ID   int64  `db:"id"`
		Hash string `db:"hash"`
		Name string `db:"name"`
	}
	err := s.page.tx.SelectContext(ctx, &rows, `
		SELECT g.id AS id, q.hash AS hash, g.name AS name
		FROM assignment g
		JOIN squid q ON q.id = g.squid_id
		WHERE g.account_id = ? AND g.to_before IS NULL
		ORDER BY g.id`, s.head.AccountID)
	open := make(map[string]openAssignment, len(rows))
	for _, row := range rows {
		open[row.Hash] = openAssignment{row.ID, row.Name}
	}
	return open, err
}

func (s *step) openAssignment(ctx context.Context, squid Squid, after sql.NullInt64) error {
	_, err := s.page.tx.ExecContext(ctx, `
		INSERT INTO assignment (id, squid_id, account_id, from_after, from_before, name)
		SELECT ?, id, ?, ?, ?, ? FROM squid WHERE workspace_id = ? AND hash = ?`,
		s.page.w.numbers.next("assignment"), s.head.AccountID, after, s.page.received, squid.Name, s.page.w.heads.workspaceID, squid.ID)
	return err
}

// renameAssignment notes what the account's document calls the squid now. Of two names
// within a millisecond, the first is kept as that of before.
func (s *step) renameAssignment(ctx context.Context, open openAssignment, name string) error {
	if open.name == name {
		return nil
	}
	_, err := s.page.tx.ExecContext(ctx, `
		INSERT INTO assignment_name (account_id, assignment_id, until, name) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		s.head.AccountID, open.id, s.page.received, open.name)
	if err != nil {
		return err
	}
	_, err = s.page.tx.ExecContext(ctx, `UPDATE assignment SET name = ? WHERE id = ?`, name, open.id)
	return err
}

// nameSquid makes sure that the squid is known, and that the name shown is the one seen
// last. It may be shown otherwise by another account: see table assignment_name.
func (s *step) nameSquid(ctx context.Context, squid Squid) error {
	tx, heads := s.page.tx, s.page.w.heads
	numbers := s.page.w.numbers
	// Where names are kept that do not come from here, what was known need not hold.
	if name, known := heads.squids[squid.ID]; known && name == squid.Name && numbers == nil {
		return nil
	}
	heads.squids[squid.ID] = squid.Name
	workspace := heads.workspaceID
	result, err := tx.ExecContext(ctx, `INSERT INTO squid (id, workspace_id, hash) VALUES (?, ?, ?) ON CONFLICT (workspace_id, hash) DO NOTHING`,
		numbers.peek("squid"), workspace, squid.ID)
	if err != nil {
		return err
	}
	switch added, err := result.RowsAffected(); {
	case err != nil:
		return err
	case added > 0:
		numbers.next("squid")
	}
	_, err = tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO squid_name (squid_id, since, name)
		SELECT q.id, ?1, ?2
		FROM squid q
		WHERE q.workspace_id = ?3 AND q.hash = ?4 AND ?2 IS NOT (
			-- Names of later may be there already: those that a redacted account told of.
			SELECT n.name FROM squid_name n WHERE n.squid_id = q.id AND n.since <= ?1 ORDER BY n.since DESC LIMIT 1
		)`, s.page.received, squid.Name, workspace, squid.ID)
	return err
}
