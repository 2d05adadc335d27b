package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// TestRedactAsks: on a terminal, it is the id or the name that says yes.
func TestRedactAsks(t *testing.T) {
	t.Parallel()
	db := demoStore(t)
	ask := func(typed string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		env := &environment{stdin: strings.NewReader(typed), stdout: &out, stderr: &errs, now: time.Now, zone: time.UTC,
			getenv: func(string) string { return "" }, stdinIsTerm: true}
		code = run(context.Background(), env, []string{"redact", "tom.becker", "--db", db})
		return code, out.String(), errs.String()
	}
	for _, typed := range []string{"", "\n", "yes\n", "tom\n", "claire.moreau\n"} {
		code, _, stderr := ask(typed)
		if code != exitUsage || !strings.Contains(stderr, "Type its id or its name") || !strings.Contains(stderr, "nothing was erased") {
			t.Errorf("%q: exit %d, %s", typed, code, stderr)
		}
	}
	if code, stdout, stderr := ask("tom.becker\n"); code != exitDone || !strings.Contains(stdout, "is called redacted:") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	if code, _, stderr := ask("tom.becker\n"); code != exitUsage || !strings.Contains(stderr, "no account") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
