package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHelpAsManual: a page for each command and each topic, the same each time.
func TestHelpAsManual(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if o := within(0, nil, "man", dir); o.code != exitDone || o.stderr != "" {
			t.Fatalf("%s", o)
		}
	}
	pages := []string{"man1/lobstrail.1", "man1/lobstrail-config-check.1"}
	for _, cmd := range commands(t) {
		pages = append(pages, "man1/lobstrail-"+cmd.Name()+".1")
	}
	for _, topic := range topics() {
		pages = append(pages, "man7/lobstrail-"+topic.name+".7")
	}
	for _, page := range pages {
		a, err := os.ReadFile(filepath.Join(first, page))
		b, again := os.ReadFile(filepath.Join(second, page))
		if err != nil || again != nil || string(a) != string(b) || !strings.Contains(string(a), ".TH ") {
			t.Errorf("%s: %v, %v: %.100s", page, err, again, a)
		}
	}
}
