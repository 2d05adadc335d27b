package archive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

func hours(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }

// scrapedFile is the file that is read where a case names no other.
const scrapedFile = "accounts.json"

// gitCase is a history to import.
type gitCase struct {
	make      func(r *repo)
	path, ref string
	below     string // the folder of the repository that is named
	kept      string
}

// TestHistoriesInGit: which commits are read.
func TestHistoriesInGit(t *testing.T) {
	for _, cases := range []map[string]gitCase{plainHistories(), branchedHistories()} {
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test.check(t)
			})
		}
	}
}

// written is a commit in which the one account has x = n.
func written(n int) map[string]string {
	return map[string]string{scrapedFile: object(0, string(rune('0'+n)))}
}

// plainHistories have one commit after the other.
func plainHistories() map[string]gitCase {
	const file = scrapedFile
	return map[string]gitCase{
		"a file": {make: func(r *repo) {
			for n := range 3 {
				r.commit(hours(n), written(n))
				r.commit(hours(n).Add(time.Minute), map[string]string{"other": "x" + string(rune('0'+n))})
			}
		}, kept: "a000 0 0\na000 3600 1\na000 7200 2\n"},
		"a file in a folder": {make: func(r *repo) { r.commit(hours(0), map[string]string{"a/b/x.json": a, "x.json": b}) },
			path: "a/b/x.json", kept: onlyA},
		"a folder of the repository": {make: func(r *repo) { r.commit(hours(0), map[string]string{"a/b/x.json": a, "b/x.json": b}) },
			below: "a", path: "b/x.json", kept: onlyA},
		"up from a folder": {make: func(r *repo) { r.commit(hours(0), map[string]string{"a/b/x.json": b, "x.json": a}) },
			below: "a/b", path: "../../x.json", kept: onlyA},
		"deleted and made again": {make: func(r *repo) {
			r.commit(hours(0), written(1))
			r.commit(hours(1), map[string]string{file: ""})
			r.commit(hours(2), written(2))
		}, kept: "a000 0 1\na000 7200 2\n"},
		"deleted for good": {make: func(r *repo) {
			r.commit(hours(0), written(1))
			r.commit(hours(1), map[string]string{file: ""})
		}, kept: onlyA},
		"renamed to it": {make: func(r *repo) {
			r.commit(hours(0), map[string]string{"old.json": a})
			r.commit(hours(1), map[string]string{"old.json": "", file: a})
		}, kept: "a000 3600 1\n"},
		"another mode": {make: func(r *repo) {
			r.commit(hours(0), written(1))
			r.commit(hours(1), nil)
			fmt.Fprintf(&r.stream, "M 100755 inline %s\ndata %d\n%s\n", file, len(object(0, "1")), object(0, "1"))
		}, kept: "a000 0 1\n"},
		"a folder in its place": {make: func(r *repo) {
			r.commit(hours(0), written(1))
			r.commit(hours(1), map[string]string{file: ""})
			r.commit(hours(2), map[string]string{file + "/x": object(0, "2")})
			r.commit(hours(3), map[string]string{file + "/x": ""})
			r.commit(hours(4), written(3))
		}, kept: "a000 0 1\na000 14400 3\n"},
		"tied commits": {make: func(r *repo) {
			for n := range 4 {
				r.commit(hours(0), written(n))
			}
		}, kept: "a000 0 0\na000 0 1\na000 0 2\na000 0 3\n"},
		"the same again": {make: func(r *repo) {
			r.commit(hours(0), written(1))
			r.commit(hours(1), written(2))
			r.commit(hours(2), written(1))
		}, kept: "a000 0 1\na000 3600 2\na000 7200 1\n"},
	}
}

// branchedHistories have branches, and mostly merges.
func branchedHistories() map[string]gitCase {
	const file = scrapedFile
	return map[string]gitCase{
		"of another branch": {make: func(r *repo) {
			first := r.commitTo("main", hours(0), written(1))
			r.commitTo("side", hours(1), written(2), first)
			r.commitTo("main", hours(2), written(3), first)
		}, ref: "side", kept: "a000 0 1\na000 3600 2\n"},
		"merged": {make: func(r *repo) {
			first := r.commitTo("main", hours(0), written(1))
			left := r.commitTo("main", hours(1), map[string]string{file: object(0, "2"), "l": "l"}, first)
			right := r.commitTo("side", hours(2), map[string]string{"r": "r"}, first)
			r.commitTo("main", hours(3), map[string]string{"r": "r"}, left, right)
			r.commit(hours(4), written(3))
		}, kept: "a000 0 1\na000 3600 2\na000 14400 3\n"},
		"a merge edited by hand": {make: func(r *repo) {
			first := r.commitTo("main", hours(0), written(1))
			left := r.commitTo("main", hours(1), map[string]string{"l": "l"}, first)
			right := r.commitTo("side", hours(2), map[string]string{"r": "r"}, first)
			r.commitTo("main", hours(3), map[string]string{"r": "r", file: object(0, "9")}, left, right)
		}, kept: "a000 0 1\na000 10800 9\n"},
		"a clean merge of two scrapers": {make: func(r *repo) {
			lines := func(x, y int) map[string]string {
				return map[string]string{file: object(0, fmt.Sprint(x)) + "\n" + object(1, fmt.Sprint(y))}
			}
			first := r.commitTo("main", hours(0), lines(1, 1))
			left := r.commitTo("main", hours(1), lines(2, 1), first)
			right := r.commitTo("side", hours(2), lines(1, 3), first)
			r.commitTo("main", hours(3), lines(2, 3), left, right)
		}, kept: "a000 0 1\na001 0 1\na000 3600 2\na001 3600 1\na000 7200 1\na001 7200 3\na000 10800 2\na001 10800 3\n"},
		"an octopus": {make: func(r *repo) {
			first := r.commitTo("main", hours(0), written(1))
			one := r.commitTo("one", hours(1), written(2), first)
			two := r.commitTo("two", hours(2), written(3), first)
			three := r.commitTo("three", hours(3), map[string]string{"x": "x"}, first)
			merged := r.commitTo("main", hours(4), written(4), one, two, three)
			one = r.commitTo("one", hours(5), map[string]string{"y": "y"}, merged)
			two = r.commitTo("two", hours(6), map[string]string{"z": "z"}, merged)
			r.commitTo("main", hours(7), map[string]string{"y": "y", "z": "z"}, merged, one, two) // nothing new
		}, kept: "a000 0 1\na000 3600 2\na000 7200 3\na000 14400 4\n"},
		"a branch that lost": {make: func(r *repo) { // what it saw was so
			first := r.commitTo("main", hours(0), written(1))
			left := r.commitTo("main", hours(1), map[string]string{"l": "l"}, first)
			right := r.commitTo("side", hours(2), written(2), first)
			r.commitTo("main", hours(3), written(1), left, right)
		}, kept: "a000 0 1\na000 7200 2\n"},
		"two roots": {make: func(r *repo) {
			left := r.commitTo("main", hours(0), written(1))
			r.stream.WriteString("reset refs/heads/side\n\n")
			right := r.commitTo("side", hours(1), written(2))
			r.commitTo("main", hours(2), written(2), left, right)
		}, kept: "a000 0 1\na000 3600 2\n"},
		"a merge that removes it": {make: func(r *repo) {
			first := r.commitTo("main", hours(0), written(1))
			left := r.commitTo("main", hours(1), written(2), first)
			right := r.commitTo("side", hours(2), written(3), first)
			r.commitTo("main", hours(3), map[string]string{file: ""}, left, right)
		}, kept: "a000 0 1\na000 3600 2\na000 7200 3\n"},
	}
}

// TestWhatIsNoFileInGit is named for what it is, once.
func TestWhatIsNoFileInGit(t *testing.T) {
	r := newRepo(t)
	r.commit(hours(0), map[string]string{"f": a})
	r.commit(hours(1), nil)
	r.stream.WriteString("M 120000 inline f\ndata 6\nx.json\n")
	r.commit(hours(2), nil)
	r.stream.WriteString("M 160000 " + strings.Repeat("17", 20) + " f\n")
	r.commit(hours(3), map[string]string{"f": "version https://git-lfs.github.com/spec/v1\n"})
	r.commit(hours(4), nil)
	r.stream.WriteString("M 100644 inline f\ndata 0\n\n")
	r.commit(hours(5), map[string]string{"f": b})
	r.write()
	s := openStore(t)
	done := importInto(t, s, archive.Git(t.Context(), r.find(t, "f", "")), archive.Options{})
	for i, want := range []string{"a symbolic link, not a file", "a submodule, not a file", "a Git LFS pointer, not the file", "nothing in it"} {
		if i >= len(done.messages) || !strings.HasPrefix(done.messages[i], "commit ") || !strings.Contains(done.messages[i], ": "+want) {
			t.Errorf("%q: %v", want, done.messages)
		}
	}
	if done.Failed != 4 || done.run.Captured() != 2 {
		t.Errorf("%+v", done)
	}
	// A commit stays what it is: the next run says nothing about it.
	again := importInto(t, s, archive.Git(t.Context(), r.find(t, "f", "")), archive.Options{})
	if again.messages != nil || again.Skipped != 6 || again.run.State != store.Complete {
		t.Errorf("%+v", again)
	}
}

// TestAuthorDates are those of a history that was rewritten.
func TestAuthorDates(t *testing.T) {
	r := newRepo(t)
	for n := range 3 {
		r.commit(hours(9), map[string]string{"f": object(0, fmt.Sprint(n))})
	}
	text := r.stream.String()
	r.stream.Reset()
	for n := range 3 { // each commit has an author, some time before its committer
		text = strings.Replace(text, "\ncommitter ", fmt.Sprintf("\nauthor me <me@example.com> %d +0000\nCommitter ", hours(n).Unix()), 1)
	}
	r.stream.WriteString(strings.ReplaceAll(text, "\nCommitter ", "\ncommitter "))
	r.write()
	for want, author := range map[string]bool{"a000 0 0\na000 3600 1\na000 7200 2\n": true, "a000 32400 0\na000 32400 1\na000 32400 2\n": false} {
		s, history := openStore(t), r.find(t, "f", "")
		history.AuthorDate = author
		done := importInto(t, s, archive.Git(t.Context(), history), archive.Options{})
		if got := stored(t, s); got != want || len(done.outcome.Warnings) > 0 == author {
			t.Errorf("author %v: %s%v", author, got, done.outcome.Warnings)
		}
	}
}

// TestUnusualRepositories are told of.
func TestUnusualRepositories(t *testing.T) {
	r := newRepo(t)
	for n := range 3 {
		r.commit(hours(n), map[string]string{"f": object(0, fmt.Sprint(n))})
	}
	r.write()
	clone := func(options ...string) string {
		dir := filepath.Join(t.TempDir(), "clone")
		r.git(append(append([]string{"clone", "-q"}, options...), "file://"+r.dir, dir)...)
		return dir
	}
	r.git("config", "uploadpack.allowFilter", "true")
	tests := map[string]struct {
		dir     string
		shallow bool
		note    string
	}{
		"usual":   {dir: r.dir},
		"cloned":  {dir: clone()},
		"shallow": {dir: clone("--depth", "1"), shallow: true},
		"partial": {dir: clone("--filter=blob:none"), note: "the repository is a partial clone"},
	}
	replaced := clone()
	other := repo{t: t, dir: replaced}
	other.git("replace", "--graft", "HEAD")
	tests["replaced"] = struct {
		dir     string
		shallow bool
		note    string
	}{dir: replaced, note: "the repository replaces commits"}
	grafted := clone()
	if err := os.WriteFile(filepath.Join(grafted, ".git", "info", "grafts"), []byte(r.git("rev-parse", "HEAD")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests["grafted"] = tests["replaced"]
	test := tests["grafted"]
	test.dir = grafted
	tests["grafted"] = test
	for name, test := range tests {
		history, err := archive.FindHistory(t.Context(), test.dir, "f", "")
		if err != nil {
			t.Fatal(err)
		}
		shallow, err := history.Shallow(t.Context())
		notes := strings.Join(history.Notes(t.Context()), "; ")
		if err != nil || shallow != test.shallow || !strings.HasPrefix(notes, test.note) || (notes == "") != (test.note == "") {
			t.Errorf("%s: shallow %v, %v, %q", name, shallow, err, notes)
		}
	}
}

// TestOddNamesInGit: a name is a name, whatever git could take it for.
func TestOddNamesInGit(t *testing.T) {
	for _, name := range []string{"with space.json", " lead.json", `q"uote'.json`, "ünïcode 😀.json", "*.json", "[ab]?.json", ":x.json", ":(top)x", "-x.json", `back\slash`, "~1^2@{3}", "#"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gitCase{
				make: func(r *repo) { r.commit(hours(0), map[string]string{name: a, "a.json": b, "x.json": b, "x": b}) },
				path: name, kept: onlyA,
			}.check(t)
		})
	}
}

// check imports the history and compares what was kept.
func (test gitCase) check(t *testing.T) {
	t.Helper()
	r := newRepo(t)
	test.make(r)
	r.write()
	if test.path == "" {
		test.path = scrapedFile
	}
	if test.below != "" {
		r.git("reset", "-q", "--hard")
		r.dir = filepath.Join(r.dir, test.below)
	}
	s := openStore(t)
	done := importInto(t, s, archive.Git(t.Context(), r.find(t, test.path, test.ref)), archive.Options{})
	if diff := cmp.Diff(test.kept, stored(t, s)); diff != "" || done.run.State != store.Complete {
		t.Errorf("%v %s", done.messages, diff)
	}
}

// TestAHistoryThatGrew: what the store has is skipped, and what has come since is
// stored.
func TestAHistoryThatGrew(t *testing.T) {
	r := newRepo(t)
	for n := range 50 {
		r.commit(hours(n), map[string]string{"f": crowd(0, 3, string(rune('0'+n%10)))})
	}
	r.write()
	s := openStore(t)
	importInto(t, s, archive.Git(t.Context(), r.find(t, "f", "")), archive.Options{})
	for n := range 5 {
		r.commit(hours(50+n), map[string]string{"f": object(7, string(rune('0'+n)))})
	}
	r.commit(hours(7), map[string]string{"f": object(8, "1")})  // the clock of that machine was wrong
	r.commit(hours(99), map[string]string{"f": object(8, "2")}) // ... and was put right
	r.write()
	done := importInto(t, s, archive.Git(t.Context(), r.find(t, "f", "")), archive.Options{})
	want := archive.Result{Items: 6, Skipped: 50, Refused: 1, Bytes: done.Bytes, Origins: map[archive.Origin]int{archive.Commit: 6}}
	if diff := cmp.Diff(want, done.Result); diff != "" || done.run.Captured() != 6 {
		t.Error(diff, done.run.Captured())
	}
	if len(done.messages) != 1 || !strings.Contains(done.messages[0], "1 refused, the store has another answer of the same instant, and later ones (commit ") {
		t.Error(done.messages)
	}
}

// TestCommitsOutOfOrderAreRefused, and the others are read.
func TestCommitsOutOfOrderAreRefused(t *testing.T) {
	r := newRepo(t)
	for n, at := range []int{0, 5, 3, 4, 6} {
		r.commit(hours(at), map[string]string{"f": object(0, string(rune('0'+n)))})
	}
	r.commit(today.Add(time.Hour), map[string]string{"f": object(0, "9")})
	r.write()
	s := openStore(t)
	for range 2 {
		done := importInto(t, s, archive.Git(t.Context(), r.find(t, "f", "")), archive.Options{})
		if done.Refused != 3 || len(done.messages) != 2 || done.run.State != store.Incomplete ||
			!strings.Contains(done.messages[0], "2 refused, older than the newest snapshot (the first: commit ") ||
			!strings.Contains(done.messages[1], "1 refused, in the future (the first: commit ") {
			t.Errorf("%v %+v", done.messages, done.Result)
		}
		if got := stored(t, s); got != "a000 0 0\na000 18000 1\na000 21600 4\n" {
			t.Error(got)
		}
	}
}

func TestNoSuchHistory(t *testing.T) {
	r := newRepo(t)
	empty := newRepo(t)
	r.commit(hours(0), map[string]string{"f": a, "d/f": a})
	r.write()
	tests := map[string]struct{ repo, path, ref, says string }{
		"no folder":              {filepath.Join(r.dir, "no"), "f", "", "cannot change to"},
		"no repository":          {t.TempDir(), "f", "", "not a git repository"},
		"no commits":             {empty.dir, "f", "", "Needed a single revision"},
		"no such branch":         {r.dir, "f", "nope", "Needed a single revision"},
		"a ref that is a switch": {r.dir, "f", "--all", "Needed a single revision"},
		"a ref that is a file":   {r.dir, "f", "HEAD:f", "git: "},
		"a path to the outside":  {r.dir, "../f", "", `"../f" is not the path of a file in the repository`},
		"an absolute path":       {r.dir, "/f", "", `"/f" is not the path of a file in the repository`},
		"a path of two lines":    {r.dir, "f\nf", "", "is not the path of a file"},
		"no path":                {r.dir, "", "", "is not the path of a file"},
		"a folder":               {r.dir, "d", "", `"d" is not a file but a tree`},
		"a repo that is a dash":  {"--version", "f", "", "cannot change to"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := archive.FindHistory(t.Context(), test.repo, test.path, test.ref)
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") && !strings.Contains(test.path, "\n") {
				t.Errorf("%v", err)
			}
		})
	}
	history := r.find(t, "never", "")
	if n, err := history.Count(t.Context()); n != 0 || err != nil {
		t.Error(n, err)
	}
	for item, err := range archive.Git(t.Context(), history) {
		t.Error(item, err)
	}
}

// TestNoGit is what happens where none is installed.
func TestNoGit(t *testing.T) {
	r := newRepo(t)
	r.commit(hours(0), map[string]string{"f": a})
	r.write()
	history := r.find(t, "f", "")
	t.Setenv("PATH", t.TempDir())
	if _, err := archive.FindHistory(t.Context(), r.dir, "f", ""); err == nil || !strings.Contains(err.Error(), `"git": executable file not found`) {
		t.Error(err)
	}
	var errs []error
	for _, err := range archive.Git(t.Context(), history) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || errs[0] == nil || !strings.Contains(errs[0].Error(), "executable file not found") {
		t.Error(errs)
	}
}

// TestTheSurroundingsMeanNothing: neither what a hook finds in its environment, nor
// how the user likes logs.
func TestTheSurroundingsMeanNothing(t *testing.T) {
	r := newRepo(t)
	r.commit(hours(0), map[string]string{"old": object(0, "0")})
	r.commit(hours(1), map[string]string{"old": "", "f": object(0, "0")})
	r.commit(hours(2), map[string]string{"f": object(0, "1")})
	r.write()
	config := filepath.Join(t.TempDir(), "config")
	text := "[log]\n\tshowSignature = true\n\tfollow = true\n\tdecorate = full\n[color]\n\tui = always\n[core]\n\tpager = false\n[format]\n\tpretty = fuller\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), ".git"))
	t.Setenv("GIT_WORK_TREE", "/")
	t.Setenv("GIT_INDEX_FILE", "/nowhere")
	t.Setenv("GIT_LITERAL_PATHSPECS", "1")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	s := openStore(t)
	done := importInto(t, s, archive.Git(t.Context(), r.find(t, "f", "")), archive.Options{})
	if got := stored(t, s); got != "a000 3600 0\na000 7200 1\n" || done.run.State != store.Complete {
		t.Error(got, done.messages)
	}
}

// TestABareRepository has no folders to be in.
func TestABareRepository(t *testing.T) {
	r := newRepo(t)
	r.commit(hours(0), map[string]string{"d/f": a})
	r.write()
	bare := filepath.Join(t.TempDir(), "bare.git")
	r.git("clone", "-q", "--bare", r.dir, bare)
	for _, dir := range []string{bare, filepath.Join(r.dir, ".git")} {
		history, err := archive.FindHistory(t.Context(), dir, "d/f", "main")
		if err != nil {
			t.Fatal(err)
		}
		s := openStore(t)
		importInto(t, s, archive.Git(t.Context(), history), archive.Options{})
		if got := stored(t, s); got != onlyA {
			t.Error(got)
		}
	}
}
