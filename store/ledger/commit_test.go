package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"testing"

	"github.com/lobstrail/lobstrail/store/ledger"
)

func sum(parts ...any) (hash ledger.Hash) {
	var text []byte
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			text = append(text, part...)
		case []byte:
			text = append(text, part...)
		}
	}
	return sha256.Sum256(text)
}

// TestCommitments makes each commitment again by what its comment says.
func TestCommitments(t *testing.T) {
	salt := ledger.Salt(bytes.Repeat([]byte{7}, ledger.SaltSize))
	number := binary.BigEndian.AppendUint64(nil, 12)
	blind := sum("document", []byte(salt), number)
	if got := salt.DocumentBlind(12); ledger.Hash(got) != blind {
		t.Error("the secret of a document:", got)
	}
	document := sum("lobstrail document\n", blind[:], `{"id":"x"}`)
	if got := salt.DocumentBlind(12).Document([]byte(`{"id":"x"}`)); got != document {
		t.Error("a document:", got)
	}
	blind = sum("counters", []byte(salt), number)
	counters := sum("lobstrail counters\n", blind[:], "14:/params/user/p", `11:{"value":1}`, "-", "10:/resets_in", "2:17", "1:9")
	got := salt.CountersBlind(12).Counters([]ledger.Counter{
		{Pointer: "/params/user/p", Body: []byte(`{"value":1}`)},
		{Pointer: "/resets_in", Body: []byte(`17`), Max: []byte("9")},
	})
	if got != counters {
		t.Error("counters:", got)
	}
	one := func(max []byte) ledger.Hash { return salt.CountersBlind(12).Counters([]ledger.Counter{{Max: max}}) }
	if one(nil) == one([]byte{}) {
		t.Error("no limit is the same as an empty one")
	}
	if got := salt.Message("x"); got != sum("lobstrail message\n", []byte(salt), "x") {
		t.Error("a message:", got)
	}
}

func TestLeaves(t *testing.T) {
	document, counters := sum("a"), sum("b")
	one, two := base64.StdEncoding.EncodeToString(document[:]), base64.StdEncoding.EncodeToString(counters[:])
	for want, shown := range map[string]ledger.Observed{
		"x gone":               {Account: "x"},
		"x " + one:             {Account: "x", Document: &document},
		"x " + one + " " + two: {Account: "x", Document: &document, Counters: &counters},
	} {
		if got := string(shown.Text()); got != want || shown.Leaf() != sum("\x00", want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSaltsAreRandom(t *testing.T) {
	if a, b := ledger.NewSalt(), ledger.NewSalt(); len(a) != ledger.SaltSize || bytes.Equal(a, b) {
		t.Error("two salts are", a, b)
	}
}
