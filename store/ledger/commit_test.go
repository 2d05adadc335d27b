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
	blind = sum("received", []byte(salt), number)
	digest := bytes.Repeat([]byte{1}, 32)
	received := sum("lobstrail received\n", blind[:], "32:", digest, "14:/params/user/p", `11:{"value":1}`, "-", "10:/resets_in", "2:17", "1:9")
	got := salt.ReceivedBlind(12).Received(digest, []ledger.Counters{
		{Pointer: "/params/user/p", Body: []byte(`{"value":1}`)},
		{Pointer: "/resets_in", Body: []byte(`17`), Max: []byte("9")},
	})
	if got != received {
		t.Error("what was received:", got)
	}
	if salt.ReceivedBlind(12).Received(nil, nil) == salt.ReceivedBlind(12).Received([]byte{}, nil) {
		t.Error("no digest is the same as an empty one")
	}
	if got := salt.Message("x"); got != sum("lobstrail message\n", []byte(salt), "x") {
		t.Error("a message:", got)
	}
}

func TestLeaves(t *testing.T) {
	document, received := sum("a"), sum("b")
	one, two := base64.StdEncoding.EncodeToString(document[:]), base64.StdEncoding.EncodeToString(received[:])
	for want, shown := range map[string]ledger.Observed{
		"x gone":               {Account: "x"},
		"x " + one:             {Account: "x", Document: &document},
		"x " + one + " " + two: {Account: "x", Document: &document, Received: &received},
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
