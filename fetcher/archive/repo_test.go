package archive_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
)

// repo is a git repository that a test makes.
type repo struct {
	t      testing.TB
	dir    string
	stream bytes.Buffer // for git fast-import
	marks  int
	behind string // where the next commit on main comes behind
}

// newRepo makes an empty one, with a git that no configuration reaches.
func newRepo(t testing.TB) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	r := &repo{t: t, dir: t.TempDir()}
	r.git("init", "-q", "-b", "main")
	return r
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=cron", "GIT_AUTHOR_EMAIL=cron@example.com", "GIT_COMMITTER_NAME=cron", "GIT_COMMITTER_EMAIL=cron@example.com")
	cmd.Stdin = &r.stream
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit adds a commit to main that writes the files; "" as text deletes one.
func (r *repo) commit(at time.Time, files map[string]string) { r.commitTo("main", at, files) }

// commitTo adds one to a branch, behind its parents: marks of commits, or what the
// branch has.
func (r *repo) commitTo(branch string, at time.Time, files map[string]string, parents ...int) (mark int) {
	r.marks++
	fmt.Fprintf(&r.stream, "commit refs/heads/%s\nmark :%d\ncommitter cron <cron@example.com> %d +0130\ndata 1\nx\n",
		branch, r.marks, at.Unix())
	for i, parent := range parents {
		fmt.Fprintf(&r.stream, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], parent)
	}
	if len(parents) == 0 && branch == "main" {
		r.stream.WriteString(r.behind)
		r.behind = ""
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
		if files[path] == "" {
			fmt.Fprintf(&r.stream, "D %s\n", quoted)
			continue
		}
		fmt.Fprintf(&r.stream, "M 100644 inline %s\ndata %d\n%s\n", quoted, len(files[path]), files[path])
	}
	return r.marks
}

// write makes the commits.
func (r *repo) write() {
	r.t.Helper()
	r.behind = "from refs/heads/main^0\n"
	r.git("-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet", "--force")
}

func (r *repo) find(t testing.TB, path, ref string) archive.History {
	t.Helper()
	history, err := archive.FindHistory(t.Context(), r.dir, path, ref)
	if err != nil {
		t.Fatal(err)
	}
	return history
}
