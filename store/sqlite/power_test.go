//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// recording is what a store did to its disk, and what it had told its caller to
// be stored at which moment.
type recording struct {
	before map[string][]byte
	log    []event
	rows   string // the evidence in the end
}

// record lets work happen in a folder that is watched: it opens its stores with the
// options, or others that watch the folder as they do. tell is to be called
// whenever something has been reported as stored.
func record(t *testing.T, dir string, work func(path string, options sqlite.Options, tell func(*sqlite.Store))) recording {
	t.Helper()
	d, path := watch(t, dir), filepath.Join(dir, "store.db")
	r := recording{before: d.contents(t)}
	options := writer(start).WatchFolders(func(from, to string) error {
		d.note(event{op: "rename", name: filepath.Base(from), to: filepath.Base(to)})
		return os.Rename(from, to)
	}, func(dir string) error {
		if dir == d.dir {
			d.note(event{op: "dirsync"})
		}
		return sqlite.SyncDir(dir)
	})
	work(path, options, func(s *sqlite.Store) {
		d.quiet = true // looking is no news
		var err error
		if r.rows, err = evidence(s); err != nil {
			t.Fatal(err)
		}
		d.quiet = false
		d.note(event{op: "ack", at: int64(len(r.rows))})
	})
	r.log = d.log
	return r
}

// evidence is all that was observed, row by row in the order in which it came.
func evidence(s *sqlite.Store) (string, error) {
	return rows(s, `
		SELECT r.at, r.source, r.sent_at, a.hash, (
			SELECT group_concat(n.top || n.sub || '=' || coalesce(f.value, (SELECT body FROM value WHERE ws = f.ws AND id = f.value_id), ''), ' ' ORDER BY n.id)
			FROM fact f JOIN name n ON n.ws = f.ws AND n.id = f.name
			WHERE f.ws = r.ws AND f.account = a.id AND f.at = r.at
		)
		FROM response r
		JOIN shown s ON s.ws = r.ws AND s.source = r.source AND s.slot = r.slot AND r.at BETWEEN s.first AND s.last
		JOIN account a ON a.ws = s.ws AND a.id = s.account
		ORDER BY r.at, a.id`)
}

// crashes opens what is left after power was lost at some instants of a recording,
// with more or less of what was not synced, and answers what is wrong with it.
func (r recording) crashes(t *testing.T, instants int, examine func(dir string, acked int) error) (problems []string) {
	t.Helper()
	seed := uint64(os.Getpid())
	if *oneSeed != 0 {
		seed = *oneSeed
	}
	p, acked, chosen := newPlatter(r.before), notMade, chooseInstants(seed, len(r.log)+1, instants)
	for i := 0; i <= len(r.log); i++ {
		if share, cut := chosen[i]; cut {
			dir := labFolder(t)
			lay(t, dir, p.crash(rand.New(rand.NewPCG(uint64(i), 0x90e5)), share))
			if err := examine(dir, acked); err != nil {
				problems = append(problems, fmt.Sprintf("-seed %d: after event %d of %d, %.0f%% of the rest kept: %v", seed, i, len(r.log), share*100, err))
			}
		}
		if i < len(r.log) {
			p.take(r.log[i])
			if r.log[i].op == "ack" {
				acked = int(r.log[i].at)
			}
		}
	}
	return problems
}

// notMade is what has been acknowledged before a store is made: not even that.
const notMade = -1

// chooseInstants picks some of n at random, with how much of what was not synced
// is kept at each.
func chooseInstants(seed uint64, n, instants int) map[int]float64 {
	rng, chosen := rand.New(rand.NewPCG(seed, 0x90e5)), map[int]float64{}
	for range instants {
		chosen[rng.IntN(n)] = []float64{0, 0.5, 0.9, 1}[rng.IntN(4)]
	}
	return chosen
}

func lay(t testing.TB, dir string, image map[string][]byte) {
	t.Helper()
	for name, data := range image {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// survives checks one image: what was acknowledged is there, nothing else than
// what was written is there, the store is sound, and it goes on.
func (r recording) survives(t *testing.T) func(dir string, acked int) error {
	return func(dir string, acked int) error {
		path := filepath.Join(dir, "store.db")
		s, created, err := sqlite.OpenWriter(t.Context(), path, writer(start.Add(100*24*time.Hour)))
		if err != nil {
			return err
		}
		defer s.Close()
		if created && acked != notMade {
			return fmt.Errorf("the store is gone")
		}
		found, err := evidence(s)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(r.rows, found) {
			return fmt.Errorf("it holds what was never written: %d bytes of evidence", len(found))
		}
		if len(found) < acked {
			return fmt.Errorf("%d bytes of evidence were reported as stored, %d are there", acked, len(found))
		}
		if err := sound(s); err != nil {
			return err
		}
		take(t, s, start.Add(101*24*time.Hour), accountObject(`,"after":"the crash"`))
		return nil
	}
}

// sound checks what holds of every store: it verifies.
func sound(s *sqlite.Store) error {
	var problems []error
	_, err := s.Verify(context.Background(), store.VerifyOptions{}, func(f store.Finding) {
		problems = append(problems, fmt.Errorf("%s %s: %s", f.Table, f.Row, f.Problem))
	})
	return errors.Join(append(problems, err)...)
}
