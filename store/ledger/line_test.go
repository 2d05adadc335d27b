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
	for want, line := range map[string]interface{ Line() string }{
		`run 7 "de\tfault" all running started 2026-02-16T00:00:00.123Z finished - requested 1 changed 2 unchanged 3` +
			` gone 4 failed 5 requests 6 held 7 skew - pid 8 rules 9 warnings []`: ledger.Run{
			ID: 7, Workspace: "de\tfault", Scope: "all", State: "running", Started: at, Requested: 1, Changed: 2, Unchanged: 3,
			Gone: 4, Failed: 5, Requests: 6, HeldMS: 7, PID: 8, Rules: 9, Warnings: "[]",
		},
		`run 7 "" named complete started 2026-02-16T00:00:00.123Z finished 2026-02-16T00:00:00.124Z requested 0 changed 0` +
			` unchanged 0 gone 0 failed 0 requests 0 held 0 skew -1500 pid 0 rules 1 warnings "[\n]"`: ledger.Run{
			ID: 7, Scope: "named", State: "complete", Started: at, Finished: new(int64(at + 1)), SkewMS: new(int64(-1500)),
			Rules: 1, Warnings: "[\n]",
		},
		`response 12 list sent 2026-02-16T00:00:00.123Z received 2026-02-16T00:00:00.125Z held 3 server -` +
			` accounts 1 to 100 shown 100 ` + zero: ledger.Response{
			ID: 12, Source: "list", Sent: at, Received: at + 2, HeldMS: 3, AccountMin: 1, AccountMax: 100, Shown: 100,
		},
		`response 13 detail sent -62198755200000 received 2026-02-16T00:00:00.123Z held 0 server 2026-02-16T00:00:00.123Z` +
			` accounts 1 to 0 shown 0 ` + zero: ledger.Response{
			ID: 13, Source: "detail", Sent: -62198755200000, Received: at, Server: new(int64(at)), AccountMin: 1,
		},
		`failure 3 run 7 account "` + account + `" http status 503 at 2026-02-16T00:00:00.123Z ` + zero: ledger.Failure{
			ID: 3, Run: 7, Account: &account, Kind: "http", HTTPStatus: new(int64(503)), At: at,
		},
		`failure 4 run 7 account - network status - at 2026-02-16T00:00:00.123Z ` + zero: ledger.Failure{
			ID: 4, Run: 7, Kind: "network", At: at,
		},
		`absence 5 run 7 account ` + account + ` since 2026-02-16T00:00:00.123Z`: ledger.Absence{
			ID: 5, Run: 7, Account: account, Since: at,
		},
	} {
		if got := line.Line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		response, is := line.(ledger.Response)
		if parsed, err := ledger.ParseResponse(want); is && (err != nil || cmp.Diff(parsed, response) != "") {
			t.Errorf("%s: %v\n%s", want, err, cmp.Diff(parsed, response))
		}
	}
}

func TestEntries(t *testing.T) {
	lines := []string{"run 7 of something", "response 12 and so on"}
	text := ledger.FormatEntry(41, lines)
	if want := "lobstrail/1 entry 41\nrun 7 of something\nresponse 12 and so on\n"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	number, parsed, err := ledger.ParseEntry(text)
	if err != nil || number != 41 || cmp.Diff(parsed, lines) != "" {
		t.Error(number, parsed, err)
	}
	for _, wrong := range []string{
		"", "\n", "lobstrail/2 entry 41\na\n", "lobstrail/1 entry 041\na\n", "lobstrail/1 entry 0\na\n",
		"lobstrail/1 entry -1\na\n", "lobstrail/1 entry 41\na", "lobstrail/1 entry 41", "lobstrail/1 entry 41 \na\n",
	} {
		if _, _, err := ledger.ParseEntry(wrong); err == nil {
			t.Errorf("%q is taken for an entry", wrong)
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
	f.Add(ledger.FormatEntry(1, []string{ledger.Response{ID: 1, Source: "list", Sent: at, Received: at}.Line()}))
	f.Add(ledger.Response{ID: 1, Source: "import", Sent: 1 << 60, Received: -5, Server: new(int64(0))}.Line())
	f.Fuzz(func(t *testing.T, text string) {
		if number, lines, err := ledger.ParseEntry(text); err == nil && ledger.FormatEntry(number, lines) != text {
			t.Errorf("%q is read as entry %d of %q", text, number, lines)
		}
		if response, err := ledger.ParseResponse(text); err == nil && response.Line() != text {
			t.Errorf("%q is read as %+v", text, response)
		}
	})
}
