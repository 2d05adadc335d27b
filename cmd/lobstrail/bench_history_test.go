package main_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// History says how large a store is to be, and how lively its accounts are. With
// [DefaultHistory] the store holds ten million snapshots.
type History struct {
	Accounts int           // each is in every batch
	Squids   int           // each account is used by up to three of them
	Batches  int           // so many snapshots has each account
	Changed  float64       // the share of accounts that change from one batch to the next
	Moved    float64       // the share whose counters move, other ones at random
	Every    time.Duration // between two batches
	End      time.Time     // when the last batch begins
	Seed     uint64        // the same seed gives the same store
}

// DefaultHistory is the store that the promises about speed are made for:
// 10,000 accounts with 1,000 snapshots each, one an hour, of which one in two
// hundred differs from the one before: 100,000 changes.
func DefaultHistory() History {
	return History{
		Accounts: 10_000, Squids: 200, Batches: 1_000, Changed: 0.0052, Moved: 0.01,
		Every: time.Hour, End: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Seed: 1,
	}
}

// FromEnv is [DefaultHistory] in the size that LOBSTRAIL_BENCH asks for, such as
// 10000x1000 (accounts x batches); without it 1,000 accounts and 50 batches,
// which takes seconds, and 200 and 20 with -short, which asks only whether it works.
func FromEnv() (History, error) {
	h := DefaultHistory()
	size := cmp.Or(os.Getenv("LOBSTRAIL_BENCH"), "1000x50")
	if testing.Short() {
		size = "200x20"
	}
	if n, err := fmt.Sscanf(size, "%dx%d", &h.Accounts, &h.Batches); n != 2 || h.Accounts < 1 || h.Batches < 1 {
		return h, fmt.Errorf("LOBSTRAIL_BENCH=%s is not a size such as 10000x1000: %w", size, err)
	}
	return h, nil
}

// In answers the file of the store below a folder that may be kept between runs,
// and makes it unless it is there. A store of another size, schema or version of
// the rules stands in a folder of its own.
func (h History) In(ctx context.Context, dir string, rules store.Rules, progress func(done int)) (path string, err error) {
	kind := sha256.New()
	fmt.Fprint(kind, h, rules.Version)
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", err
	}
	for _, name := range files {
		text, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return "", err
		}
		kind.Write(text)
	}
	whole := filepath.Join(dir, fmt.Sprintf("%dx%d-%x", h.Accounts, h.Batches, kind.Sum(nil)[:6]))
	if _, err := os.Stat(whole); err == nil {
		return filepath.Join(whole, "store.db"), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(dir, "unfinished-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unfinished) // gone when all went well
	if _, err := h.Write(ctx, filepath.Join(unfinished, "store.db"), rules, progress); err != nil {
		return "", err
	}
	return filepath.Join(whole, "store.db"), os.Rename(unfinished, whole)
}

// Begin is when the first batch begins.
func (h History) Begin() time.Time { return h.End.Add(-time.Duration(h.Batches-1) * h.Every) }

// Write makes the store in a file that is not there yet, through the same calls
// as real snapshots. progress, unless nil, is called after each batch. It answers
// the accounts as they then are, to go on with.
func (h History) Write(ctx context.Context, path string, rules store.Rules, progress func(done int)) (*Fleet, error) {
	now := h.Begin()
	s, _, err := sqlite.OpenWriter(ctx, path, sqlite.Options{Rules: rules, Now: func() time.Time { return now }})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	fleet := NewFleet(h.Accounts, h.Squids, h.Begin(), h.Seed)
	for done := range h.Batches {
		if done > 0 {
			now = now.Add(h.Every)
			fleet.Change(h.Changed, now)
			fleet.Move(h.Moved, now)
		}
		if _, err := fleet.Snapshot(ctx, s, now); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(done + 1)
		}
	}
	return fleet, s.Close()
}
