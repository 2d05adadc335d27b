package ledger_test

import (
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store/ledger"
)

func TestNamesOfKeys(t *testing.T) {
	for _, name := range []string{"", "two words", "a+b", "a\nb", "a\x00b", "a\u00a0b", "\xff", strings.Repeat("a", 201), "a\u202eb"} {
		if _, _, err := ledger.NewKey(name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	newKey(t, "büro.example/lobstrail")
}

// TestASignerKeyIsInNoError: whatever is wrong with it.
func TestASignerKeyIsInNoError(t *testing.T) {
	k := newKey(t, keyName)
	seed := strings.SplitN(k.secret, "+", 5)[4][1:] // PRIVATE+KEY+NAME+HASH+A...: the rest may have a + too
	eachChange([]byte(k.secret), func(changed []byte) {
		if _, err := ledger.VerifierKey(string(changed)); err != nil && strings.Contains(err.Error(), seed[:8]) {
			t.Errorf("%v", err)
		}
	})
}
