package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
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
	rounds := 8
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

// TestTruncatedWhileItIsRead cuts a store off under a process that has read the
// beginning of an answer: it says that the store is damaged.
func TestTruncatedWhileItIsRead(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	var lines bytes.Buffer
	for n := range 2500 {
		fmt.Fprintf(&lines, `{"id":"%032x","username":"u%d","status":"200","type":"t","squids":[],"note":%q}`+"\n", n, n, strings.Repeat("long ", 1000))
	}
	mustDo(t, os.WriteFile(filepath.Join(h.dir, "accounts.ndjson"), lines.Bytes(), 0o600))
	h.must(exitDone, "import", "accounts.ndjson", "--at", "2026-11-01")
	whole, err := os.ReadFile(h.db)
	mustDo(t, err)
	for _, bare := range []bool{false, true} {
		if bare { // as a backup is
			mustDo(t, os.Remove(h.db+"-wal"))
		}
		for _, part := range []float64{0, 0.01, 0.25, 0.5, 0.75, 0.9} {
			mustDo(t, os.WriteFile(h.db, whole, 0o600))
			cmd := h.command("sql", "SELECT document FROM account_versions")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			mustDo(t, err)
			mustDo(t, cmd.Start())
			_, err = io.ReadFull(stdout, make([]byte, 10_000)) // it is in the middle of its answer now, and waits
			mustDo(t, err)
			mustDo(t, os.Truncate(h.db, int64(part*float64(len(whole)))))
			_, err = io.Copy(io.Discard, stdout)
			mustDo(t, err)
			cmd.Wait() // the code is looked at below
			if code := cmd.ProcessState.ExitCode(); code != exitDamaged || !strings.Contains(stderr.String(), "store is damaged") {
				t.Errorf("cut to %.2f, without a journal: %v: exit %d, %s", part, bare, code, stderr.String())
			}
		}
	}
}
