package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// FuzzLockFile: whatever stands in the lock file, whoever waits for the lock is
// told that it is held, and by nobody impossible.
func FuzzLockFile(f *testing.F) {
	for _, text := range []string{"", "1\n2\n", "4711\n1795442400000\n", "-1\n-1\n", "99999999999999999999\n1\n", "x\ny\n", "1", "\x00\xff", "1 2 3\n"} {
		f.Add([]byte(text))
	}
	path := memoryPath(f)
	first := openStore(f, path, at(start))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(first.Path()+".lock", raw, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
		busy, ok := errors.AsType[*store.BusyError](err)
		if !ok || busy.PID < 0 || (busy.PID == 0) != busy.Since.IsZero() || busy.Since.Year() > 9999 {
			t.Fatalf("%q: %v", raw, err)
		}
		if text := err.Error(); bytes.ContainsAny([]byte(text), "\x00\n\r\x1b") {
			t.Fatalf("%q is shown as %q", raw, text)
		}
	})
}

// FuzzOpen: bytes that are no store, or a damaged one, are refused for a reason, or
// answer; reading changes nothing. The input overwrites a store at some place.
func FuzzOpen(f *testing.F) {
	whole, err := os.ReadFile(closedStore(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("SQLite format 3\x00"), 0, true)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, 100, false)
	f.Add([]byte{0}, 18, false)
	f.Add([]byte("CREATE TABLE"), 4096, false)
	f.Add([]byte{0x0d, 0, 0, 0, 0xff}, 8192, false)
	f.Add([]byte{}, 0, true)
	path := filepath.Join(filepath.Dir(memoryPath(f)), "fuzzed.db")
	f.Fuzz(func(t *testing.T, input []byte, offset int, alone bool) {
		body := input
		if !alone {
			body = bytes.Clone(whole)
			copy(body[max(0, min(offset, len(body))):], input)
		}
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err == nil {
			err = errors.Join(readAll(s), s.Close())
		}
		if err != nil && !refusal(err) {
			t.Fatalf("%q at %d: %v", input, offset, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, body) {
			t.Fatalf("reading changed the file (%v)", err)
		}
	})
}

// readAll reads what there is to be read.
func readAll(s *sqlite.Store) error {
	var errs []error
	for _, err := range s.Runs(context.Background(), "default") {
		errs = append(errs, err)
	}
	for _, err := range s.Changes(context.Background(), store.ChangeQuery{Workspace: "default"}) {
		errs = append(errs, err)
	}
	for _, err := range s.Accounts(context.Background(), store.AccountQuery{Workspace: "default"}) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// refusal reports whether a reader may be refused so.
func refusal(err error) bool {
	for _, known := range []error{store.ErrNoStore, store.ErrForeign, store.ErrUnreleased, store.ErrNewer, store.ErrOlder, store.ErrDamaged} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
