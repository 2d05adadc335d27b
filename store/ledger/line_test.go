package ledger_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store/ledger"
)

const at = 1771200000123 // 2026-02-16T00:00:00.123Z

// TestLines holds the canonical texts: what is signed and kept elsewhere rests on
// them, so none may ever change.
func TestLines(t *testing.T) {
	account := "0123456789abcdef0123456789abcdef"
	zero := strings.Repeat("A", 43) + "="
	hash := ledger.Hash{31: 1}
	for want, line := range map[string]interface{ Line() string }{
		`run 7 all running started 2026-02-16T00:00:00.123Z finished - responses - to - requested 1 changed 2 unchanged 3` +
			` gone 4 failed 5 requests 6 held 7 skew - pid 8 rules 9 warnings []`: ledger.Run{
			ID: 7, Scope: "all", State: "running", Started: at, Requested: 1, Changed: 2, Unchanged: 3,
			Gone: 4, Failed: 5, Requests: 6, HeldMS: 7, PID: 8, Rules: 9, Warnings: "[]",
		},
		`run 7 named complete started 2026-02-16T00:00:00.123Z finished 2026-02-16T00:00:00.124Z responses 1771200000124 to 1771200000125` +
			` requested 0 changed 0 unchanged 0 gone 0 failed 0 requests 0 held 0 skew -1500 pid 0 rules 1 warnings "[\n]"`: ledger.Run{
			ID: 7, Scope: "named", State: "complete", Started: at, Finished: new(int64(at + 1)), First: new(int64(at + 1)),
			Last: new(int64(at + 2)), SkewMS: new(int64(-1500)), Rules: 1, Warnings: "[\n]",
		},
		`response 1771200000123 list page -3 run 7 held 2 shown 100 changed 4 sent 3 ` + zero: ledger.Response{
			At: at, Source: "list", Page: -3, Run: 7, Sent: at - 3, HeldMS: 2, Shown: 100, Changed: 4,
		},
		`response 13 detail page 5 run 8 shown 1 absent 1 gone 1 sent 19 server -1771200000110 ` + zero: ledger.Response{
			At: 13, Source: "detail", Page: 5, Run: 8, Sent: -6, Server: new(int64(at)), Shown: 1, Absent: 1, Gone: 1,
		},
		`failure 3 run 7 account "` + account + `" http status 503 at 2026-02-16T00:00:00.123Z ` + zero: ledger.Failure{
			ID: 3, Run: 7, Account: &account, Kind: "http", HTTPStatus: new(int64(503)), At: at,
		},
		`failure 4 run 7 account - network status - at 2026-02-16T00:00:00.123Z ` + zero: ledger.Failure{
			ID: 4, Run: 7, Kind: "network", At: at,
		},
		`absence 7 account ` + account + ` since 2026-02-16T00:00:00.123Z`: ledger.Absence{Run: 7, Account: account, Since: at},
		`absence 7 account ` + account + ` since -62198755200000`:          ledger.Absence{Run: 7, Account: account, Since: -62198755200000},
		`redaction 3 account ` + account + ` at 2026-02-16T00:00:00.123Z documents 1 counters 2 failures 3 values 4 left ` + hash.String(): ledger.Redaction{
			Row: 3, Account: account, At: at, Documents: 1, Counters: 2, Failures: 3, Values: 4, Left: hash,
		},
		`prune 1771200000123 within 86400000 hourly 24 daily -1 weekly 0 monthly 0 snapshots 250 entries 2-4,9 responses -`: ledger.Prune{
			At: at, Keep: ledger.Keep{WithinMS: 86400000, Hourly: 24, Daily: -1}, Snapshots: 250, Entries: []ledger.Range{{2, 4}, {9, 9}},
		},
		`prune 5 within 0 hourly 0 daily 0 weekly 5 monthly 12 snapshots 0 entries - responses 7,9-10`: ledger.Prune{
			At: 5, Keep: ledger.Keep{Weekly: 5, Monthly: 12}, Responses: []ledger.Range{{7, 7}, {9, 10}},
		},
	} {
		if got := line.Line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if parsed, err := parse(want, line); err != nil || cmp.Diff(parsed, line) != "" {
			t.Errorf("%s: %v\n%s", want, err, cmp.Diff(parsed, line))
		}
		switch line.(type) {
		case ledger.Failure: // nothing reads all of it
			continue
		case ledger.Run: // what ends its line may be any text
			continue
		}
		for _, wrong := range []string{want + " ", want[:len(want)-1], strings.Replace(want, " ", " 0", 1), " " + want, ""} {
			if parsed, err := parse(wrong, line); err == nil {
				t.Errorf("%q is read as %+v", wrong, parsed)
			}
		}
	}
}

// parse reads the line as one of that kind; as it is, where nothing reads such lines.
func parse(line string, kind any) (any, error) {
	switch kind.(type) {
	case ledger.Run:
		return ledger.ParseRun(line)
	case ledger.Response:
		return ledger.ParseResponse(line)
	case ledger.Absence:
		return ledger.ParseAbsence(line)
	case ledger.Redaction:
		return ledger.ParseRedaction(line)
	case ledger.Prune:
		return ledger.ParsePrune(line)
	}
	return kind, nil
}

func TestEntries(t *testing.T) {
	lines := []string{"run 7 of something", "response 12 and so on"}
	text := ledger.FormatEntry("a \"b\"\n", 41, lines)
	if want := "lobstrail/1 \"a \\\"b\\\"\\n\" 41\nrun 7 of something\nresponse 12 and so on\n"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	workspace, number, parsed, err := ledger.ParseEntry(text)
	if err != nil || workspace != "a \"b\"\n" || number != 41 || cmp.Diff(parsed, lines) != "" {
		t.Error(workspace, number, parsed, err)
	}
	for _, wrong := range []string{
		"", "\n", `lobstrail/2 "w" 41` + "\na\n", `lobstrail/1 "w" 041` + "\na\n", `lobstrail/1 "w" 0` + "\na\n",
		`lobstrail/1 "w" -1` + "\na\n", `lobstrail/1 "w" 41` + "\na", `lobstrail/1 "w" 41`, `lobstrail/1 "w" 41 ` + "\na\n",
		`lobstrail/1 "w"41` + "\na\n", "lobstrail/1 `w` 41\na\n", "lobstrail/1 w 41\na\n", `lobstrail/1 "\u0077" 41` + "\na\n",
	} {
		if _, _, _, err := ledger.ParseEntry(wrong); err == nil {
			t.Errorf("%q is taken for an entry", wrong)
		}
	}
	stored, header := "\nrun 7 of something\nresponse 12 and so on\n", ledger.EntryHeader("a \"b\"\n", 41)
	if parsed, err := ledger.EntryLines(stored); err != nil || header+stored != text || cmp.Diff(parsed, lines) != "" {
		t.Error(header, parsed, err)
	}
	for _, wrong := range []string{"", "\n", "a\n", "\na", text} {
		if parsed, err := ledger.EntryLines(wrong); err == nil {
			t.Errorf("%q is taken for the lines %q", wrong, parsed)
		}
	}
	for line, want := range map[string]string{"run 7 x": "run", "absence 12": "absence", "run": "", "run x": "", "": ""} {
		if what, _ := ledger.Subject(line); what != want {
			t.Errorf("%q is about %q, want %q", line, what, want)
		}
	}
}

// FuzzParse holds the parsers to their inverses: what is read is spelled in one way
// only.
func FuzzParse(f *testing.F) {
	f.Add(ledger.FormatEntry("w", 1, []string{ledger.Response{Source: "list", Sent: at, At: at}.Line()}))
	f.Add(ledger.Response{Source: "import", Sent: 1 << 60, At: -5, Server: new(int64(0))}.Line())
	f.Add(ledger.Run{ID: 1, Scope: "all", State: "complete", Started: at, Finished: new(int64(at)), Warnings: "[\n]"}.Line())
	f.Add(ledger.Absence{Account: "a", Since: at}.Line())
	f.Add(ledger.Redaction{Account: "a", At: -1 << 60}.Line())
	f.Add(ledger.Prune{Entries: []ledger.Range{{1, 2}}}.Line())
	f.Fuzz(func(t *testing.T, text string) {
		workspace, number, lines, err := ledger.ParseEntry(text)
		if err == nil && ledger.FormatEntry(workspace, number, lines) != text {
			t.Errorf("%q is read as entry %d of %q: %q", text, number, workspace, lines)
		}
		for _, kind := range []interface{ Line() string }{ledger.Run{}, ledger.Response{}, ledger.Absence{}, ledger.Redaction{}, ledger.Prune{}} {
			if parsed, err := parse(text, kind); err == nil && parsed.(interface{ Line() string }).Line() != text {
				t.Errorf("%q is read as %+v", text, parsed)
			}
		}
	})
}
