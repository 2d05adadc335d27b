package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

const pictureKey = "picture"

// pictureOf describes every row of the database at a URL, or every file below dir: mode,
// size, and, but for the shared memory of SQLite, where readers note that they read, what
// is in it and when it was written.
func pictureOf(dir string) (map[string]string, error) {
	if onServer(dir) {
		return rowsOfDatabase(dir)
	}
	picture := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			picture[path] = "folder"
			return err
		}
		picture[path] = fmt.Sprintf("%v %d", info.Mode(), info.Size())
		if strings.HasSuffix(path, "-shm") {
			return nil
		}
		raw, err := os.ReadFile(path)
		picture[path] += fmt.Sprintf(" %x %v", sha256.Sum256(raw), info.ModTime())
		return err
	})
	return picture, err
}

// comparePictures says what differs, one a line; "" when nothing does.
func comparePictures(before, after map[string]string) string {
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if before[path] != after[path] {
			lines = append(lines, fmt.Sprintf("%s: %s -> %s", path, before[path], after[path]))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if before[path] == "" {
			lines = append(lines, path+": new")
		}
	}
	return strings.Join(lines, "\n")
}

func takePicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: picture DIR|URL")
	}
	picture, err := pictureOf(locationOf(ts, args[0]))
	ts.Check(err)
	ts.Value(pictureKey).(map[string]map[string]string)[args[0]] = picture
}

func comparePicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: same DIR|URL")
	}
	before := ts.Value(pictureKey).(map[string]map[string]string)[args[0]]
	if before == nil {
		ts.Fatalf("no picture of %s", args[0])
	}
	after, err := pictureOf(locationOf(ts, args[0]))
	ts.Check(err)
	if diff := comparePictures(before, after); diff != "" {
		ts.Fatalf("it changed:\n%s", diff)
	}
}
