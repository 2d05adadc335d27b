package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// The exit codes, as the topic exit-codes documents them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitDamaged     = 4
	exitDifference  = 5
	exitNoStore     = 10
	exitBusy        = 11
	exitKey         = 12
	exitInterrupted = 130
)

// The outcomes that have an exit code of their own and are no failure of the
// machine. Their answer has been printed.
var (
	errIncomplete = errors.New("incomplete")
	errDifference = errors.New("a difference was found")
)

// errEnded is the end of a daemon that the user asked for. Its log tells it.
var errEnded = fmt.Errorf("stopped: %w", errInterrupted)

// errNothingStored is the end of a run that could fetch nothing at all.
var errNothingStored = errors.New("no snapshot was stored: every request failed")

// usageError is wrong usage; its hint says what would be right.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// hintedError is any other error with a next step.
type hintedError struct {
	err  error
	hint string
}

// toldError is an error whose message has been printed.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

// told is the error for the exit code alone; nil stays nil.
func told(err error) error {
	if err == nil {
		return nil
	}
	return &toldError{err}
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// run parses the arguments, runs the command and returns the exit code. It is
// the one place where errors become messages.
func run(ctx context.Context, env *environment, args []string) int {
	out := &answerWriter{out: env.stdout}
	env.stdout = out
	app := newApp(env)
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !app.started && out.err == nil {
		err = asUsage(err)
	}
	if ctx.Err() != nil && err != nil && !errors.Is(err, errEnded) {
		err = context.Cause(ctx)
	}
	if err == nil || errors.Is(err, errDifference) || errors.Is(err, errIncomplete) {
		err = cmp.Or(out.err, err)
	}
	code := exitCode(err)
	if message := explain(err); message != "" {
		fmt.Fprint(env.stderr, message)
	}
	return code
}

// asUsage makes what cobra says before a command starts a usage error.
func asUsage(err error) error {
	var usage *usageError
	if errors.As(err, &usage) {
		return err
	}
	message, suggestions, _ := strings.Cut(err.Error(), "\n\n")
	hint := `"lobstrail help" lists the commands`
	if _, found, ok := strings.Cut(suggestions, "Did you mean this?"); ok {
		hint = didYouMean(strings.Fields(found))
	}
	return &usageError{message, hint}
}

func exitCode(err error) int {
	var usage *usageError
	var ambiguous *store.AmbiguousError
	var server *store.ServerError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &ambiguous), errors.As(err, &server) && errors.Is(server, store.ErrInvalid): // a URL
		return exitUsage
	case errors.Is(err, errIncomplete):
		return exitIncomplete
	case errors.Is(err, errDifference):
		return exitDifference
	case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrRewritten), errors.Is(err, store.ErrDiverged), errors.Is(err, ledger.ErrInvalid):
		return exitDamaged
	case errors.Is(err, store.ErrNoStore):
		return exitNoStore
	case errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrFenced):
		return exitBusy
	case errors.Is(err, fetcher.ErrNoToken), errors.Is(err, fetcher.ErrKeyRefused):
		return exitKey
	}
	return exitFailed
}

// explain is what the user reads of an error: what happened and the next step.
// Text that came from elsewhere is made safe to show.
func explain(err error) string {
	var told *toldError
	if err == nil || errors.Is(err, errIncomplete) || errors.Is(err, errDifference) || errors.Is(err, errEnded) || errors.As(err, &told) {
		return "" // the command has said it
	}
	lines := strings.Split("lobstrail: "+err.Error(), "\n")
	if hint := nextStep(err); hint != "" {
		lines = append(lines, strings.Split(hint, "\n")...)
	}
	for i := range lines {
		lines[i] = render.Clean(withoutSecrets(lines[i]))
	}
	return strings.Join(lines, "\n") + "\n"
}

func nextStep(err error) string {
	var usage *usageError
	var hinted *hintedError
	var ambiguous *store.AmbiguousError
	var server *store.ServerError
	switch {
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, &ambiguous):
		return candidates(ambiguous)
	case errors.As(err, &server):
		return server.Next
	case errors.Is(err, store.ErrFenced):
		return "what it stored before is kept; run the command again when the other one is done"
	case errors.Is(err, errNothingStored):
		return "the failures and warnings of the run say why; \"lobstrail runs\" shows them again"
	case errors.Is(err, errInterrupted):
		return "what was stored before stays; run the command again to go on"
	case errors.Is(err, store.ErrNoStore):
		return `"lobstrail snapshot" creates one; "lobstrail demo" creates one with simulated accounts`
	case errors.Is(err, store.ErrUnreleased):
		return "it was left as it is: keep it for what it holds, and name another store with --db for a new history"
	case errors.Is(err, store.ErrForeign):
		return "it was left as it is; name another store with --db"
	case errors.Is(err, store.ErrNewer):
		return "update lobstrail, or name another store with --db"
	case errors.Is(err, store.ErrOlder):
		return `"lobstrail snapshot" migrates it`
	case errors.Is(err, store.ErrBusy):
		return "wait until it is done, or give it more time with --lock-wait"
	case errors.Is(err, store.ErrFull):
		return "nothing that was stored is lost; make room and run the command again"
	case errors.Is(err, store.ErrDamaged):
		return "keep the store as it is, and restore a backup"
	case errors.Is(err, store.ErrStatement):
		return "the store is not damaged by this; update lobstrail, or report it with this message"
	case errors.Is(err, store.ErrDiverged):
		return "nothing was copied; something else than \"copy\" has written to the copy, or it is of another store: keep both, and copy to a new place"
	case errors.Is(err, store.ErrRewritten):
		return "keep both files as they are, and compare with a backup or another checkpoint: one of them was tampered with"
	case errors.Is(err, store.ErrJournal):
		return "put the store back beside it; or remove the journal, if the store is meant to be gone"
	case errors.Is(err, store.ErrMoved):
		return "somebody removed or replaced it meanwhile; put it back, or run the command again to make a new one"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "nothing was changed; let this user write to the file and its folder, or name another file with --db"
	case errors.Is(err, store.ErrDisk):
		return "nothing that was stored is lost; check the disk and the folder's permissions, and run the command again"
	case notToBeOpened(err):
		return "look at that path, or name another file with --db"
	case errors.Is(err, fetcher.ErrNoToken):
		return "set LOBSTR_TOKEN, name a file with --token-file or with token_file in the configuration, or put it under [auth] token in ~/.config/lobstr/config.toml"
	case errors.Is(err, fetcher.ErrKeyRefused):
		return "nothing was concluded about any account; check the key on lobstr.io and where it is kept (see \"lobstrail help snapshot\")"
	}
	return ""
}

// notToBeOpened reports whether a file or folder could not be found or made.
func notToBeOpened(err error) bool {
	failed, ok := errors.AsType[*fs.PathError](err)
	return ok && failed.Op != "write"
}

// candidates lists what an ambiguous reference could mean, one a line.
func candidates(e *store.AmbiguousError) string {
	const most = 10
	var lines []string
	for i, c := range e.Candidates {
		if i == most {
			lines = append(lines, fmt.Sprintf("  ... and %d more", len(e.Candidates)-most))
			break
		}
		lines = append(lines, fmt.Sprintf("  %s  %s", c.ID, render.Clean(c.Name)))
	}
	return strings.Join(append(lines, "name one of them by more of its id"), "\n")
}
