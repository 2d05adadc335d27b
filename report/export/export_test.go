package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/lobstrail/lobstrail/report/export"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// export runs an export that must succeed.
func (h *history) export(dir string, o export.Options) export.Result {
	h.t.Helper()
	result, err := h.try(dir, o)
	h.ok(err)
	return result
}

func (h *history) try(dir string, o export.Options) (export.Result, error) {
	h.t.Helper()
	o.Dir, o.SyncDir = dir, sqlite.SyncDir
	if o.Workspaces == nil {
		names, err := h.store.Workspaces(h.t.Context())
		h.ok(err)
		o.Workspaces = names
	}
	return export.Run(h.t.Context(), h.store, o)
}

// die runs an export of some workspaces (none: of acme) that ends after some files.
func (h *history) die(dir string, files int64, workspaces ...string) {
	h.t.Helper()
	ctx, die := context.WithCancel(h.t.Context())
	if workspaces == nil {
		workspaces = []string{"acme"}
	}
	_, err := export.Run(ctx, h.store, export.Options{Dir: dir, Workspaces: workspaces, SyncDir: sqlite.SyncDir, Progress: func(done, _ int64) {
		if done == files {
			die()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		h.t.Fatal("it did not end early: ", err)
	}
}

// filesOf are the contents of the files of all tables, by their paths.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameFiles checks that two directories have the same files with the same content.
func sameFiles(t *testing.T, got, want string) {
	t.Helper()
	a, b := filesOf(t, got), filesOf(t, want)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[name]; !ok {
			t.Errorf("%s should not be there: %v", name, readRows(t, filepath.Join(got, name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if a[name] != b[name] {
			t.Errorf("%s differs:\n%v\ninstead of\n%v", name, readRows(t, filepath.Join(got, name)), readRows(t, filepath.Join(want, name)))
		}
	}
}

// readRows reads a file with the library.
func readRows(t *testing.T, path string) (rows []string) {
	t.Helper()
	read, err := parquet.ReadFile[any](path)
	if err != nil {
		return []string{err.Error()}
	}
	for _, row := range read {
		rows = append(rows, fmt.Sprint(row))
	}
	return rows
}

// TestExportsStepByStepAreOneExport: what several exports of a growing history leave is,
// byte for byte, what one export of all of it writes.
func TestExportsStepByStepAreOneExport(t *testing.T) {
	t.Parallel()
	seeds := 6
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("history ", seed), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, uint64(seed))
			steps := filepath.Join(t.TempDir(), "steps")
			for range 8 {
				for range 1 + h.IntN(4) {
					h.run(pick(h.Rand, []string{"acme", "globex"}))
				}
				switch {
				case h.IntN(4) == 0:
					h.reopen()
				case h.IntN(6) == 0:
					h.redact(slices.Sorted(maps.Keys(h.accounts))[0])
				}
				h.export(steps, export.Options{})
				whole := filepath.Join(t.TempDir(), "whole")
				h.export(whole, export.Options{All: true})
				sameFiles(t, steps, whole)
				if t.Failed() {
					return
				}
				before := mtimes(t, steps)
				if r := h.export(steps, export.Options{}); r.FilesWritten+r.FilesRemoved != 0 || !maps.Equal(before, mtimes(t, steps)) {
					t.Errorf("an export without a change: %+v", r)
				}
			}
		})
	}
}

// mtimes says of each file when it was last written.
func mtimes(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	times := map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		times[path] = info.ModTime()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}

// TestARedactedPersonIsNotInTheFiles, in no workspace of the directory, whichever one is
// exported.
func TestARedactedPersonIsNotInTheFiles(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 99)
	h.add("acme")
	person := h.accounts["acme"][0]
	h.accounts["globex"] = []*account{person}
	person.fields["username"] = "unmistakable"
	h.run("acme")
	h.run("globex")
	h.now = h.now.AddDate(0, 3, 0)
	h.run("acme")
	dir := t.TempDir()
	h.export(dir, export.Options{})
	if !mentions(t, dir, "unmistakable") {
		t.Fatal("the username is not in the files at first")
	}
	_, err := h.store.Redact(t.Context(), "acme", person.id)
	h.ok(err)
	h.export(dir, export.Options{Workspaces: []string{"acme"}})
	if mentions(t, dir, "unmistakable") {
		t.Error("the username is still in the files")
	}
}

// TestARedactedPersonIsNotInTheFilesOfADeadExport: the first export of a workspace died, and
// then only another one is exported.
func TestARedactedPersonIsNotInTheFilesOfADeadExport(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 98)
	h.add("globex")
	person := h.accounts["globex"][0]
	person.fields["username"] = "unmistakable"
	h.run("globex")
	h.run("acme")
	dir := t.TempDir()
	h.die(dir, 3, "globex")
	if !mentions(t, dir, "unmistakable") {
		t.Fatal("the username is not in the files at first")
	}
	_, err := h.store.Redact(t.Context(), "globex", person.id)
	h.ok(err)
	h.export(dir, export.Options{Workspaces: []string{"acme"}})
	if mentions(t, dir, "unmistakable") {
		t.Error("the username is still in the files")
	}
	whole := t.TempDir()
	h.export(whole, export.Options{})
	sameFiles(t, dir, whole)
}

// mentions reports whether a text is in any row of any file.
func mentions(t *testing.T, dir, text string) bool {
	t.Helper()
	for name := range filesOf(t, dir) {
		for _, row := range readRows(t, filepath.Join(dir, name)) {
			if strings.Contains(row, text) {
				return true
			}
		}
	}
	return false
}

// TestWhatIsNotOursIsRefused and left as it is.
func TestWhatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	h, other := newHistory(t, 1), newHistory(t, 2)
	h.run("acme")
	other.run("acme")
	for _, test := range []struct {
		name string
		lay  func(dir string)
		want error
	}{
		{"a file of somebody else", func(dir string) { put(t, dir, "runs/notes.txt", "x") }, export.ErrForeign},
		{"a data set of somebody else", func(dir string) { put(t, dir, "accounts/year=2026/part-0.parquet", "x") }, export.ErrForeign},
		{"another file in a partition", func(dir string) {
			h.export(dir, export.Options{})
			put(t, dir, "accounts/workspace=acme/part-1.parquet", "x")
		}, export.ErrForeign},
		{"a workspace that nobody exported", func(dir string) {
			h.export(dir, export.Options{})
			put(t, dir, "accounts/workspace=zoo/part-0.parquet", "x")
		}, export.ErrForeign},
		{"another store", func(dir string) { other.export(dir, export.Options{}) }, export.ErrOther},
		{"a state file of something else", func(dir string) { put(t, dir, "_lobstrail.json", `{"format": "x"}`) }, export.ErrForeign},
		{"a state file that is cut", func(dir string) { put(t, dir, "_lobstrail.json", `{"format": "lobstrail parquet", `) }, export.ErrForeign},
		{"a state file that leads elsewhere", func(dir string) {
			put(t, dir, "_lobstrail.json", `{"format": "lobstrail parquet", "workspaces": {"acme": {"folder": "workspace=/../../x"}}}`)
		}, export.ErrForeign},
		{"a newer export", func(dir string) { put(t, dir, "_lobstrail.json", `{"format": "lobstrail parquet", "layout": 99}`) }, export.ErrNewer},
		{"a state file without a log", func(dir string) {
			put(t, dir, "_lobstrail.json", `{"format": "lobstrail parquet", "workspaces": {"acme": {"folder": "workspace=acme"}}}`)
		}, export.ErrForeign},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			test.lay(dir)
			before := mtimes(t, dir)
			_, err := h.try(dir, export.Options{})
			if !errors.Is(err, test.want) {
				t.Errorf("%v instead of %v", err, test.want)
			}
			after := mtimes(t, dir)
			delete(after, filepath.Join(dir, "_lobstrail.lock"))
			delete(before, filepath.Join(dir, "_lobstrail.lock"))
			if !maps.Equal(before, after) {
				t.Errorf("it changed: %v, %v", before, after)
			}
		})
	}
}

// TestAnOlderBackupIsRefused: what came after it is in the files.
func TestAnOlderBackupIsRefused(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 11)
	h.run("acme")
	backup := filepath.Join(t.TempDir(), "backup.db")
	_, err := h.store.Backup(t.Context(), backup, sqlite.BackupOptions{})
	h.ok(err)
	h.run("acme")
	dir := t.TempDir()
	h.export(dir, export.Options{})
	before := filesOf(t, dir)
	h.ok(h.store.Close())
	h.path = backup
	h.open()
	if _, err := h.try(dir, export.Options{}); !errors.Is(err, export.ErrOther) {
		t.Errorf("%v", err)
	}
	if !maps.Equal(before, filesOf(t, dir)) {
		t.Error("the files changed")
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFilesOfOthersBesideAreLeftAlone: what readers skip, and what is beside the tables.
func TestFilesOfOthersBesideAreLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 3)
	h.run("acme")
	dir := t.TempDir()
	for _, name := range []string{"README.md", "other/x.parquet", "accounts/_SUCCESS", "accounts/.DS_Store"} {
		put(t, dir, name, "x")
	}
	h.export(dir, export.Options{})
	h.run("acme")
	h.export(dir, export.Options{All: true})
	for _, name := range []string{"README.md", "other/x.parquet", "accounts/_SUCCESS", "accounts/.DS_Store"} {
		if raw, err := os.ReadFile(filepath.Join(dir, name)); string(raw) != "x" {
			t.Error(name, err)
		}
	}
}

// TestLostFilesComeBack: one that is gone or cut, and one that a killed export left.
func TestLostFilesComeBack(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 4)
	for range 5 {
		h.run("acme")
	}
	dir, whole := t.TempDir(), t.TempDir()
	h.export(dir, export.Options{})
	h.export(whole, export.Options{})
	names := slices.Sorted(maps.Keys(filesOf(t, dir)))
	if err := os.Remove(filepath.Join(dir, names[len(names)-1])); err != nil {
		t.Fatal(err)
	}
	put(t, dir, names[0], "cut")
	put(t, dir, "snapshots/workspace=acme/day=1999-01-01/part-0.parquet", "left behind")
	put(t, dir, "_lobstrail.tmp/7", "left behind")
	if r := h.export(dir, export.Options{}); r.FilesWritten != 2 || r.FilesRemoved != 1 {
		t.Errorf("%+v", r)
	}
	sameFiles(t, dir, whole)
	if _, err := os.Stat(filepath.Join(dir, "_lobstrail.tmp")); err == nil {
		t.Error("the folder of temporary files is still there")
	}
}

// TestSince: a first export leaves out what is before the period, and so do later ones;
// one that begins earlier, and All, add it. One that begins later leaves no gap.
func TestSince(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 5)
	h.run("acme")
	h.now = time.Date(2026, 9, 10, 12, 0, 0, 0, time.UTC)
	h.run("acme")
	h.now = h.now.AddDate(0, 1, 0)
	h.run("acme")
	dir, whole := t.TempDir(), t.TempDir()
	october := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	h.export(dir, export.Options{Since: october})
	h.export(whole, export.Options{})
	earlier := func() (n int) {
		for name := range filesOf(t, dir) {
			if _, period, ok := strings.Cut(name, "month="); ok && period < "2026-10" {
				n++
			} else if _, period, ok := strings.Cut(name, "day="); ok && period < "2026-10-01" {
				n++
			}
		}
		return n
	}
	if n := earlier(); n != 0 || len(filesOf(t, dir)) < 5 {
		t.Errorf("%d files are earlier, of %d", n, len(filesOf(t, dir)))
	}
	h.now = h.now.AddDate(0, 0, 1)
	h.run("acme")
	h.export(dir, export.Options{Since: october.AddDate(1, 0, 0)}) // later than all
	h.export(whole, export.Options{})
	if n := earlier(); n != 0 {
		t.Errorf("%d files are earlier", n)
	}
	for name, content := range filesOf(t, dir) {
		if whole := filesOf(t, whole); whole[name] != content {
			t.Errorf("%s is not whole", name)
		}
	}
	h.export(dir, export.Options{Since: october.AddDate(-1, 0, 0)})
	sameFiles(t, dir, whole)
}

// TestSinceAfterADeadExport: what that one left of periods before is removed, because no
// later export would keep it up to date.
func TestSinceAfterADeadExport(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 12)
	h.run("acme")
	h.now = h.now.AddDate(0, 8, 0)
	h.run("acme")
	dir, whole := t.TempDir(), t.TempDir()
	h.die(dir, 8)
	h.export(dir, export.Options{Since: h.now.AddDate(0, -1, 0)})
	h.export(whole, export.Options{Since: h.now.AddDate(0, -1, 0)})
	sameFiles(t, dir, whole)
}

// TestPrunedSnapshotsStay in the files of days that are over, until All.
func TestPrunedSnapshotsStay(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 6)
	for range 12 {
		h.run("acme")
	}
	dir, whole := t.TempDir(), t.TempDir()
	h.export(dir, export.Options{})
	before := filesOf(t, dir)
	h.now = h.now.AddDate(0, 0, 3)
	h.run("acme")
	if done, err := h.store.Prune(t.Context(), "acme", store.Keep{Monthly: 1}, nil); err != nil || done.Thinned == 0 {
		t.Fatal(done, err)
	}
	h.export(dir, export.Options{})
	last := ""
	for name := range before {
		if strings.HasPrefix(name, "snapshots/") {
			last = max(last, name)
		}
	}
	for name, content := range before {
		if now := filesOf(t, dir)[name]; strings.HasPrefix(name, "snapshots/") && name != last && now != content {
			t.Errorf("%s changed", name)
		}
	}
	h.export(dir, export.Options{All: true})
	h.export(whole, export.Options{})
	sameFiles(t, dir, whole)
}

// TestHostileWorkspaceNames have folders of their own, below the table's, on a file system
// that ignores case as well.
func TestHostileWorkspaceNames(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 8)
	want := map[string]string{
		"acme": "workspace=acme", "a/b=c": "workspace=a%2Fb%3Dc", "..": "workspace=.%2E", "100%": "workspace=100%25",
		"Größe 😀": "workspace=Größe 😀", `o'b"\`: "workspace=o%27b%22%5C", "Acme": "workspace=%41cme", "a\nb": "workspace=a%0Ab",
		"ACME": "workspace=%41%43%4D%45", "[x]{y}": "workspace=%5Bx%5D%7By%7D", "dot.": "workspace=dot%2E",
	}
	for _, name := range []string{"acme", "a/b=c", "..", "100%", "Größe 😀", `o'b"\`, "Acme", "a\nb", "ACME", "[x]{y}", "dot."} {
		h.run(name)
	}
	dir := t.TempDir()
	r := h.export(dir, export.Options{Workspaces: []string{"acme", "a/b=c", "..", "100%", "Größe 😀", `o'b"\`, "Acme", "a\nb", "ACME", "[x]{y}", "dot."}})
	for _, w := range r.Workspaces {
		if w.Folder != want[string(w.Workspace)] {
			t.Errorf("%q is in %q instead of %q", w.Workspace, w.Folder, want[string(w.Workspace)])
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "accounts"))
	if err != nil || len(entries) != len(want) {
		t.Errorf("%d folders, %v", len(entries), err)
	}
	lower := map[string]bool{}
	for _, e := range entries {
		lower[strings.ToLower(e.Name())] = true
	}
	if len(lower) != len(want) {
		t.Errorf("some differ in case only: %v", lower)
	}
	if r := h.export(dir, export.Options{}); r.FilesWritten != 0 {
		t.Errorf("the second export: %+v", r)
	}
	h.run(strings.Repeat("😀", 64))
	if _, err := h.try(dir, export.Options{}); err == nil || !strings.Contains(err.Error(), "266 bytes") {
		t.Errorf("a name that is too long: %v", err)
	}
}

// TestAnExportThatIsUnderWayKeepsOthersOut.
func TestAnExportThatIsUnderWayKeepsOthersOut(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 9)
	h.run("acme")
	dir, tried := t.TempDir(), false
	h.export(dir, export.Options{Progress: func(int64, int64) {
		if tried {
			return
		}
		tried = true
		var inUse *export.InUseError
		if _, err := h.try(dir, export.Options{}); !errors.As(err, &inUse) || !errors.Is(err, store.ErrBusy) {
			t.Errorf("%v", err)
		}
	}})
	if !tried {
		t.Error("it was not tried")
	}
}

// TestFilesHaveWhatSQLHas: each column of each table, in the order of the view.
func TestFilesHaveWhatSQLHas(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 10)
	for range 25 {
		h.run("acme")
	}
	dir := t.TempDir()
	h.export(dir, export.Options{})
	for _, table := range export.Tables() {
		var got, want bytes.Buffer
		for _, name := range slices.Sorted(maps.Keys(filesOf(t, dir))) {
			if strings.HasPrefix(name, table.Name+"/") {
				appendRows(t, &got, table, filepath.Join(dir, name))
			}
		}
		n := 0
		for _, row := range h.rows(table.Query) {
			for i, value := range row {
				c := table.Columns[i]
				if _, integer := value.(int64); integer && c.Type == "STRING" || !integer && c.Type == "INT64" {
					value = nil // in the column beside it
				}
				fmt.Fprintf(&want, "%s=%v ", c.Name, value)
			}
			fmt.Fprintln(&want)
			n++
		}
		if got.String() != want.String() || n == 0 {
			t.Errorf("%s: %d rows, got\n%s\nwant\n%s", table.Name, n, got.String(), want.String())
		}
	}
}

// appendRows writes the rows of a file as text, instants as the views have them.
func appendRows(t *testing.T, out *bytes.Buffer, table export.TableInfo, path string) {
	t.Helper()
	rows, err := parquet.ReadFile[any](path)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, c := range table.Columns {
			value := row.(map[string]any)[c.Name]
			if ms, ok := value.(int64); ok && c.Type == "TIMESTAMP" {
				value = time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
			}
			fmt.Fprintf(out, "%s=%v ", c.Name, value)
		}
		fmt.Fprintln(out)
	}
}
