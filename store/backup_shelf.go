package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// shelf is what makes room for a backup.
type shelf struct {
	moves   [][2]string // from, to: in their order
	kept    []string    // where the older backups are then, the newest first
	surplus []string    // where those are now that go
}

// shelve finds out what has to make room for a backup, and whether it may.
func (s *Store) shelve(ctx context.Context, path string, o BackupOptions) (moved shelf, err error) {
	there, err := s.backups(ctx, path, o)
	if err != nil {
		return moved, err
	}
	if err := clearWay(path, there); err != nil || o.Keep == 0 {
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

// numbered is the name of a backup after so many newer ones.
func numbered(path string, n int) string {
	if n == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, n)
}

// backups are the names that are taken: the place itself, and, where backups are
// kept, those of the older ones, up to the first that is free. All may be moved.
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

// mayMove says why a file may not make room for a backup; nil when it may.
func (s *Store) mayMove(ctx context.Context, name string, info fs.FileInfo, o BackupOptions) error {
	own, err := os.Stat(s.path)
	switch {
	case err != nil:
		return place(s.name, err)
	case os.SameFile(own, info):
		return fmt.Errorf("%s is the store itself: %w", name, fs.ErrExist)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: %w", name, fs.ErrExist)
	case o.Force:
		return nil
	case o.Keep == 0:
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	tree, err := treeIn(ctx, name)
	if err == nil {
		err = s.Extends(ctx, tree)
	}
	if err != nil && isMatter(err) && !errors.Is(err, ErrDamaged) {
		return place(name, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w, and is not a backup of this store: %w", name, fs.ErrExist, err)
	}
	return nil
}

// clearWay removes empty journals from beside the places of backups. One that is
// not empty would be played into what comes there.
func clearWay(path string, there []string) error {
	for n := range len(there) + 2 {
		err := clearJournals(numbered(path, n))
		if errors.Is(err, ErrJournal) && slices.Contains(there, numbered(path, n)) {
			return fmt.Errorf("%s: %w, and was written to as a store: its journal is not empty", numbered(path, n), fs.ErrExist)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeWay moves a backup to the place of an older one. The newest keeps its name as
// well, where the file system has links, until the new one takes it: at no moment
// is there none.
func makeWay(from, to string, newest bool) error {
	if newest && removeAll(to) == nil && os.Link(from, to) == nil {
		return nil
	}
	return renameFile(from, to)
}

// put gives the finished copy its place. What goes, goes when the new one stands.
func (m shelf) put(fresh, path string) error {
	for _, move := range m.moves {
		if err := makeWay(move[0], move[1], move[0] == path); err != nil {
			return err
		}
	}
	if err := renameFile(fresh, path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return removeAll(slices.DeleteFunc(m.surplus, func(name string) bool {
		return name == path || slices.Contains(m.kept, name) // another one is there now
	})...)
}
