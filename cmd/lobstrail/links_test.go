//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// linkedHome is a home whose store is at real, with links that lead to it.
type linkedHome struct {
	*crashSite
	real  string
	links []string
}

func newLinkedHome(t *testing.T) *linkedHome {
	t.Helper()
	l := &linkedHome{crashSite: newCrashSite(t)}
	dir := l.disturbed.dir
	l.real = filepath.Join(dir, "disk", "real.db")
	mustDo(t, os.Mkdir(filepath.Dir(l.real), 0o700))
	for _, link := range []struct{ name, target string }{
		{"absolute.db", l.real},
		{"relative.db", "disk/../disk/real.db"},
		{"folder", "disk"},
		{"link-to-link.db", "relative.db"},
		{"link-into-folder.db", "folder/real.db"},
		{"folder-to-folder", "folder"},
	} {
		mustDo(t, os.Symlink(link.target, filepath.Join(dir, link.name)))
		if strings.HasSuffix(link.name, ".db") {
			l.links = append(l.links, filepath.Join(dir, link.name))
		}
	}
	l.links = append(l.links, filepath.Join(dir, "folder", "real.db"), filepath.Join(dir, "folder-to-folder", "real.db"))
	return l
}

// at is the home with its store at another path.
func (h *home) at(db string) *home {
	other := *h
	other.db, other.vars = db, maps.Clone(h.vars)
	other.vars["LOBSTRAIL_DB"] = db
	return &other
}

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkLinks: the links are links still, and nothing is beside them.
func (l *linkedHome) checkLinks(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(l.disturbed.dir)
	mustDo(t, err)
	for _, e := range entries {
		isLink := e.Type()&os.ModeSymlink != 0
		if strings.Contains(e.Name(), ".db") && !isLink {
			t.Errorf("%s is beside the links, or in the place of one", e.Name())
		}
	}
}

// hold makes the next answer with page 4 of the list wait for release. The pages
// before it are stored when reached is closed, or will be.
func (l *linkedHome) hold(t *testing.T) (reached <-chan struct{}, release func()) {
	begun, end := make(chan struct{}), make(chan struct{})
	l.server.Inject(lobstrtest.Fault{Name: "hold", Do: lobstrtest.Mangles(func(body []byte) []byte {
		close(begun)
		<-end
		return body
	})}, lobstrtest.When{Route: lobstrtest.List, Page: 4, Times: 1})
	release = sync.OnceFunc(func() { close(end) })
	t.Cleanup(release) // or the server would wait for ever
	return begun, release
}

// TestEachLinkIsTheStore makes the store through each link in turn, which leads to nothing,
// and writes and reads it through the next link; with -long, through every link.
func TestEachLinkIsTheStore(t *testing.T) {
	t.Parallel()
	for first := range 6 {
		l := newLinkedHome(t)
		h := l.disturbed
		if o := h.at(l.links[first]).must(exitDone, "snapshot"); !strings.Contains(o.stderr, "created the store") {
			t.Errorf("%s: %s", l.links[first], o)
		}
		others := l.links
		if !*long {
			next := (first + 1) % len(l.links)
			others = l.links[next : next+1]
		}
		for i, link := range others {
			h.at(link).must(exitDone, "snapshot")
			var runs []report.RunJSON
			if h.at(l.real).read(&runs, "runs"); len(runs) != i+2 {
				t.Errorf("%s: the store has %d runs, want %d", link, len(runs), i+2)
			}
			h.at(link).must(exitDone, "verify")
		}
		l.checkLinks(t)
		var beside []string
		entries, err := os.ReadDir(filepath.Dir(l.real))
		mustDo(t, err)
		for _, e := range entries {
			beside = append(beside, e.Name())
		}
		want := []string{"real.db", "real.db-shm", "real.db-wal", "real.db.lock"}
		if !slices.Equal(beside, want) {
			t.Errorf("beside the store are %v, want %v", beside, want)
		}
	}
}

// TestALinkToNowhere is refused by who reads, and by who writes when the folder is
// missing, too: it may be a disk that is not mounted.
func TestALinkToNowhere(t *testing.T) {
	t.Parallel()
	h := newCrashSite(t).disturbed
	link := filepath.Join(h.dir, "link.db")
	mustDo(t, os.Symlink(filepath.Join(h.dir, "disk", "real.db"), link))
	h.at(link).must(exitNoStore, "accounts")
	h.at(link).refused("a link to a missing folder", h.at(link).run("snapshot"), "link to "+filepath.Join(h.dir, "disk"), "look at that path")
	mustDo(t, os.Mkdir(filepath.Join(h.dir, "disk"), 0o700))
	h.at(link).must(exitNoStore, "accounts")
	h.at(link).must(exitDone, "snapshot")
	mustDo(t, os.Symlink("loop.db", filepath.Join(h.dir, "loop.db")))
	loop := h.at(filepath.Join(h.dir, "loop.db"))
	loop.refused("a link to itself", loop.run("snapshot"), "too many links", "look at that path")
}

// TestTheJournalIsReadThroughLinks kills a batch, so that a journal stays: through
// another link the history is that of the store, and a backup has it.
func TestTheJournalIsReadThroughLinks(t *testing.T) {
	t.Parallel()
	l := newLinkedHome(t)
	h := l.disturbed
	h.at(l.real).must(exitDone, "snapshot")
	for kill, link := range append([]string{l.real}, l.links...) {
		happen(l.world, lobstrtest.Expire(l.ids[0]), lobstrtest.Expire(l.ids[kill+1]))
		reached, release := l.hold(t)
		cmd := h.at(link).command("snapshot")
		mustDo(t, cmd.Start())
		<-reached
		mustDo(t, cmd.Process.Kill())
		cmd.Wait() // it was killed
		release()
		if journal, err := os.Stat(l.real + "-wal"); err != nil || journal.Size() == 0 {
			t.Errorf("no journal was left: %v", err)
		}
		const count = "SELECT count(*), max(run), max(taken_at) FROM snapshots"
		want := h.at(l.real).must(exitDone, "sql", count).stdout
		reader := l.links[(kill+1)%len(l.links)]
		if got := h.at(reader).must(exitDone, "sql", count).stdout; got != want {
			t.Errorf("through %s: %s, want %s", reader, got, want)
		}
		copied := filepath.Join(h.dir, fmt.Sprintf("backup-%d", kill))
		h.at(l.links[kill%len(l.links)]).must(exitDone, "backup", copied)
		if got := h.at(copied).must(exitDone, "sql", count).stdout; got != want {
			t.Errorf("the backup: %s, want %s", got, want)
		}
	}
	l.checkLinks(t)
}

// TestWritersThroughLinksWaitForEachOther: one that may not wait is told who writes,
// and does not take the run that lasts for one that died.
func TestWritersThroughLinksWaitForEachOther(t *testing.T) {
	t.Parallel()
	l := newLinkedHome(t)
	h := l.disturbed
	h.at(l.real).must(exitDone, "snapshot")
	for i, writer := range append([]string{l.real}, l.links...) {
		other := append([]string{l.links[0], l.real}, l.links...)[i]
		reached, release := l.hold(t)
		end := begin(t, h.at(writer).command("snapshot"))
		<-reached
		busy := h.at(other).must(exitBusy, "snapshot", "--lock-wait", "0s")
		if !strings.Contains(busy.stderr, "writes to it since") {
			t.Errorf("through %s: %s", other, busy)
		}
		var run report.RunJSON
		if h.at(other).read(&run, "runs", fmt.Sprint(i+2)); run.State != store.Running {
			t.Errorf("through %s the run is %s", other, run.State)
		}
		release()
		if o := end(); o.code != exitDone {
			t.Errorf("through %s: %s", writer, o)
		}
	}
}

// TestTheTargetOfALinkVanishes while a batch writes through the link: the batch says
// so. The same when the link is taken away, or leads elsewhere.
func TestTheTargetOfALinkVanishes(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]func(l *linkedHome) error{
		"target removed": func(l *linkedHome) error { return os.Remove(l.real) },
		"link removed":   func(l *linkedHome) error { return os.Remove(l.links[0]) },
		"link elsewhere": func(l *linkedHome) error {
			other := l.real + ".other"
			if err := os.WriteFile(other, nil, 0o600); err != nil {
				return err
			}
			os.Remove(l.links[0])
			return os.Symlink(other, l.links[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLinkedHome(t)
			h := l.disturbed
			h.at(l.links[0]).must(exitDone, "snapshot")
			l.server.Inject(lobstrtest.Fault{Name: "vanish", Do: lobstrtest.Mangles(func(body []byte) []byte {
				if err := vanish(l); err != nil {
					t.Error(err)
				}
				return body
			})}, lobstrtest.When{Route: lobstrtest.List, Page: 3, Times: 1})
			h.at(l.links[0]).refused(name, h.at(l.links[0]).run("snapshot"), "no longer where it was opened", "put it back")
			l.checkLinks(t)
		})
	}
}

// TestBackupsThroughLinks: a link where a backup is to be is followed, and never
// replaced; the older backups are beside the newest.
func TestBackupsThroughLinks(t *testing.T) {
	t.Parallel()
	l := newLinkedHome(t)
	h := l.disturbed
	h.at(l.real).must(exitDone, "snapshot")
	copies := filepath.Join(h.dir, "copies")
	mustDo(t, os.Mkdir(copies, 0o700))
	link := filepath.Join(h.dir, "backup")
	mustDo(t, os.Symlink("copies/daily", link))
	for range 3 {
		h.at(l.links[1]).must(exitDone, "backup", link, "--keep", "2")
	}
	for _, path := range []string{"daily", "daily.1"} {
		h.at(filepath.Join(copies, path)).must(exitDone, "verify")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if o := h.at(l.links[1]).run("backup", l.links[2], "--force"); o.code == exitDone || !strings.Contains(o.stderr, "is the store itself") {
		t.Errorf("a backup onto the store: %s", o)
	}
	l.checkLinks(t)
}
