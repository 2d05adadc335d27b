package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the picture of the README anew")

// readmePicture is what the README shows of the demo.
const readmePicture = ".github/report.svg"

// TestReadmeShowsTheDemo makes the picture as the README says it was made, on the
// day of the story.
func TestReadmeShowsTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("other tests make the demo too")
	}
	dir := t.TempDir()
	db, file := filepath.Join(dir, "demo.db"), filepath.Join(dir, "report.svg")
	then := time.Date(2026, 9, 21, 6, 30, 0, 0, time.UTC)
	for _, args := range [][]string{
		{"demo", "--db", db},
		{"report", "--format", "svg", "-o", file, "--since", "2026-09-07T06:00:00Z", "--until", "2026-09-21T06:00:01Z", "--db", db},
	} {
		var out, errs bytes.Buffer
		env := &environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: func() time.Time { return then }, zone: time.UTC,
			getenv: func(string) string { return "" }}
		if code := run(context.Background(), env, args); code != exitDone {
			t.Fatalf("%q: exit %d: %s", args, code, errs.String())
		}
	}
	made, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", readmePicture)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, shown) {
		t.Errorf("%s is not what the demo makes: go test ./cmd/lobstrail -run ReadmeShows -update", readmePicture)
	}
	if !strings.Contains(readme(t), "]("+readmePicture+")") {
		t.Errorf("the README does not show %s", readmePicture)
	}
}
