package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

// rotation is how older backups make room for a new one.
type rotation struct {
	moves   [][2]string // from, to: in this order
	kept    []string    // the older backups after it, the newest first
	surplus []string    // backups that are removed, by the names they have now
}

// planRotation finds the files that must make room for a backup. It returns an error
// if one of them may not be moved.
func (s *Store) planRotation(ctx context.Context, path string, o BackupOptions) (moved rotation, err error) {
	there, err := s.backups(ctx, path, o)
	if err != nil {
		return moved, err
	}
	if err := clearJournalsAt(path, there); err != nil || o.Keep == 0 {
		return moved, err
	}
	for i, name := range there {
		to := numbered(path, i+1)
		if i+1 >= o.Keep {
			moved.surplus = append(moved.surplus, name)
			continue
		}
		if moved.kept = append(moved.kept, to); name != to {
			moved.moves = append(moved.moves, [2]string{name, to})
		}
	}
	slices.Reverse(moved.moves) // each to where the one before was
	return moved, nil
}

// numbered is the name of the backup that has n newer ones.
func numbered(path string, n int) string {
	if n == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, n)
}

// backups returns the names that are taken: the path itself and, if backups are kept,
// those of the older ones up to the first name that is free. All may be moved.
func (s *Store) backups(ctx context.Context, path string, o BackupOptions) (there []string, err error) {
	for n := 0; n == 0 || o.Keep > 0; n++ {
		name := numbered(path, n)
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && n == 0: // perhaps a process died before the last step
			continue
		case errors.Is(err, fs.ErrNotExist):
			return there, nil
		case err != nil:
			return nil, err
		}
		if err := s.mayMove(ctx, name, info, o); err != nil {
			return nil, err
		}
		there = append(there, name)
	}
	return there, nil
}

// mayMove returns an error if the file may not be moved to make room for a backup.
func (s *Store) mayMove(ctx context.Context, name string, info fs.FileInfo, o BackupOptions) error {
	own, err := os.Stat(s.db.path)
	switch {
	case err != nil:
		return relational.Place(s.db.name, err)
	case os.SameFile(own, info):
		return fmt.Errorf("%s is the store itself: %w", name, fs.ErrExist)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: %w", name, fs.ErrExist)
	case o.Force:
		return nil
	case o.Keep == 0:
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	trees, err := treesIn(ctx, name)
	for workspace, tree := range trees {
		if err == nil {
			err = s.Extends(ctx, workspace, tree)
		}
	}
	if err != nil && isMatter(err) && !errors.Is(err, store.ErrDamaged) {
		return relational.Place(name, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w, and is not a backup of this store: %w", name, fs.ErrExist, err)
	}
	return nil
}

// clearJournalsAt removes empty journals beside the backups. SQLite would play one
// that is not empty into the backup that gets its name.
func clearJournalsAt(path string, there []string) error {
	for n := range len(there) + 2 {
		err := clearJournals(numbered(path, n))
		if errors.Is(err, store.ErrJournal) && slices.Contains(there, numbered(path, n)) {
			return fmt.Errorf("%s: %w, and was written to as a store: its journal is not empty", numbered(path, n), fs.ErrExist)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rotate gives a backup the name of an older one. If the file system has hard links,
// the newest keeps its own name too until the new one takes it, so that there is
// always a backup of that name.
func (f folders) rotate(from, to string, newest bool) error {
	if newest && removeAll(to) == nil && os.Link(from, to) == nil {
		return nil
	}
	return f.rename(from, to)
}

// put gives the finished copy its name. Older backups are removed after that.
func (m rotation) put(f folders, fresh, path string) error {
	for _, move := range m.moves {
		if err := f.rotate(move[0], move[1], move[0] == path); err != nil {
			return err
		}
	}
	if err := f.rename(fresh, path); err != nil {
		return err
	}
	if err := f.sync(filepath.Dir(path)); err != nil {
		return err
	}
	return removeAll(slices.DeleteFunc(m.surplus, func(name string) bool {
		return name == path || slices.Contains(m.kept, name) // another one is there now
	})...)
}
