//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unitFiles are the units of the topic, by the name of the file that the text gives each.
func unitFiles(t *testing.T) map[string]string {
	t.Helper()
	text, units := findTopic("systemd").text, map[string]string{}
	pattern := regexp.MustCompile("(?s)`/etc/systemd/system/([a-z-]+\\.[a-z]+)`:\n\n```ini\n(.*?)```")
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		units[m[1]] = m[2]
	}
	if len(units) != 3 || len(units) != strings.Count(text, "```ini") {
		t.Fatalf("%d units: %v", len(units), units)
	}
	return units
}

// TestUnitsAreRight has systemd check the units of the topic, with this program in the
// place of the installed one, and judge how much they allow.
func TestUnitsAreRight(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	program, err := exec.LookPath("lobstrail")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var files []string
	for name, text := range unitFiles(t) {
		text = strings.ReplaceAll(text, "/usr/bin/lobstrail ", program+" ")
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(files[len(files)-1], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(analyze, args...).CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
			t.Errorf("systemd-analyze %s: %v\n%s", args, err, out)
		}
	}
	check(append([]string{"verify", "--man=no"}, files...)...)
	for _, file := range files {
		if strings.HasSuffix(file, ".service") {
			check("security", "--offline=yes", "--threshold=16", "--no-pager", file)
		}
	}
}

// TestUnitsRunWhatThereIs: the commands of the units have the flags that they use.
func TestUnitsRunWhatThereIs(t *testing.T) {
	for name, text := range unitFiles(t) {
		for _, m := range regexp.MustCompile(`(?m)^ExecStart=/usr/bin/lobstrail (.*)$`).FindAllStringSubmatch(text, -1) {
			o := within(0, nil, append(strings.Fields(m[1]), "--help")...)
			if o.code != exitDone {
				t.Errorf("%s: %s: %s", name, m[1], o)
			}
		}
	}
}
