package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// SecretMark begins every signer key. What begins with it is never to be shown.
const SecretMark = "PRIVATE+KEY+"

const maxName = 200

// CheckName says what is wrong with the name of a key; nil for nothing. It is not
// empty, has no spaces, plus signs or control characters, and at most 200 bytes.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("it has no name")
	case len(name) > maxName:
		return fmt.Errorf("a name of %d bytes is too long", len(name))
	case !utf8.ValidString(name), strings.Contains(name, "+"),
		strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return fmt.Errorf("%q is no name: it has a space, a plus sign or a control character", name)
	}
	return nil
}

// NewKey makes an Ed25519 key of that name. The signer key is the secret; the
// verifier key is for everybody.
func NewKey(name string) (signer, verifier string, err error) {
	if err := CheckName(name); err != nil {
		return "", "", err
	}
	return note.GenerateKey(rand.Reader, name)
}

// ParseSigner reads a signer key. The error tells nothing of it.
func ParseSigner(key string) (note.Signer, error) {
	signer, err := note.NewSigner(key)
	if err != nil {
		return nil, errors.New("not a signer key")
	}
	return signer, CheckName(signer.Name())
}

// VerifierKey is the verifier key that belongs to a signer key. The error tells
// nothing of either.
func VerifierKey(signer string) (string, error) {
	s, err := ParseSigner(signer)
	if err != nil {
		return "", err
	}
	parts := strings.SplitN(signer, "+", 5) // PRIVATE, KEY, the name, the id, and the seed
	seed, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		return "", errors.New("not a signer key")
	}
	public := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey) // behind the kind of the key
	return note.NewEd25519VerifierKey(s.Name(), public)
}

// KeyID names a key: its name, a plus sign and its id in eight hex digits.
func KeyID(key interface {
	Name() string
	KeyHash() uint32
}) string {
	return keyID(key.Name(), key.KeyHash())
}

func keyID(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// keyName is the name in a key's id.
func keyName(id string) string {
	name, _, _ := strings.Cut(id, "+")
	return name
}
