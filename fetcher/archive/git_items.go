package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// commitsAhead is how many files are asked for before the first of them was read:
// git works while we do.
const commitsAhead = 32

// maxDeaths is how often git is started again after it died of a file.
const maxDeaths = 20

// walk is a walk over a history: one git that lists its commits, and one that
// prints the file as each of them has it.
type walk struct {
	history History
	behind  string // only what comes behind this commit; "": all
	list    *exec.Cmd
	files   *exec.Cmd
	commits chan commit
	listed  error // why there are no more commits; nil: they are all there. Read after commits is closed
	out     *bufio.Reader
	errors  [2]bytes.Buffer // what the two said
}

// commit is one that changed the file.
type commit struct {
	id   string
	at   time.Time
	mode string // of the file, as git prints it
	blob string // the id of the file's content
}

// Git yields the file as each commit that changed it has it, as of the instant of
// the commit. A commit changed the file if its content differs from the content in
// each of the parents: so a merge counts when it was edited by hand, or when it
// combines what both sides changed, and not when it took over one side. The
// commits of merged branches count too, whatever became of their content. A
// commit that removes the file, or changes its mode alone, does not count.
//
// Commits come in the order of their dates, but never before their parents: the
// store is a line of time, on which two scrapers that commit to two branches take
// turns. A commit that claims to be older than its parent contradicts itself: the
// import then refuses it and says so.
//
// When git dies of a file, as it does when that is damaged, the walk goes on
// behind it.
func Git(ctx context.Context, history History) Items {
	return func(yield func(Item, error) bool) {
		behind := ""
		for deaths := 0; ; deaths++ {
			w := &walk{history: history, behind: behind, commits: make(chan commit, commitsAhead)}
			var err error
			if behind, err = w.run(ctx, yield); err != nil && (behind == "" || deaths == maxDeaths || ctx.Err() != nil) {
				yield(Item{}, err)
				return
			}
			if behind == "" {
				return
			}
		}
	}
}

// run yields the files of the walk. When git died of one, it returns the commit
// and the error.
func (w *walk) run(ctx context.Context, yield func(Item, error) bool) (diedOf string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := w.start(ctx); err != nil {
		return "", err
	}
	defer w.end(stop)
	for c := range w.commits {
		f := &file{walk: w, commit: c}
		if !yield(f.item(), nil) {
			return "", nil
		}
		if err := f.pass(); err != nil {
			return c.id, err
		}
	}
	return "", w.listed
}

func (w *walk) start(ctx context.Context) error {
	w.list = w.history.git(ctx, append(w.history.log(), w.history.commit, "--", w.history.rooted())...)
	w.files = w.history.git(ctx, "cat-file", "--batch")
	w.list.Stderr, w.files.Stderr = &w.errors[0], &w.errors[1]
	lines, err1 := w.list.StdoutPipe()
	requests, err2 := w.files.StdinPipe()
	out, err3 := w.files.StdoutPipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	w.out = bufio.NewReaderSize(out, readSize)
	if err := w.list.Start(); err != nil {
		return gitError(err, nil)
	}
	if err := w.files.Start(); err != nil {
		return errors.Join(gitError(err, nil), w.list.Wait())
	}
	go w.ask(ctx, lines, requests)
	return nil
}

// log is the command that lists the commits, the oldest first: a line "commit ID
// DATE" for each, and then, if the file differs from that of each parent, a line
// that begins with a colon. -c prints merges like this.
func (h History) log() []string {
	order, date := "--date-order", "%ct"
	if h.AuthorDate {
		order, date = "--author-date-order", "%at"
	}
	return []string{
		"log", "--full-history", "--reverse", order, "-c", "--raw", "--no-abbrev", "--no-renames", "--no-relative", "--no-color",
		"--format=commit %H " + date,
	}
}

// ask passes the commits on and asks for the file of each.
func (w *walk) ask(ctx context.Context, lines io.Reader, requests io.WriteCloser) {
	defer close(w.commits)
	defer requests.Close()
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 1<<20) // of an octopus merge
	var c commit
	for scanner.Scan() {
		switch line := scanner.Text(); {
		case strings.HasPrefix(line, "commit "):
			id, seconds, _ := strings.Cut(strings.TrimPrefix(line, "commit "), " ")
			unix, err := strconv.ParseInt(seconds, 10, 64)
			if err != nil {
				w.listed = fmt.Errorf("git log: %w", err)
				return
			}
			c = commit{id: id, at: time.Unix(unix, 0).UTC()}
		case !c.changed(line, w.history.path):
		case w.behind != "":
			if w.behind == c.id {
				w.behind = ""
			}
		case !w.askFor(ctx, c, requests):
			return // reading the answer of git tells why, if it is not ctx
		}
	}
	if err := errors.Join(scanner.Err(), w.list.Wait()); err != nil {
		w.listed = gitError(err, w.errors[0].Bytes())
	}
}

// changed reads a line about the file (see gitformat-diff(5), "raw output format"):
//
//	:MODE MODE ID ID STATUS<tab>PATH
//	::MODE MODE MODE ID ID ID STATUS<tab>PATH
//
// The modes and ids are those in the parents, followed by those in the commit;
// there is a colon for each parent. changed reports whether the commit has the
// file with another content than each parent. Where the commit has a folder in
// the place of the file, the lines are about files below it.
func (c *commit) changed(line, path string) bool {
	facts, of, _ := strings.Cut(line, "\t")
	if strings.Count(of, "/") != strings.Count(path, "/") {
		return false
	}
	parents := len(facts) - len(strings.TrimLeft(facts, ":"))
	fields := strings.Fields(facts[parents:])
	if parents == 0 || len(fields) < 2*(parents+1) {
		return false
	}
	modes, ids := fields[:parents+1], fields[parents+1:2*(parents+1)]
	c.mode, c.blob = modes[parents], ids[parents]
	return strings.Trim(c.mode, "0") != "" && !slices.Contains(ids[:parents], c.blob)
}

// askFor passes the commit on and asks for its file; false: there is no use in
// going on.
func (w *walk) askFor(ctx context.Context, c commit, requests io.Writer) bool {
	select {
	case w.commits <- c:
	case <-ctx.Done():
		return false
	}
	if c.unusual() != "" {
		return true
	}
	_, err := fmt.Fprintln(requests, c.blob)
	return err == nil
}

// unusual says what the commit has in the place of the file; "" for a file.
func (c commit) unusual() string {
	switch c.mode {
	case "120000":
		return "a symbolic link, not a file: import the file that it points to"
	case "160000":
		return "a submodule, not a file: import from the repository of the submodule"
	}
	return ""
}

// died says why the git that prints files prints no more.
func (w *walk) died(err error) error {
	if waited := w.files.Wait(); waited != nil {
		err = waited
	}
	return gitError(err, w.errors[1].Bytes())
}

// end ends both gits.
func (w *walk) end(stop func()) {
	stop()
	for range w.commits { // the asking ends with ctx
	}
	_, _ = w.list.Wait(), w.files.Wait() // stopped, or already known
}

// file is the file as one commit has it.
type file struct {
	walk   *walk
	commit commit
	opened bool
	left   io.LimitedReader // of its bytes, and of the line feed behind them
	broken error            // nothing can be read behind it
}

func (f *file) item() Item {
	item := Item{
		Name: "commit " + f.commit.id[:min(12, len(f.commit.id))], At: f.commit.at, Origin: Commit, Fixed: true, Open: f.open,
	}
	if unusual := f.commit.unusual(); unusual != "" {
		item.Lost = errors.New(unusual)
	}
	return item
}

// open reads up to where the bytes begin: "ID TYPE SIZE", or "ID missing".
func (f *file) open() (io.ReadCloser, error) {
	f.opened = true
	line, err := f.walk.out.ReadString('\n')
	if err != nil {
		f.broken = f.walk.died(err)
		return nil, f.broken
	}
	fields := strings.Fields("? ? " + line)
	size, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("git has no such file: %s", strings.TrimSpace(line))
	}
	f.left = io.LimitedReader{R: f.walk.out, N: size + 1}
	if kind := fields[len(fields)-2]; kind != "blob" {
		return nil, fmt.Errorf("not a file but a %s", kind)
	}
	return f, nil
}

// Read reads what open found.
func (f *file) Read(p []byte) (int, error) {
	if f.left.N <= 1 {
		return 0, io.EOF
	}
	n, err := f.left.Read(p[:min(int64(len(p)), f.left.N-1)])
	if err != nil {
		f.broken = f.walk.died(err)
		err = f.broken
	}
	return n, err
}

// Close does nothing: pass does.
func (f *file) Close() error { return nil }

// pass goes on to where the next file begins.
func (f *file) pass() error {
	if !f.opened && f.commit.unusual() == "" {
		_, _ = f.open() // what matters is what it notes
	}
	if f.broken != nil {
		return f.broken
	}
	if _, err := io.Copy(io.Discard, &f.left); err != nil {
		return f.walk.died(err)
	}
	if f.left.N > 0 {
		return f.walk.died(io.ErrUnexpectedEOF)
	}
	return nil
}
