package main

import (
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lobstrail/lobstrail/"

// mayImport lists, for each folder of the house, which other ones its code may
// import. Folders below one may import it and what it may.
var mayImport = map[string][]string{
	"migrations": {},
	"store":      {"migrations"},
	"fetcher":    {"store"},
	"report":     {"store"},
	"cmd":        {"fetcher", "report", "store"},
}

func TestImportsRunOneWay(t *testing.T) {
	packages := 0
	for _, dir := range goFolders(t) {
		pkg, err := build.ImportDir(filepath.Join("..", "..", dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		packages++
		room, _, _ := strings.Cut(dir, "/")
		for _, imported := range pkg.Imports {
			rest, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			other, _, _ := strings.Cut(rest, "/")
			if other != room && !slices.Contains(mayImport[room], other) {
				t.Errorf("%s imports %s", dir, imported)
			}
		}
	}
	if packages < 7 {
		t.Errorf("only %d packages were looked at", packages)
	}
}

// The fake is an independent witness: it knows nothing of what it helps to test. Only
// tests import the oracle, so that no program contains it.
func TestFakeImportsNothingOfTheHouse(t *testing.T) {
	const fake = "fetcher/lobstrtest"
	for _, dir := range goFolders(t) {
		pkg, err := build.ImportDir(filepath.Join("..", "..", dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range pkg.Imports {
			rest, ours := strings.CutPrefix(imported, module)
			if ours && strings.HasPrefix(dir, fake) && (dir == fake || rest != fake) {
				t.Errorf("%s imports %s", dir, imported)
			}
			if rest == fake+"/oracle" {
				t.Errorf("%s imports %s", dir, imported)
			}
		}
	}
}

func TestOnlyTheStoreKnowsTheDriver(t *testing.T) {
	for _, dir := range goFolders(t) {
		pkg, err := build.ImportDir(filepath.Join("..", "..", dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range pkg.Imports {
			if strings.HasPrefix(imported, "modernc.org/") && dir != "store" {
				t.Errorf("%s imports %s", dir, imported)
			}
		}
	}
}

func TestTopLevelHoldsTheHouseAndNothingElse(t *testing.T) {
	allowed := []string{"LICENSE", "README.md", "cmd", "fetcher", "go.mod", "go.sum", "migrations", "report", "store"}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(allowed, entry.Name()) {
			t.Errorf("%s does not belong at the top level", entry.Name())
		}
	}
}

// goFolders lists the folders that hold Go code, from the top level.
func goFolders(t *testing.T) (dirs []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("../.."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if dir := path.Dir(name); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") &&
			!slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
