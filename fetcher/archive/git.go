package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// History is the history of a file in a git repository, up to a commit.
// [FindHistory] finds it.
type History struct {
	// AuthorDate takes the instants from the author's dates. Otherwise they are the
	// committer's dates, which a rebase or another rewrite sets anew.
	AuthorDate bool

	repo   string
	commit string // the newest
	path   string // of the file, from the root of the repository
}

// FindHistory finds a file's history: repo is a folder in the repository (or a
// bare one), file its path as seen from that folder, and ref where the history
// ends, "" for HEAD.
func FindHistory(ctx context.Context, repo, file, ref string) (History, error) {
	h := History{repo: repo}
	prefix, err := h.ask(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return h, err
	}
	if h.commit, err = h.ask(ctx, "rev-parse", "--verify", "--end-of-options", cmp.Or(ref, "HEAD")+"^{commit}"); err != nil {
		return h, err
	}
	h.path = path.Join(prefix, filepath.ToSlash(file))
	if path.IsAbs(file) || !filepath.IsLocal(h.path) || h.path == "." || strings.ContainsAny(h.path, "\n\r") {
		return h, fmt.Errorf("%q is not the path of a file in the repository", file)
	}
	// It need not be there any longer, but a folder would fail commit by commit.
	if kind, err := h.ask(ctx, "cat-file", "-t", h.commit+":"+h.path); err == nil && kind != "blob" {
		return h, fmt.Errorf("%q is not a file but a %s", file, kind)
	}
	return h, nil
}

// Count returns about how many commits changed the file: merges that only took
// over what one of their parents had may be counted too.
func (h History) Count(ctx context.Context) (int, error) {
	out, err := h.ask(ctx, "rev-list", "--count", "--full-history", h.commit, "--", h.rooted())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// Shallow reports whether the repository is a shallow clone, which lacks the older
// commits.
func (h History) Shallow(ctx context.Context) (bool, error) {
	out, err := h.ask(ctx, "rev-parse", "--is-shallow-repository")
	return out == "true", err
}

// Notes says what is unusual about the repository and changes what is read: each
// note is a sentence without a period. There are mostly none.
func (h History) Notes(ctx context.Context) (notes []string) {
	// Git exits with 1 when it finds no such setting.
	if out, err := h.ask(ctx, "config", "--get-regexp", `^(extensions\.partialclone|remote\..*\.promisor)$`); err == nil && out != "" {
		notes = append(notes, "the repository is a partial clone: git fetches the missing files from its remote, one by one")
	}
	replaced, err := h.ask(ctx, "for-each-ref", "--count=1", "refs/replace")
	grafts := ""
	if err == nil && replaced == "" {
		grafts, err = h.ask(ctx, "rev-parse", "--git-path", "info/grafts")
	}
	if !filepath.IsAbs(grafts) {
		grafts = filepath.Join(h.repo, grafts)
	}
	if info, missing := os.Stat(grafts); err == nil && (replaced != "" || missing == nil && info.Mode().IsRegular() && info.Size() > 0) {
		notes = append(notes, "the repository replaces commits (git replace, grafts): the history is read as git shows it with them")
	}
	return notes
}

// rooted is the file as a pathspec that does not depend on the folder.
func (h History) rooted() string { return ":(top,literal)" + h.path }

// ask runs git and returns what it prints.
func (h History) ask(ctx context.Context, args ...string) (string, error) {
	out, err := h.git(ctx, args...).Output()
	if err == nil {
		return strings.TrimRight(string(out), "\r\n"), nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", gitError(err, exit.Stderr)
	}
	return "", gitError(err, nil)
}

// git is a git command that reads the repository and changes nothing.
func (h History) git(ctx context.Context, args ...string) *exec.Cmd {
	// What the user likes to see in a log must not be in it, nor files that were
	// renamed to this one.
	own := []string{"--no-optional-locks", "-c", "log.showSignature=false", "-c", "log.follow=false", "-c", "log.showRoot=true", "-C", h.repo}
	cmd := exec.CommandContext(ctx, "git", append(own, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), elsewhere), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	cmd.WaitDelay = time.Second
	return cmd
}

// elsewhere reports whether a variable leads git to another repository than it is
// told, or to other files: a hook has them.
func elsewhere(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	switch name {
	case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
		"GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS":
		return true
	}
	return false
}

// gitError says what git said.
func gitError(err error, said []byte) error {
	if said = bytes.TrimSpace(said); len(said) > 0 {
		return fmt.Errorf("git: %s", bytes.Join(bytes.Fields(said), []byte(" ")))
	}
	return fmt.Errorf("git: %w", err)
}
