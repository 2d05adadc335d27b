package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 digest.
type Hash = tlog.Hash

// SaltSize is how many bytes a [Salt] has.
const SaltSize = 32

// Salt is the secret of one account that goes into each commitment to what was
// observed of it. It never changes, and is erased with what it hides.
type Salt []byte

// NewSalt makes a salt of random bytes.
func NewSalt() Salt {
	salt := make(Salt, SaltSize)
	rand.Read(salt) // never fails: see its documentation
	return salt
}

// Blind is the secret of one commitment: who knows it and what was committed to can
// check the commitment, and learns nothing about any other.
type Blind Hash

// What is committed to. The names have one length, so that no two of them can be
// read as one another.
const (
	documents = "document"
	received  = "received"
)

func (s Salt) blind(what string, id int64) Blind {
	var text [len(documents) + SaltSize + 8]byte
	copy(text[:], what)
	copy(text[len(what):], s)
	binary.BigEndian.PutUint64(text[len(what)+SaltSize:], uint64(id))
	return Blind(sha256.Sum256(text[:]))
}

// DocumentBlind is the secret of the commitment to the document of that number.
func (s Salt) DocumentBlind(id int64) Blind { return s.blind(documents, id) }

// ReceivedBlind is the secret of the commitment to what else came with the response
// of that number.
func (s Salt) ReceivedBlind(response int64) Blind { return s.blind(received, response) }

// Document commits to a document: SHA-256 of "lobstrail document", a line feed, the
// 32 bytes of the secret, and the document.
func (b Blind) Document(body []byte) Hash {
	h := sha256.New()
	h.Write([]byte("lobstrail document\n"))
	h.Write(b[:])
	h.Write(body)
	return Hash(h.Sum(nil))
}

// Message commits to a text that is kept with a salt of its own: SHA-256 of
// "lobstrail message", a line feed, the salt and the text.
func (s Salt) Message(text string) Hash {
	return sha256.Sum256(append(append([]byte("lobstrail message\n"), s...), text...))
}

// Counters are volatile values that moved, as they are stored.
type Counters struct {
	Pointer string
	Body    []byte
	Max     []byte // nil: none
}

// Received commits to what came with a snapshot beside its document, when that was
// something new: the SHA-256 of the account object as it was received (nil: not
// kept) and the counters that moved, by pointer. It is the SHA-256 of "lobstrail
// received", a line feed, the 32 bytes of the secret, and each of the values as its
// length in decimal digits, a colon and its bytes ("-" stands for nil).
func (b Blind) Received(digest []byte, moved []Counters) Hash {
	text := append(make([]byte, 0, 512), "lobstrail received\n"...)
	text = append(text, b[:]...)
	text = appendValue(text, digest)
	for _, c := range moved {
		text = appendValue(text, []byte(c.Pointer))
		text = appendValue(text, c.Body)
		text = appendValue(text, c.Max)
	}
	return sha256.Sum256(text)
}

func appendValue(text, value []byte) []byte {
	if value == nil {
		return append(text, '-')
	}
	text = strconv.AppendInt(text, int64(len(value)), 10)
	return append(append(text, ':'), value...)
}

// Observed is what a leaf says of an account.
type Observed struct {
	Account  string // id
	Document *Hash  // the commitment to it; nil: the API answered 404
	Received *Hash  // the commitment to what else came; nil: nothing new
}

// Text is the line that is hashed: the account, and the commitments in base64, or
// "gone".
func (o Observed) Text() []byte {
	text := append(make([]byte, 0, 128), o.Account...)
	text = append(text, ' ')
	if o.Document == nil {
		return append(text, "gone"...)
	}
	text = base64.StdEncoding.AppendEncode(text, o.Document[:])
	if o.Received != nil {
		text = base64.StdEncoding.AppendEncode(append(text, ' '), o.Received[:])
	}
	return text
}

// Leaf is the hash of one snapshot in the tree of its response (RFC 6962).
func (o Observed) Leaf() Hash { return tlog.RecordHash(o.Text()) }
