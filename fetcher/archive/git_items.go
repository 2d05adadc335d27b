package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
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
	since   time.Time
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
	id    string
	at    time.Time
	asked bool // the file was asked for
}

// Git yields the file as each commit that changed it has it, the oldest first, as
// of the instant of the commit (the committer's). Commits before since are yielded
// too, but cannot be opened. When git dies of a file, as it does when that is
// damaged, the walk goes on behind it.
func Git(ctx context.Context, history History, since time.Time) Items {
	return func(yield func(Item, error) bool) {
		behind := ""
		for deaths := 0; ; deaths++ {
			w := &walk{history: history, since: since, behind: behind, commits: make(chan commit, commitsAhead)}
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

// run yields the files of the walk. When git died of one, it answers its commit
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
	w.list = w.history.git(ctx, "log", "--reverse", "--diff-filter=AMT", "--format=%H %ct", w.history.commit, "--", w.history.rooted())
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

// ask passes the commits on and asks for the file of each.
func (w *walk) ask(ctx context.Context, lines io.Reader, requests io.WriteCloser) {
	defer close(w.commits)
	defer requests.Close()
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		id, seconds, _ := strings.Cut(scanner.Text(), " ")
		unix, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			w.listed = fmt.Errorf("git log: %w", err)
			return
		}
		if w.behind != "" {
			if w.behind == id {
				w.behind = ""
			}
			continue
		}
		c := commit{id: id, at: time.Unix(unix, 0).UTC()}
		c.asked = !c.at.Before(w.since)
		select {
		case w.commits <- c:
		case <-ctx.Done():
			return
		}
		if !c.asked {
			continue
		}
		if _, err := fmt.Fprintf(requests, "%s:%s\n", id, w.history.path); err != nil {
			return // git ended: reading its answer tells why
		}
	}
	if err := errors.Join(scanner.Err(), w.list.Wait()); err != nil {
		w.listed = gitError(err, w.errors[0].Bytes())
	}
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
	return Item{Name: "commit " + f.commit.id[:min(12, len(f.commit.id))], At: f.commit.at, Origin: Commit, Open: f.open}
}

// open reads up to where the bytes begin: "ID TYPE SIZE", or "NAME missing".
func (f *file) open() (io.ReadCloser, error) {
	f.opened = true
	if !f.commit.asked {
		return nil, errors.New("older than what was asked for")
	}
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
	if !f.opened && f.commit.asked {
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
