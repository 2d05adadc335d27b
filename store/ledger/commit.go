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
	counters  = "counters"
)

func (s Salt) blind(what string, at int64) Blind {
	var text [len(documents) + SaltSize + 8]byte
	copy(text[:], what)
	copy(text[len(what):], s)
	binary.BigEndian.PutUint64(text[len(what)+SaltSize:], uint64(at))
	return Blind(sha256.Sum256(text[:]))
}

// DocumentBlind is the secret of the commitment to the document that began at the
// instant.
func (s Salt) DocumentBlind(at int64) Blind { return s.blind(documents, at) }

// CountersBlind is the secret of the commitment to the counters as they stood from
// the instant on.
func (s Salt) CountersBlind(at int64) Blind { return s.blind(counters, at) }

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

// Counter is a volatile value, or the volatile values of one object.
type Counter struct {
	Pointer string
	Body    []byte
	Max     []byte // nil: none
}

// Counters commits to counters, which are sorted by pointer: the SHA-256 of
// "lobstrail counters", a line feed, the 32 bytes of the secret, and each of the
// values as its length in decimal digits, a colon and its bytes ("-" stands for
// nil).
func (b Blind) Counters(all []Counter) Hash {
	text := append(make([]byte, 0, 512), "lobstrail counters\n"...)
	text = append(text, b[:]...)
	for _, c := range all {
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
	Counters *Hash  // the commitment to the counters; nil: it has none
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
	if o.Counters != nil {
		text = base64.StdEncoding.AppendEncode(append(text, ' '), o.Counters[:])
	}
	return text
}

// Leaf is the hash of one snapshot in the tree of its response (RFC 6962).
func (o Observed) Leaf() Hash { return tlog.RecordHash(o.Text()) }
