package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
)

// TestImportBesideATerminal: the bar shows how much there is to read, and the
// answer is the same without it.
func TestImportBesideATerminal(t *testing.T) {
	t.Parallel()
	saved := t.TempDir()
	crashArchive(t, saved, 20, 200)
	var beside string
	for _, columns := range []int{0, 80, 40}[:fewer(3, 2)] {
		h := newHome(t)
		out, bar := h.snapshotBeside(t, columns, "import", saved)
		if beside == "" {
			beside = masked(out)
		}
		if masked(out) != beside || !strings.Contains(out, "40 files read") {
			t.Errorf("at %d columns:\n%s", columns, out)
		}
		for _, want := range []string{"import", "%", " kB)"} {
			if strings.Contains(bar, want) != (columns > 0) {
				t.Errorf("at %d columns, %q is or is not in the bar: %q", columns, want, bar)
			}
		}
		if _, quiet := newHome(t).snapshotBeside(t, columns, "import", saved, "--quiet"); quiet != "" {
			t.Errorf("--quiet: %q", quiet)
		}
	}
}

// TestEveryOriginHasAName that people understand.
func TestEveryOriginHasAName(t *testing.T) {
	for _, origin := range []archive.Origin{archive.Given, archive.Field, archive.Name, archive.Modified, archive.Commit, archive.Present} {
		if originNames[origin] == "" {
			t.Error(origin)
		}
	}
}

// TestImportCompletesFiles, as shells do by themselves.
func TestImportCompletesFiles(t *testing.T) {
	for typed, want := range map[string]string{
		"import|": ":0", "import|--git|": ":16", "import|--at|": ":4", "import|--at-field|": ":4", "import|--path|": ":0",
	} {
		o := within(0, nil, append([]string{"__complete"}, strings.Split(typed, "|")...)...)
		if o.code != exitDone || strings.TrimSpace(o.stdout) != want {
			t.Errorf("%s: %s", typed, o)
		}
	}
}

func TestTimesThatProgramsWrite(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for text, want := range map[string]string{ // "": none
		"2026-11-01T06:00:00Z": "2026-11-01T06:00:00Z", "2026-11-01T06:00:00.123456+02:00": "2026-11-01T04:00:00.123456Z",
		"2026-11-01 06:00:00+00:00": "2026-11-01T06:00:00Z", "2026-11-01 06:00:00.25+00:00": "2026-11-01T06:00:00.25Z",
		"2026-11-01T06:00:00+0000": "2026-11-01T06:00:00Z", "2026-11-01 06:00:00 UTC": "2026-11-01T06:00:00Z",
		"2026-11-01": "2026-10-31T23:00:00Z", "2026-11-01T06:00:00.5": "2026-11-01T05:00:00.5Z", "2026-11-01 06:00": "2026-11-01T05:00:00Z",
		"1793512800": "2026-11-01T06:00:00Z", "1793512800.25": "2026-11-01T06:00:00.25Z", "1793512800250": "2026-11-01T06:00:00.25Z",
		"1793512800.999999999":          "2026-11-01T06:00:00.999Z",
		"Sun, 01 Nov 2026 06:00:00 GMT": "2026-11-01T06:00:00Z", "Sun, 01 Nov 2026 06:00:00 +0100": "2026-11-01T05:00:00Z",

		"": "", "now": "", "7d": "", "36h": "", "null": "", "true": "", "20261101": "", "0": "", "-1": "", "1e9": "", "Inf": "", "0x6000000000": "",
		"17935128001": "", "Sun, 01 Nov 2026 06:00:00 PST": "", "2026-02-30": "", "{}": "",
	} {
		at, err := parseSavedTime(text, zone)
		got := ""
		if err == nil {
			got = at.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestImportOfAnUnreadableFile names it.
func TestImportOfAnUnreadableFile(t *testing.T) {
	t.Parallel()
	h, saved := newHome(t), t.TempDir()
	for name, text := range map[string]string{"2026-11-01.json": "[]", "2026-11-02.json": "[]"} {
		if err := os.WriteFile(filepath.Join(saved, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("gone", filepath.Join(saved, "dangling.json")); err != nil {
		t.Skip(err)
	}
	unreadable := filepath.Join(saved, "2026-11-01.json")
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	broken := 1
	if f, err := os.Open(unreadable); err == nil {
		f.Close() // root reads anything
	} else {
		broken++
	}
	o := h.must(exitIncomplete, "import", saved)
	if !strings.Contains(o.stdout, "dangling.json: ") || strings.Count(o.stdout, "failed: ") != broken {
		t.Error(o)
	}
	// A file that is named is wrong usage, before anything is stored.
	o = newHome(t).must(exitUsage, "import", filepath.Join(saved, "dangling.json"))
	if !strings.Contains(o.stderr, "dangling.json") {
		t.Error(o)
	}
}
