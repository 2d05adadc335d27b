package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/renameio/v2/maybe"
)

const (
	// maxHistoryLines is how many lines are offered again.
	maxHistoryLines = 1000
	// maxHistoryBytes is how much of the file of them is read.
	maxHistoryBytes = 1 << 20
	// maxHistoryLine is how long a line may be that is kept.
	maxHistoryLine = 4096
)

// history is what was typed at the prompt, in this session and in those before. It is
// for convenience: what goes wrong with its file is told once and stops nobody.
type history struct {
	app   *app
	file  string // "": nothing is kept
	lines []string
}

func (a *app) openHistory() *history {
	h := &history{app: a}
	dir, err := a.env.stateHome()
	if err != nil {
		return h // there is no place for it
	}
	h.file = filepath.Join(dir, "lobstrail", "sql_history")
	if err := h.load(); err != nil {
		h.giveUp(err)
	}
	return h
}

func (h *history) giveUp(err error) {
	h.app.note("note: what is typed here is not kept: %s", err)
	h.file = ""
}

// load reads the file and makes it short again.
func (h *history) load() error {
	info, err := os.Lstat(h.file)
	switch {
	case os.IsNotExist(err):
		return os.MkdirAll(filepath.Dir(h.file), 0o700)
	case err != nil:
		return err
	case !info.Mode().IsRegular(): // opening it might wait for ever, or show it to others
		return fmt.Errorf("%s is no file", h.file)
	}
	if err := os.Chmod(h.file, 0o600); err != nil {
		return err
	}
	raw, err := readEnd(h.file, maxHistoryBytes)
	if err != nil {
		return err
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	h.lines = slices.DeleteFunc(all[max(0, len(all)-maxHistoryLines):], func(line string) bool { return !h.worthKeeping(line) })
	if len(all) > maxHistoryLines || len(raw) == maxHistoryBytes {
		return maybe.WriteFile(h.file, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600)
	}
	return nil
}

// readEnd reads the last bytes of a file, that many at most.
func readEnd(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, size-most), most))
}

// add keeps a line. It reports whether it is to be offered again.
func (h *history) add(line string) bool {
	if !h.worthKeeping(line) {
		return false
	}
	if h.file != "" {
		if err := appendPrivately(h.file, line+"\n"); err != nil {
			h.giveUp(err)
		}
	}
	return true
}

// worthKeeping reports whether a line may be kept: one that begins with a space is not
// to be, and a key must never be.
func (h *history) worthKeeping(line string) bool {
	token := h.app.env.variable("LOBSTR_TOKEN")
	return strings.TrimSpace(line) != "" && line[0] != ' ' && len(line) <= maxHistoryLine && utf8.ValidString(line) &&
		withoutSecrets(line) == line && (token == "" || !strings.Contains(line, token))
}

// appendPrivately adds to the end of a file that only its owner may read.
func appendPrivately(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
