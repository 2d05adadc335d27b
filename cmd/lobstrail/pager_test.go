package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// TestLongAnswersGoThroughThePager: on a terminal, when they do not fit on it, and
// when there is a pager.
func TestLongAnswersGoThroughThePager(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	onTerminal := func(lines int, pager string, args ...string) outcome {
		var out, errs bytes.Buffer
		columns := 100
		if lines == 0 {
			columns = 0
		}
		env := &environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, zone: time.UTC,
			stdoutWidth: columns, stdoutHeight: lines,
			getenv: func(name string) string { return map[string]string{"PAGER": pager, "NO_COLOR": "1"}[name] }}
		code := run(context.Background(), env, append(args, "--db", demo))
		return outcome{code, out.String(), errs.String()}
	}
	through := func(o outcome) bool { return strings.HasPrefix(o.stdout, "> ") }
	const mark = "sed s/^/>_/"                                                                   // "> " in one word of PAGER
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) } // a report until now tells the minute
	for name, test := range map[string]struct {
		lines int
		pager string
		args  []string
		want  bool
	}{
		"long":                      {10, mark, []string{"changes"}, true},
		"long, accounts":            {10, mark, []string{"accounts"}, true},
		"long, a report":            {10, mark, []string{"report", "status", "--since", day(-13), "--until", day(-1)}, true},
		"long, show":                {10, mark, []string{"show", "claire.moreau"}, true},
		"long, runs":                {10, mark, []string{"runs"}, true},
		"long, squids":              {10, mark, []string{"squids", "--history"}, true},
		"long, diff":                {10, mark, []string{"diff", "1"}, true},
		"it fits":                   {60, mark, []string{"accounts"}, false},
		"a file":                    {0, mark, []string{"changes"}, false},
		"no pager":                  {10, "", []string{"changes"}, false},
		"a pager that is not there": {10, "no-such-pager -x", []string{"changes"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := onTerminal(test.lines, test.pager, test.args...)
			o.stdout = strings.ReplaceAll(o.stdout, ">_", "> ")
			if o.code != exitDone || through(o) != test.want || o.stderr != "" || len(o.stdout) < 200 {
				t.Errorf("%s", o)
			}
			plain := onTerminal(0, "", test.args...)
			if test.lines > 0 {
				plain = onTerminal(test.lines, "", test.args...)
			}
			if strings.ReplaceAll(o.stdout, "> ", "") != plain.stdout {
				t.Errorf("the pager shows something else:\n%s\n%s", o, plain)
			}
		})
	}
	if o := onTerminal(10, "head -n 1", "report", "--json"); o.code != exitDone || o.stderr != "" || o.stdout != "{\n" {
		t.Errorf("who leaves the pager has seen enough: %s", o)
	}
	if o := onTerminal(10, mark, "show", "nobody"); o.code != exitUsage || o.stdout != "" {
		t.Errorf("an error: %s", o)
	}
}
