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
// import, beside those below it. A folder that is not listed may import what the one
// above it may, and that one. An entry that ends with /... stands for all below it too.
var mayImport = map[string][]string{
	"migrations":      {},
	"store":           {"store/document", "store/ledger"},
	"store/document":  {},
	"store/ledger":    {},
	"store/localtime": {},
	"store/fold":      {"store", "store/document", "store/ledger"},
	"store/retain":    {"store"},
	"store/verify":    {"store", "store/fold", "store/ledger"},
	"store/storetest": {"store"},
	"store/storetest/engines": {
		"store", "store/relational", "store/sqlite", "store/sqlite/sqlitetest", "store/postgres", "store/postgres/postgrestest",
	},
	"store/relational": {
		"store", "store/document", "store/fold", "store/ledger", "store/retain", "store/verify",
	},
	"store/sqlite":   {"store", "store/relational", "migrations/sqlite"},
	"store/postgres": {"store", "store/relational", "migrations/postgres"},
	"fetcher":        {"fetcher/...", "store", "store/localtime"},
	"report":         {"report/...", "store", "store/document", "store/ledger", "store/localtime"},
	"cmd":            {"fetcher/...", "report/...", "store", "store/ledger", "store/localtime"},
}

// engines keep the store. Of the command, one file names them.
var engines = []string{"store/sqlite", "store/postgres"}

const engineFile = "engine.go"

func isEngine(dir string) bool { return slices.Contains(engines, dir) }

// allowed reports whether a folder may import another one.
func allowed(dir, other string) bool {
	room := dir
	for mayImport[room] == nil {
		room = path.Dir(room)
	}
	if strings.HasPrefix(other, dir+"/") || other == room {
		return true
	}
	for _, may := range mayImport[room] {
		if deep, ok := strings.CutSuffix(may, "/..."); other == may || ok && (other == deep || strings.HasPrefix(other, deep+"/")) {
			return true
		}
	}
	return false
}

func TestImportsRunOneWay(t *testing.T) {
	packages := 0
	for _, dir := range goFolders(t) {
		pkg, err := build.ImportDir(filepath.Join("..", "..", dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		packages++
		for _, imported := range pkg.Imports {
			other, ours := strings.CutPrefix(imported, module)
			if ours && !isEngine(other) && !allowed(dir, other) {
				t.Errorf("%s imports %s", dir, imported)
			}
		}
		for _, engine := range engines {
			for _, place := range pkg.ImportPos[module+engine] {
				named := filepath.Base(place.Filename) == engineFile && dir == "cmd/lobstrail"
				if !named && dir != "store/storetest/engines" && !strings.HasPrefix(dir, engine+"/") {
					t.Errorf("%s names the engine", place)
				}
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

func TestOnlyTheEngineKnowsTheDriver(t *testing.T) {
	for _, dir := range goFolders(t) {
		pkg, err := build.ImportDir(filepath.Join("..", "..", dir), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range pkg.Imports {
			if strings.HasPrefix(imported, "modernc.org/") && dir != "store/sqlite" {
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
