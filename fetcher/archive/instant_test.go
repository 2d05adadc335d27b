package archive_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store/localtime"
)

// berlin is two hours ahead in summer, one in winter.
func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	return zone
}

// instantsInNames are names of files and what they tell; "": nothing.
var instantsInNames = map[string]string{
	"accounts-2026-11-01T06:00Z.json":                "2026-11-01T06:00:00Z",
	"20261101-0600.json":                             "2026-11-01T05:00:00Z",
	"20260701-0600.json":                             "2026-07-01T04:00:00Z",
	"2026-11-01.json":                                "2026-10-31T23:00:00Z",
	"2026_11_01.json.gz":                             "2026-10-31T23:00:00Z",
	"2026.11.01.ndjson.zst":                          "2026-10-31T23:00:00Z",
	"accounts20261101.json":                          "2026-10-31T23:00:00Z",
	"20261101060000.json":                            "2026-11-01T05:00:00Z",
	"202611010600.json":                              "2026-11-01T05:00:00Z",
	"2026110106.json":                                "2026-11-01T05:00:00Z",
	"2026-11-01T06.json":                             "2026-11-01T05:00:00Z",
	"2026-11-01_06.json":                             "2026-11-01T05:00:00Z",
	"2026-11-01_06h.json":                            "2026-11-01T05:00:00Z",
	"2026-11-01 06h30m15.json":                       "2026-11-01T05:30:15Z",
	"2026-11-01_06-30-15.json":                       "2026-11-01T05:30:15Z",
	"2026-11-01T06:30:15.250Z.json":                  "2026-11-01T06:30:15.25Z",
	"2026-11-01T06-30-15,123456Z.json":               "2026-11-01T06:30:15.123456Z",
	"2026-11-01T06:30:15+05:30.json":                 "2026-11-01T01:00:15Z",
	"20261101T063015-0800.json":                      "2026-11-01T14:30:15Z",
	"2026-11-01 06:30 UTC.json":                      "2026-11-01T06:30:00Z",
	"20261101t0600z-page-2.json":                     "2026-11-01T06:00:00Z",
	"2026-11-01T06:00Z_2.json":                       "2026-11-01T06:00:00Z",
	"2026-11-01-2.json":                              "2026-10-31T23:00:00Z",
	"2026-11-01-25.json":                             "2026-10-31T23:00:00Z",
	"2026-11-01 page 12.json":                        "2026-10-31T23:00:00Z",
	"accounts-1793512800.json":                       "2026-11-01T06:00:00Z",
	"1793512800250.json":                             "2026-11-01T06:00:00.25Z",
	"squid-17-20261101.json":                         "2026-10-31T23:00:00Z",
	"9853173fc00a940a33d7a420c176ad3b-20261101.json": "2026-10-31T23:00:00Z",
	"2026-02-28.json":                                "2026-02-27T23:00:00Z",
	"2026-11-01/accounts.json":                       "2026-10-31T23:00:00Z",
	"saved/2026-11-01/accounts.json":                 "2026-10-31T23:00:00Z",
	"saved/2026/11/01/accounts.json":                 "2026-10-31T23:00:00Z",
	"2026/11/01/0600.json":                           "2026-11-01T05:00:00Z",
	"2026/11/01/06/accounts.json":                    "2026-11-01T05:00:00Z",
	"2026/11/01/06/30/accounts.json":                 "2026-11-01T05:30:00Z",
	"2026-11-01/06-30.json":                          "2026-11-01T05:30:00Z",
	"20261101/T063000Z.json":                         "2026-11-01T06:30:00Z",
	"20261101/063000Z.json":                          "2026-11-01T06:30:00Z",
	"backup-20261101/page-2.json":                    "2026-10-31T23:00:00Z",
	"2026-11-01T06:00Z/a/b/c.json":                   "2026-11-01T06:00:00Z",
	"2026-11-02/2026-11-01.json":                     "2026-10-31T23:00:00Z",
	"2026-11-02/2026-11-01/x.json":                   "2026-10-31T23:00:00Z",
	"2026-11-02/1793512800.json":                     "2026-11-01T06:00:00Z",
	"2026-11-01/9853173fc00a940a33d7a420c176ad3b":    "2026-10-31T23:00:00Z",
	"/2026-11-01/x.json":                             "2026-10-31T23:00:00Z",
	"2026-10-25.json":                                "2026-10-24T22:00:00Z",
	"2026-10-25_01-30.json":                          "2026-10-24T23:30:00Z",
	"2026-10-25_0230+0200.json":                      "2026-10-25T00:30:00Z",
	"2026-10-25_0230.json":                           "unclear",
	"2026-10-25/0230.json":                           "unclear",
	"2026-03-29T02:30.json":                          "unclear",
	"2026-03-29T02:30Z.json":                         "2026-03-29T02:30:00Z",

	"1793512800/accounts.json":       "",
	"Test20261101/001/accounts.json": "",
	"2026/accounts.json":             "",
	"2026/11/accounts.json":          "",
	"12026-11-01/accounts.json":      "",
	"2026-02-30/accounts.json":       "",

	"accounts.json":                          "",
	"":                                       "",
	"20261341.json":                          "",
	"2026-02-30.json":                        "",
	"2026-11.json":                           "",
	"18991231.json":                          "",
	"120261101.json":                         "",
	"202611011.json":                         "",
	"20261101060.json":                       "",
	"accounts-12345.json":                    "",
	"3793512800.json":                        "",
	"17935128001.json":                       "",
	"a20261101f5317300940a33d7a420c17b.json": "",
	"9853173fc00a940a33d7a4b1793512800b.json":           "",
	"e20261101b0600c4f3da4f6d8e5b7f9f.json":             "",
	"0b1793512800a1f0c6b4f3da4f6d8e5b7f9f2d3c4b5a.json": "",
	"1f0c6b4f-2026-1101-8e5b-179351280012.json":         "",
}

func TestInstantsInNames(t *testing.T) {
	zone := berlin(t)
	for name, want := range instantsInNames {
		at, found, err := archive.InstantInName(name, zone)
		got := ""
		if found {
			got = at.Format(time.RFC3339Nano)
		} else if _, unclear := errors.AsType[*localtime.UnclearError](err); unclear {
			got = "unclear"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestIDsTellNoInstant: the digits of an account id can look like anything.
func TestIDsTellNoInstant(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 4000 {
		id := fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64())
		for _, name := range []string{id + ".json", "account_" + id + ".json", id + "-detail.json.gz"} {
			if at, found, err := archive.InstantInName(name, time.UTC); found || err != nil {
				t.Fatalf("%s: %s", name, at)
			}
		}
	}
}

// FuzzInstantInName: an instant that is found is one of its century or so, and an
// instant that was written into a name is the one that is found.
func FuzzInstantInName(f *testing.F) {
	f.Add("accounts-2026-11-01T06:00Z.json", int64(1793512800250), 0)
	f.Add("20261101-0600.json", int64(0), 1)
	f.Add("1793512800.json", int64(4102444799999), 2)
	f.Add("a\xff2026-11-01T06:30:15.999999999+14:00", int64(951782400000), 3)
	layouts := []string{"2006-01-02T15:04:05.000Z07:00", "20060102-150405", "2006-01-02T15-04-05Z", "2006.01.02_15.04"}
	f.Fuzz(func(t *testing.T, text string, ms int64, layout int) {
		if at, found, _ := archive.InstantInName(text, time.UTC); found && (at.Year() < 1899 || at.Year() > 2100 || at.Location() != time.UTC) {
			t.Errorf("%q: %s", text, at)
		}
		if ms = min(max(ms, 0), 4102444799999); layout < 0 || layout >= len(layouts) {
			return
		}
		written := time.UnixMilli(ms).UTC().Format(layouts[layout])
		want, err := time.Parse(layouts[layout], written)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{written, "accounts-" + written + ".json", "x " + written + "_7.ndjson.gz"} {
			if at, found, _ := archive.InstantInName(name, time.UTC); !found || !at.Equal(want) {
				t.Errorf("%q: %s %v, want %s", name, at, found, want)
			}
		}
	})
}
