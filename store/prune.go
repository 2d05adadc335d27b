package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// Keep says which of the snapshots that show nothing new [Store.Prune] keeps. The
// counts are per account: one snapshot, the newest, of each of the last hours, days,
// ISO weeks and months, in UTC, in which the account has any. Unlimited is all of
// them. The zero value keeps none.
type Keep struct {
	// Within keeps what is no older than that, as seen from the newest snapshot of
	// the workspace: a workspace that is not watched any more loses nothing by it.
	Within                         time.Duration
	Hourly, Daily, Weekly, Monthly int
}

// Unlimited is a count without an end.
const Unlimited = -1

// KeepReason says why a snapshot is kept.
type KeepReason string

// Why snapshots are kept, in the order in which they are asked: the first that fits
// counts. The first seven are no matter of choice.
const (
	KeepVersion  KeepReason = "version"  // it began a version, or is the endpoint's first in one
	KeepStatus   KeepReason = "status"   // it made a status step within a version
	KeepAbsence  KeepReason = "absence"  // it ended an absence from lists
	KeepDocument KeepReason = "document" // it brought a document, though no change
	KeepCounters KeepReason = "counters" // counters moved, other bytes came, or resets_in ran
	KeepWindow   KeepReason = "window"   // it is the endpoint's last before one of those
	KeepNewest   KeepReason = "newest"   // it is the endpoint's newest
	KeepWithin   KeepReason = "within"
	KeepHourly   KeepReason = "hourly"
	KeepDaily    KeepReason = "daily"
	KeepWeekly   KeepReason = "weekly"
	KeepMonthly  KeepReason = "monthly"
)

// KeepReasons are all of them, in their order.
var KeepReasons = []KeepReason{
	KeepVersion, KeepStatus, KeepAbsence, KeepDocument, KeepCounters, KeepWindow, KeepNewest,
	KeepWithin, KeepHourly, KeepDaily, KeepWeekly, KeepMonthly,
}

// Pruned is what a prune did, or would do.
type Pruned struct {
	Snapshots int64 // that there were in the workspace
	Thinned   int64
	Responses int64 // that lost snapshots
	Kept      map[KeepReason]int64
	// The size of the store before and after, in bytes; zero when nothing was to be
	// done to it.
	BytesBefore, BytesAfter int64
}

// PlanPrune answers what [Store.Prune] would do, and does nothing. progress, unless
// nil, is called from time to time.
func (s *Store) PlanPrune(ctx context.Context, workspace string, keep Keep, progress func(done, total int64)) (Pruned, error) {
	p := newPruning(s, workspace, keep, progress)
	err := s.view(ctx, func(tx *sqlx.Tx) error {
		if err := p.mark(ctx, tx); err != nil {
			return err
		}
		return p.backwards(ctx, tx, func(decision) (bool, error) { return true, nil })
	})
	return p.done, err
}

// Prune thins out the snapshots of a workspace that show nothing new, and gives the
// space back.
//
// A snapshot may be thinned out when nothing followed from it: it began no version
// and was not the first in one from its endpoint (lists and imports, or details),
// brought no document, moved no counter, made no status step, ended no absence, and
// resets_in was not running. The windows of what did happen rest on the snapshots
// before, so of each endpoint the last before any snapshot from which something
// followed stays too, and the newest. Of the others keep says which stay. Responses,
// runs, failures and assignments all stay.
//
// So all that is derived is the same before and after, to the numbers of the rows,
// and comes out the same when it is derived again. What moments are told to have
// shown (accounts, documents and when they were seen, at a time) is as of the last
// snapshot before them that is left.
//
// The hashes of what was thinned out stay, so that each response still has the root
// that the log says; and each transaction is an entry of the log. Transactions are
// bounded: a prune that is broken off has done a part of its work, and the next one
// with the same keep does the rest. Rows are gone for good only where the space is
// given back, for which the disk needs room for another copy of the store; where it
// has none, ErrFull is returned, and all else is done.
//
// The store must have been opened for writing. progress, unless nil, is called from
// time to time. It returns ErrNotFound for a workspace without history.
func (s *Store) Prune(ctx context.Context, workspace string, keep Keep, progress func(done, total int64)) (Pruned, error) {
	if s.writer == nil {
		return Pruned{}, errors.New("store: opened for reading")
	}
	p := newPruning(s, workspace, keep, progress)
	if err := p.run(ctx); err != nil {
		return p.done, err
	}
	var err error
	if p.done.BytesBefore, p.done.BytesAfter, err = s.shrink(ctx); err != nil {
		return p.done, fmt.Errorf("space could not be given back: %w", err)
	}
	return p.done, nil
}

// dataVersion answers a number that moves when others write to the file.
const dataVersion = `PRAGMA data_version`

// pruning is a prune while it runs. It goes through the snapshots twice: forwards,
// to find those from which something followed, and backwards, because what is the
// last of its kind is known from there.
type pruning struct {
	store     *Store
	workspace string
	id        int64 // of the workspace
	keep      Keep
	progress  func(done, total int64)
	version   int64 // see dataVersion

	last        int64 // the workspace's highest response
	newest      int64 // when it was received
	marked      ticks
	reader      *logReader
	fates       map[int64]*fate
	done        Pruned
	nextReverse int64 // the response to go on from, backwards
}

func newPruning(s *Store, workspace string, keep Keep, progress func(done, total int64)) *pruning {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	return &pruning{
		store: s, workspace: workspace, keep: keep, progress: progress, fates: map[int64]*fate{},
		done: Pruned{Kept: map[KeepReason]int64{}},
	}
}

func (p *pruning) run(ctx context.Context) error {
	err := p.store.writer.conn.GetContext(ctx, &p.version, dataVersion)
	if err != nil {
		return p.store.failure(err)
	}
	if err := p.store.view(ctx, func(tx *sqlx.Tx) error { return p.mark(ctx, tx) }); err != nil {
		return err
	}
	for p.nextReverse > 0 {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := p.store.update(ctx, func(tx *txn) error { return p.thin(ctx, tx) }); err != nil {
			return err
		}
	}
	return nil
}

// ledger is keep as the log has it.
func (k Keep) ledger() ledger.Keep {
	return ledger.Keep{
		WithinMS: k.Within.Milliseconds(), Hourly: int64(k.Hourly), Daily: int64(k.Daily),
		Weekly: int64(k.Weekly), Monthly: int64(k.Monthly),
	}
}
