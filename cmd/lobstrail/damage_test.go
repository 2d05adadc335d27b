package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestDamageIsNamedOrDoesNotMatter overwrites some bytes anywhere in a store: each
// command then answers, or says that the store is damaged. It never fails
// otherwise, and what it answers is JSON.
func TestDamageIsNamedOrDoesNotMatter(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(demoStore(t))
	if err != nil {
		t.Fatal(err)
	}
	asked := [][]string{
		{"accounts"}, {"changes"}, {"runs"}, {"squids"}, {"squids", "--history"}, {"report", "--since", "3w"}, {"show", "tom"},
		{"show", "tom", "--icon", "--at", "5d"}, {"diff", "1"}, {"sql", "SELECT document FROM account_versions"},
	}
	db, rng := filepath.Join(t.TempDir(), "damaged.db"), rand.New(rand.NewPCG(3, uint64(os.Getpid())))
	rounds := 15
	switch {
	case *long:
		rounds = 400
	case testing.Short():
		rounds = 4
	}
	named := 0
	for range rounds {
		damaged := append([]byte(nil), whole...)
		at := 100 + rng.IntN(len(damaged)-200) // behind the header, which says what the file is
		for i := range 1 + rng.IntN(64) {
			damaged[at+i] = byte(rng.Uint32())
		}
		if err := os.WriteFile(db, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range asked {
			o := within(0, nil, append(args, "--json", "--db", db)...)
			switch {
			case o.code == exitDamaged:
				named++
			case args[0] == "show" && o.code == exitUsage: // the name itself is damaged
			case o.code != exitDone:
				t.Errorf("%q, damaged at %d: exit %d: %s", args, at, o.code, o.stderr)
			case !json.Valid([]byte(o.stdout)):
				t.Errorf("%q, damaged at %d: no JSON: %q", args, at, o.stdout)
			}
		}
	}
	if *long && named == 0 {
		t.Error("no damage was ever named")
	}
}
