package archive_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// touch makes files that hold account a, last modified at the start.
func touch(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(a), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, start, start); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t testing.TB, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Skip(err)
	}
}

// found are the items as lines: instant, origin and name.
func found(t testing.TB, dir string, paths []string, dating archive.Dating) (lines []string, other int) {
	t.Helper()
	items, other, err := archive.Files(paths, strings.NewReader(a), dating)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		name := strings.ReplaceAll(strings.TrimPrefix(item.Name, dir), string(filepath.Separator), "/")
		if item.Lost != nil {
			lines = append(lines, "lost "+name)
			continue
		}
		lines = append(lines, item.At.Format("01-02 15:04 ")+string(item.Origin)+" "+name)
	}
	return lines, other
}

func TestFilesInTheOrderOfTheirInstants(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "b.json", "a.NDJSON", "c.jsonl", "sub/2026-01-03.json.gz", "sub/2026-01-02T10.json.zst", "sub/deep/x.Json.GZ",
		".hidden.json", ".git/2026-01-01.json", "notes.txt", "json", "x.json.bak", "sub/y.gz", "2026-02-30.json")
	name := func(file string) string { return filepath.Join(dir, file) }
	if err := os.Mkdir(name("nothing"), 0o700); err != nil {
		t.Fatal(err)
	}
	all := []string{
		"01-02 10:00 name /sub/2026-01-02T10.json.zst", "01-03 00:00 name /sub/2026-01-03.json.gz", "01-05 06:00 mtime /2026-02-30.json",
		"01-05 06:00 mtime /a.NDJSON", "01-05 06:00 mtime /b.json", "01-05 06:00 mtime /c.jsonl", "01-05 06:00 mtime /sub/deep/x.Json.GZ",
	}
	given := time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)
	tests := map[string]struct {
		paths  []string
		dating archive.Dating
		want   []string
		other  int
	}{
		"a folder":                  {[]string{dir}, archive.Dating{}, all, 4},
		"a folder, with separators": {[]string{dir + "//"}, archive.Dating{}, all, 4},
		"files, whatever they are called": {[]string{name("notes.txt"), name(".hidden.json"), name(".git/2026-01-01.json")}, archive.Dating{},
			[]string{"01-01 00:00 name /.git/2026-01-01.json", "01-05 06:00 mtime /.hidden.json", "01-05 06:00 mtime /notes.txt"}, 0},
		"a hidden folder":  {[]string{name(".git")}, archive.Dating{}, []string{"01-01 00:00 name /.git/2026-01-01.json"}, 0},
		"by time alone":    {[]string{name("sub/2026-01-03.json.gz")}, archive.Dating{ByTime: true}, []string{"01-05 06:00 mtime /sub/2026-01-03.json.gz"}, 0},
		"at a time":        {[]string{name("sub/2026-01-03.json.gz"), "-"}, archive.Dating{At: given}, []string{"03-04 05:06 given /sub/2026-01-03.json.gz", "03-04 05:06 given standard input"}, 0},
		"a pipe":           {[]string{"-"}, archive.Dating{Now: given}, []string{"03-04 05:06 now standard input"}, 0},
		"a zone":           {[]string{name("sub/2026-01-03.json.gz")}, archive.Dating{Zone: time.FixedZone("", 3600)}, []string{"01-02 23:00 name /sub/2026-01-03.json.gz"}, 0},
		"nothing in there": {[]string{name("nothing")}, archive.Dating{}, []string{"lost /nothing"}, 0},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			if test.dating.Zone == nil {
				test.dating.Zone = time.UTC
			}
			lines, other := found(t, dir, test.paths, test.dating)
			if diff := cmp.Diff(test.want, lines); diff != "" || other != test.other {
				t.Errorf("%d others\n%s", other, diff)
			}
		})
	}
}

// TestLinksInFolders: to files they are followed, into folders and circles not; one
// that leads nowhere is lost, and the rest is read.
func TestLinksInFolders(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	touch(t, elsewhere, "2026-01-01.json")
	touch(t, dir, "2026-01-02.json")
	link(t, filepath.Join(elsewhere, "2026-01-01.json"), filepath.Join(dir, "2026-01-03.json"))
	link(t, dir, filepath.Join(dir, "loop.json"))
	link(t, "..", filepath.Join(dir, "up"))
	link(t, "circle.json", filepath.Join(dir, "circle.json"))
	link(t, "nowhere", filepath.Join(dir, "dangling.json"))
	lines, other := found(t, dir, []string{dir}, archive.Dating{Zone: time.UTC})
	slices.Sort(lines)
	want := []string{"01-02 00:00 name /2026-01-02.json", "01-03 00:00 name /2026-01-03.json", "lost /circle.json", "lost /dangling.json"}
	if diff := cmp.Diff(want, lines); diff != "" || other != 1 {
		t.Error(other, diff)
	}
	s := openStore(t)
	items, _, err := archive.Files([]string{dir}, nil, archive.Dating{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	done := importInto(t, s, sequence(items...), archive.Options{})
	if done.run.Captured() != 2 || done.Failed != 2 || done.Items != 2 || done.run.State != store.Incomplete {
		t.Errorf("%+v", done)
	}
	if all := strings.Join(done.messages, "\n"); !strings.Contains(all, "circle.json: ") || !strings.Contains(all, "dangling.json: ") {
		t.Error(all)
	}
	// A folder that is named may be a link.
	link(t, dir, filepath.Join(elsewhere, "here"))
	if lines, _ := found(t, elsewhere, []string{filepath.Join(elsewhere, "here")}, archive.Dating{Zone: time.UTC}); len(lines) != 4 {
		t.Error(lines)
	}
}

// TestNamesThatTellTwoInstants, or none, because the clocks were changed: such a
// file is lost, and the others are read.
func TestNamesThatTellTwoInstants(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "20261025-0130.json", "20261025-0230.json", "20261025-0330.json", "2026-03-29/0230.json")
	items, _, err := archive.Files([]string{dir}, nil, archive.Dating{Zone: berlin(t)})
	if err != nil {
		t.Fatal(err)
	}
	done := importInto(t, openStore(t), sequence(items...), archive.Options{})
	if done.run.Captured() != 2 || done.Failed != 2 || done.run.State != store.Incomplete {
		t.Errorf("%+v", done)
	}
	for _, want := range []string{"20261025-0230.json: its name tells no instant: the local time 2026-10-25 02:30:00 is ambiguous",
		"0230.json: its name tells no instant: the local time 2026-03-29 02:30:00 does not exist", "rename it with a zone"} {
		if !strings.Contains(strings.Join(done.messages, "\n"), want) {
			t.Errorf("%q: %v", want, done.messages)
		}
	}
}

func TestFilesThatAreNotThere(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "a.json")
	for _, path := range []string{filepath.Join(dir, "no.json"), filepath.Join(dir, "no"), filepath.Join(dir, "a.json", "b"), "", "a\x00b"} {
		if items, _, err := archive.Files([]string{dir, path}, nil, archive.Dating{}); err == nil || items != nil {
			t.Errorf("%q: %v, %v", path, items, err)
		}
	}
}

// TestAFileThatCannotBeOpened: it is gone meanwhile, or is not ours to read.
func TestAFileThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "2026-01-01.json", "2026-01-02.json", "2026-01-03.json")
	items, _, err := archive.Files([]string{dir}, nil, archive.Dating{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "2026-01-02.json")); err != nil {
		t.Fatal(err)
	}
	s := openStore(t)
	done := importInto(t, s, sequence(items...), archive.Options{})
	if done.run.Captured() != 2 || done.Failed != 1 || len(done.messages) != 1 || !strings.Contains(done.messages[0], "2026-01-02.json: ") {
		t.Errorf("%+v", done)
	}
}
