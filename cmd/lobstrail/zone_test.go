package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestZonesOfTZ reads values of TZ and looks at a clock in January and in July.
func TestZonesOfTZ(t *testing.T) {
	dir := t.TempDir()
	zoneFile := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "localtime")
	if err := os.Symlink("../nothing/zoneinfo/Europe/Berlin", link); err != nil {
		t.Skip(err)
	}
	tests := map[string]string{ // offsets in January and July, in hours and minutes; "": refused
		"Europe/Berlin": "+0100 +0200", ":Europe/Paris": "+0100 +0200", "UTC": "+0000 +0000", "": "+0000 +0000", ":": "+0000 +0000",
		"EST5EDT": "-0500 -0400", "America/Santiago": "-0300 -0400",
		"CET-1CEST,M3.5.0,M10.5.0/3": "+0100 +0200", ":CET-1CEST,M3.5.0,M10.5.0/3": "+0100 +0200", "<+03>-3": "+0300 +0300",
		"<-0330>+3:30": "-0330 -0330", "UTC0": "+0000 +0000", "UTC+0": "+0000 +0000", "CET-1CEST": "+0100 +0200", "XYZ-5:45": "+0545 +0545",
		"EST5EDT4,M3.2.0/2,M11.1.0/2": "-0500 -0400", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1": "-0300 -0200", "AEST-10AEDT,M10.1.0,M4.1.0/3": "+1100 +1000",
		"ABC-3DEF,J60/0,J300": "+0300 +0400", "ABC-3DEF,59,299": "+0300 +0400",
		"/nothing/zoneinfo/Europe/Berlin": "+0100 +0200", link: "+0100 +0200",

		"Europe/Pariss": "", "Europe": "", "Mars/Olympus": "", "Local": "", "JST": "", "../../etc/passwd": "", "UTC0 ": "", " ": "", "0": "",
		"CET-1CEST,M3.5.0": "", "CET-1CEST,M13.5.0,M10.5.0": "", "CET-1CEST,M3.6.0,M10.5.0": "", "CET-1CEST,M3.5.7,M10.5.0": "",
		"CET-1CEST,J0,J300": "", "CET-1CEST,366,1": "", "CET-25": "", "CET-1CEST,M3.5.0,M10.5.0,M1.1.1": "", "CET-1,M3.5.0,M10.5.0": "", "<+03-3": "",
		"+3": "", "AB-3": "", "<>-3": "", "\x00": "", "CET-1\nX": "", "Europe/Pari+1": "", "/nothing/zoneinfo/Europe/Pariss": "",
		filepath.Join(dir, "missing"): "", dir: "", "/dev/zero": "", zoneFile("text", "no zone"): "", zoneFile("huge", strings.Repeat("x", maxZoneFile+1)): "",
	}
	for tz, want := range tests {
		zone, err := localZone(func(string) (string, bool) { return tz, true }, filepath.Join(dir, "none"))
		got := ""
		if err == nil {
			for _, month := range []time.Month{time.January, time.July} {
				got += time.Date(2026, month, 15, 12, 0, 0, 0, time.UTC).In(zone).Format("-0700 ")
			}
			got = strings.TrimSpace(got)
		} else if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "TZ=") {
			t.Errorf("TZ=%q: %v is not about TZ", tz, err)
		}
		if got != want {
			t.Errorf("TZ=%q has the offsets %q, want %q (%v)", tz, got, want, err)
		}
	}
}

// TestTheZoneOfTheMachine: a zone file that is a link into a missing database is
// found in ours; one that cannot be read is an error, not UTC.
func TestTheZoneOfTheMachine(t *testing.T) {
	dir := t.TempDir()
	unset := func(string) (string, bool) { return "", false }
	file := filepath.Join(dir, "localtime")
	if zone, err := localZone(unset, file); err != nil || zone != time.Local {
		t.Errorf("without a file: %v, %v", zone, err)
	}
	if err := os.Symlink("/nothing/zoneinfo/Asia/Kathmandu", file); err != nil {
		t.Skip(err)
	}
	if zone, err := localZone(unset, file); err != nil || zone.String() != "Asia/Kathmandu" {
		t.Errorf("a link without its target: %v, %v", zone, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("no zone"), 0o600); err != nil {
		t.Fatal(err)
	}
	if zone, err := localZone(unset, file); exitCode(err) != exitUsage || !strings.Contains(err.Error(), file) {
		t.Errorf("a file that is no zone file: %v, %v", zone, err)
	}
}
