package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// TestProofsHoldOnBothEngines: a checkpoint that is made of a store verifies against its copy
// on the other engine, also after both went on, and both give the same proof under it. So
// does one that is made of the copy, for the store.
func TestProofsHoldOnBothEngines(t *testing.T) {
	t.Parallel()
	for i, engine := range testEngines {
		other := testEngines[1-i]
		t.Run(engine.name+" to "+other.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			in := func(name string) string { return filepath.Join(h.dir, name) }
			source, copied := engine.fresh(t, in("source.db")), other.fresh(t, in("copy.db"))
			grow := func(name string) {
				t.Helper()
				account := fmt.Sprintf(`{"id":%q,"username":%q,"status":"200"}`, lobstrtest.ID(name), name)
				if err := os.WriteFile(in("account.json"), []byte(account), 0o600); err != nil {
					t.Fatal(err)
				}
				h.must(exitDone, "import", "--db", source, in("account.json"))
				h.must(exitDone, "copy", source, copied)
			}
			verifier := strings.TrimSpace(h.must(exitDone, "key", "--name", "example.com/lobstrail", "-o", in("log.key")).stdout)
			grow("ada")
			h.must(exitDone, "checkpoint", "--db", source, "--key", in("log.key"), "--to", in("of source"))
			h.must(exitDone, "checkpoint", "--db", copied, "--key", in("log.key"), "--to", in("of copy"))
			grow("ben")
			for _, checkpoint := range []string{"of source", "of copy"} {
				var proofs []string
				for _, db := range []string{source, copied} {
					h.must(exitDone, "verify", "--db", db, "--checkpoint", in(checkpoint), "--verifier", verifier)
					proof := h.must(exitDone, "prove", "ada", "--db", db, "--checkpoint", in(checkpoint)).stdout
					if err := os.WriteFile(in("proof"), []byte(proof), 0o600); err != nil {
						t.Fatal(err)
					}
					if o := h.must(exitDone, "verify-proof", in("proof"), "--verifier", verifier); !strings.HasPrefix(o.stdout, "The proof holds.") {
						t.Errorf("%s", o)
					}
					proofs = append(proofs, proof)
				}
				if proofs[0] != proofs[1] {
					t.Errorf("the proofs under the checkpoint %s differ:\n%s\n%s", checkpoint, proofs[0], proofs[1])
				}
			}
		})
	}
}
