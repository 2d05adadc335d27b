//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestMirrorOutlivesTheServers: a mirror that is started before the server of one of its
// stores, sees it go away, or loses its connection anywhere, says so and goes on when the
// server is there again.
func TestMirrorOutlivesTheServers(t *testing.T) {
	t.Parallel()
	for _, of := range []string{"source", "target"} {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			file, server := filepath.Join(h.dir, "other.db"), postgrestest.Database(t)
			proxy := postgrestest.NewProxy(t, server)
			way, location := newAwayServer(t, proxy.URL())
			from, to, seen, mirror := file, location, file, server
			if of == "source" {
				from, to, seen, mirror = location, file, server, file
			}
			world := nowWorld()
			addCrowd(world, 5)
			h.asks(serve(t, world), lobstrtest.DefaultToken).use(seen)
			h.must(exitDone, "snapshot")

			m := h.mirrors(t, from, to)
			m.warns(1, "connection refused")
			way.open()
			m.copies(1)
			way.close()
			m.warns(2, "connection refused")
			h.must(exitDone, "snapshot")
			right := way.leadTo("127.0.0.1:1")
			way.open()
			m.warns(3, "closed the connection at once") // another problem than before
			way.leadTo(right)
			m.copies(2)
			for range 2 {
				proxy.CutBefore(1 + rand.IntN(12))
				h.must(exitDone, "snapshot")
				want := h.must(exitDone, "runs", "--json").stdout
				m.until("the snapshot in the mirror", func() bool {
					_, is, _ := inProcess(nil, "runs", "--json", "--db", mirror)
					return is == want
				})
			}
			way.close()
			m.terminate()
			h.isMirror(seen, mirror)
		})
	}
}

// TestMirrorOutlivesAFailover: while another server becomes the primary, none can be
// written to.
func TestMirrorOutlivesAFailover(t *testing.T) {
	if os.Getenv("LOBSTRAIL_TEST_VIA") != "" {
		t.Skip("a pooler keeps connections, for which the setting of this test does not hold")
	}
	t.Parallel()
	target := postgrestest.Database(t)
	world := nowWorld()
	addCrowd(world, 3)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	h.must(exitDone, "snapshot")
	m := h.mirrors(t, h.db, target)
	m.copies(1)
	alterDatabase(t, target, "SET default_transaction_read_only = on")
	h.must(exitDone, "snapshot")
	m.warns(1, "the server allows reading only")
	alterDatabase(t, target, "RESET default_transaction_read_only")
	m.copies(2)
	m.terminate()
	h.isMirror(h.db, target)
}

func TestMirrorPause(t *testing.T) {
	for _, c := range []struct {
		every    time.Duration
		failures int
		want     time.Duration
	}{
		{5 * time.Second, 0, 5 * time.Second}, {5 * time.Second, 1, 10 * time.Second}, {5 * time.Second, 3, 40 * time.Second},
		{5 * time.Second, 4, time.Minute}, {time.Second, 1000, time.Minute}, {2 * time.Minute, 0, 2 * time.Minute}, {2 * time.Minute, 9, 2 * time.Minute},
	} {
		if got := mirrorPause(c.every, c.failures); got != c.want {
			t.Errorf("every %v after %d failures: %v instead of %v", c.every, c.failures, got, c.want)
		}
	}
}
