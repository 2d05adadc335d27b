package archive_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

func countGoroutines() int { return runtime.NumGoroutine() }

// children are the processes that this one has started, zombies too, where the
// system tells.
func children(t testing.TB) string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, task := range tasks {
		raw, _ := os.ReadFile(task) // the thread may be gone
		all += string(raw)
	}
	return all
}

func readAll(t testing.TB, item archive.Item, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	in, err := item.Open()
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(in); err != nil || !strings.HasPrefix(string(raw), "[") || !strings.HasSuffix(string(raw), "]") {
		t.Fatalf("%s: %.100q, %v", item.Name, raw, err)
	}
}

// looseObject is where git keeps one.
func (r *repo) looseObject(t testing.TB, rev string) string {
	t.Helper()
	name := r.git("rev-parse", rev)
	path := filepath.Join(r.dir, ".git", "objects", name[:2], name[2:])
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// damageCase is an object of a repository that is damaged, and what comes of it.
type damageCase struct {
	rev    string
	damage func(path string) error
	kept   int    // of twenty
	says   string // the failure, or the error
	fatal  bool
	small  bool
}

// TestADamagedRepository: a file that git cannot print is a failure, and the
// others are read; a history that it cannot walk is an error.
func TestADamagedRepository(t *testing.T) {
	remove := os.Remove
	garbage := func(path string) error { return os.WriteFile(path, []byte("garbage"), 0o600) }
	cut := func(path string) error { return os.Truncate(path, 20) }
	cutLate := func(path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, info.Size()-10)
	}
	tests := map[string]damageCase{
		"a small file whose end was cut": {rev: "HEAD~4:f", damage: cutLate, kept: 18, says: "commit ", small: true},

		"a file that is gone":           {rev: "HEAD~4:f", damage: remove, kept: 18, says: "git has no such file"},
		"a file that is something else": {rev: "HEAD~4:f", damage: garbage, kept: 18, says: "commit "},
		"a file that is empty":          {rev: "HEAD~4:f", damage: func(path string) error { return os.Truncate(path, 0) }, kept: 18, says: "commit "},
		"a file that was cut":           {rev: "HEAD~4:f", damage: cut, kept: 18, says: "commit "},
		"a file whose end was cut":      {rev: "HEAD~4:f", damage: cutLate, kept: 19, says: "commit "}, // what it showed
		"the last file":                 {rev: "HEAD:f", damage: cut, kept: 18, says: "commit "},
		"the first file":                {rev: "HEAD~9:f", damage: cut, kept: 18, says: "commit "},
		"a commit that is gone":         {rev: "HEAD~4", damage: remove, says: "git: ", fatal: true},
		"a commit that was cut":         {rev: "HEAD~4", damage: cut, says: "git: ", fatal: true},
		"a folder that is gone":         {rev: "HEAD~4^{tree}", damage: remove, says: "git: ", fatal: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check(t)
		})
	}
}

func (test damageCase) check(t *testing.T) {
	t.Helper()
	r := newRepo(t)
	size := 90000 // git streams large ones
	if test.small {
		size = 9000
	}
	for n := range 10 {
		r.commit(hours(n), map[string]string{"f": object(n, "1") + " " + object(100+n, noise(n, size))})
	}
	r.write()
	if err := test.damage(r.looseObject(t, test.rev)); err != nil {
		t.Fatal(err)
	}
	s := openStore(t)
	writer := begin(t, s, store.ScopeImport)
	items := archive.Git(t.Context(), r.find(t, "f", ""))
	outcome, result, err := archive.Import(t.Context(), writer, items, archive.Options{Now: clock}, nil)
	if finished := writer.Finish(t.Context(), outcome); finished != nil {
		t.Fatal(finished)
	}
	if test.fatal {
		if err == nil || !strings.HasPrefix(err.Error(), test.says) || outcome.State != store.Failed {
			t.Fatalf("%v %+v", err, outcome)
		}
		return
	}
	run, read := s.Run(t.Context(), "default", writer.ID())
	if err != nil || read != nil || result.Failed != 1 || len(run.Failures) != 1 {
		t.Fatalf("%v %v %+v %v", err, read, result, run.Failures)
	}
	if !strings.Contains(run.Failures[0].Message, test.says) || run.State != store.Incomplete {
		t.Error(run.Failures)
	}
	if run.Captured() != test.kept {
		t.Errorf("%d kept, want %d: %v", run.Captured(), test.kept, run.Failures)
	}
}

// noise is a text that does not compress.
func noise(seed, length int) string {
	var out strings.Builder
	for i := 0; out.Len() < length; i++ {
		fmt.Fprintf(&out, "%x", digestOf(seed*1000+i))
	}
	return `"` + out.String() + `"`
}

// TestAGitThatAlwaysDies is given up after a while.
func TestAGitThatAlwaysDies(t *testing.T) {
	r := newRepo(t)
	for n := range 300 {
		r.commit(hours(n), map[string]string{"f": object(0, fmt.Sprint(n))})
	}
	r.write()
	history := r.find(t, "f", "")
	real, err := exec.LookPath("git")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\ncase \"$*\" in *cat-file*) echo 'fatal: out of order' >&2; exit 128;; esac\nexec " + real + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	rec := &counting{}
	_, result, err := archive.Import(t.Context(), rec, archive.Git(t.Context(), history), archive.Options{Now: clock}, nil)
	if err == nil || err.Error() != "git: fatal: out of order" || result.Failed != 21 || rec.failures != 21 {
		t.Errorf("%v %+v %d", err, result, rec.failures)
	}
}
