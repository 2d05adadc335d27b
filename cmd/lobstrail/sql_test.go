//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestParamValues: what a text stands for. An id or a name that looks like a number stays
// a text.
func TestParamValues(t *testing.T) {
	for text, want := range map[string]any{
		"42": int64(42), "-1": int64(-1), "0": int64(0), "9223372036854775807": int64(1<<63 - 1),
		"9223372036854775808": "9223372036854775808", "007": "007", "+5": "+5", "1_000": "1_000", "0x10": "0x10",
		"0.5": 0.5, "-12.25": -12.25, "1e5": "1e5", "12345678901234567890123456789e12": "12345678901234567890123456789e12",
		".5": ".5", "Inf": "Inf", "NULL": nil, "null": nil, "": "", "'42'": "42", "'it''s'": "it's", "'": "'", "'null'": "null",
		"2026-11-01": "2026-11-01", " 5": " 5", "x=y": "x=y",
	} {
		params, err := parseParams([]string{"p=" + text})
		if err != nil || params[0].Value != want {
			t.Errorf("%q is the %T %v, %v", text, params[0].Value, params[0].Value, err)
		}
	}
}

// TestTheClockOfAQueryWaitsForReaders: only the time in which it works counts.
func TestTheClockOfAQueryWaitsForReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, clock := newWorkClock(t.Context(), time.Second)
		defer clock.end()
		for range 3 {
			time.Sleep(300 * time.Millisecond)
			resume := clock.pause()
			time.Sleep(time.Hour)
			resume()
		}
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("the time of a pause was counted")
		}
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		if ctx.Err() == nil || !strings.Contains(context.Cause(ctx).Error(), "worked for 1s") {
			t.Errorf("after a second: %v", context.Cause(ctx))
		}
		free, clock := newWorkClock(t.Context(), 0)
		time.Sleep(1000 * time.Hour)
		clock.pause()()
		if free.Err() != nil {
			t.Error("no limit is one")
		}
		clock.end()
	})
}

// TestQueriesFromStandardInput are read whole or not at all.
func TestQueriesFromStandardInput(t *testing.T) {
	db := demoStore(t)
	for _, test := range []struct {
		query, want string
		code        int
	}{
		{"SELECT 'x'" + strings.Repeat(" ", maxQueryBytes-10), "x", exitDone},
		{"SELECT 'x'" + strings.Repeat(" ", maxQueryBytes-9), "longer than 1 MiB", exitUsage},
		{"SELECT 1;\x00 SELECT 2", "NUL", exitUsage},
		{"-- nothing", "no query", exitUsage},
	} {
		var out bytes.Buffer
		env := &environment{stdin: strings.NewReader(test.query), stdout: &out, stderr: &out, now: time.Now, zone: time.UTC, getenv: func(string) string { return "" }}
		code := run(t.Context(), env, []string{"sql", "--db", db})
		if code != test.code || !strings.Contains(out.String(), test.want) {
			t.Errorf("%.20q of %d bytes: exit %d: %s", test.query, len(test.query), code, &out)
		}
	}
}

// TestSQLStacksWhatDoesNotFit: rows that are wider than the terminal are blocks of lines,
// with no column left out and no value cut.
func TestSQLStacksWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	db := demoStore(t)
	const query = "SELECT account, username, health, seen_at FROM account_current LIMIT 2"
	for columns, stacked := range map[int]bool{40: true, 80: true, 140: false} {
		o := within(columns, nil, "sql", query, "--db", db)
		text := plain(o.stdout)
		if got := strings.Count(text, "\nusername "); o.code != exitDone || (got == 2) != stacked || strings.Contains(text, "…") {
			t.Errorf("%d columns: %s", columns, text)
		}
	}
}

// TestHistory: what was typed is offered again, in a file that only its owner reads, and
// without what is not to be kept.
func TestHistory(t *testing.T) {
	state := t.TempDir()
	file := filepath.Join(state, "lobstrail", "sql_history")
	notes := &strings.Builder{}
	open := func() *history {
		vars := map[string]string{"XDG_STATE_HOME": state, "LOBSTR_TOKEN": "s3cret-token"}
		return newApp(&environment{stderr: notes, getenv: func(name string) string { return vars[name] }}).openHistory()
	}
	h := open()
	for line, kept := range map[string]bool{
		"SELECT 1;": true, " SELECT 2;": false, "": false, "SELECT 's3cret-token';": false,
		"PRIVATE+KEY+x+1+abc": false, strings.Repeat("x", 5000): false, "\xff": false,
	} {
		if h.add(line) != kept {
			t.Errorf("%.30q is kept: %v", line, !kept)
		}
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "SELECT 1;\n" {
		t.Errorf("the file has %q, %v", raw, err)
	}
	if err := os.WriteFile(file, []byte(strings.Repeat("SELECT 5;\n", 150_000)+"SELECT 's3cret-token';\nlast\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	h = open()
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() > 20_000 {
		t.Errorf("it stayed %v, %v", info, err)
	}
	if n := len(h.lines); n != maxHistoryLines-1 || h.lines[n-1] != "last" {
		t.Errorf("%d lines, the last %q", n, h.lines[n-1])
	}
	if notes.Len() > 0 {
		t.Errorf("it says %s", notes)
	}
}

// TestHistoryThatCannotBeKept is told once, and stops nobody.
func TestHistoryThatCannotBeKept(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"a pipe":   func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"a link":   func(file string) error { return os.Symlink("/dev/null", file) },
		"a folder": func(file string) error { return os.Mkdir(file, 0o700) },
		"a file for a folder": func(file string) error {
			return errors.Join(os.Remove(filepath.Dir(file)), os.WriteFile(filepath.Dir(file), nil, 0o600))
		},
	} {
		state := t.TempDir()
		file := filepath.Join(state, "lobstrail", "sql_history")
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), spoil(file)); err != nil {
			t.Fatal(err)
		}
		notes := &strings.Builder{}
		h := newApp(&environment{stderr: notes, getenv: func(name string) string { return map[string]string{"XDG_STATE_HOME": state}[name] }}).openHistory()
		if !h.add("SELECT 1;") || !h.add("SELECT 2;") || strings.Count(notes.String(), "is not kept") != 1 {
			t.Errorf("%s: %s", name, notes)
		}
	}
}
