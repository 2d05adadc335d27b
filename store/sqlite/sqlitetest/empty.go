// Package sqlitetest helps tests that need a store in SQLite.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// LayEmpty puts an empty store at the path, unless there is something: opening it takes
// a fraction of the time that making one does. The rules are those that stores are
// opened with.
func LayEmpty(t testing.TB, path string, rules store.Rules) {
	t.Helper()
	empty.made.Do(func() { empty.raw, empty.err = makeEmpty(rules) })
	raw, err := empty.raw, empty.err
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(raw); err != nil {
		t.Fatal(err)
	}
}

// empty is the file of such a store.
var empty struct {
	made sync.Once
	raw  []byte
	err  error
}

func makeEmpty(rules store.Rules) ([]byte, error) {
	dir, err := os.MkdirTemp("", "lobstrail-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "store.db")
	s, _, err := sqlite.OpenWriter(context.Background(), path, sqlite.Options{Rules: rules})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
