package store

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"iter"
	"strings"
)

// marker stands in an outline where a counter stood: a JSON value that no API
// sends.
const marker = `"\u0000"`

// OutlineDigest is the SHA-256 of the outline of an account object: of its bytes
// with a marker in the place of each counter. Objects with the same one differ in
// their counters alone, if one of them is valid: both are then, and a counter of
// the one stands where one of the other does. False: there is no counter in it
// that is spelled plainly (or it holds the marker itself).
func OutlineDigest(raw []byte) (digest [sha256.Size]byte, ok bool) {
	var sum hash.Hash
	at := 0
	for from, to := range plainCounters(raw) {
		if sum == nil {
			sum = sha256.New()
		}
		sum.Write(raw[at:from]) // never fails
		sum.Write([]byte(marker))
		at = to
	}
	if sum == nil || bytes.Contains(raw, []byte(marker)) {
		return digest, false
	}
	sum.Write(raw[at:])
	sum.Sum(digest[:0])
	return digest, true
}

// plainCounters finds what may be the counters of an account object, which need
// not be valid: integers of a usual size and times behind names that volatile
// values have.
func plainCounters(raw []byte) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for at := 0; ; {
			colon := bytes.IndexByte(raw[at:], ':')
			if colon < 0 {
				return
			}
			colon += at
			at = colon + 1
			for at < len(raw) && raw[at] == ' ' {
				at++
			}
			from := at
			at += plainLength(raw[at:])
			if at > from && isCounterName(raw[:colon]) && !yield(from, at) {
				return
			}
		}
	}
}

// plainLength is how long the integer or the time is that b begins with; 0 when
// there is none.
func plainLength(b []byte) int {
	const most = 20 // "18/07/2022 21:47:09", and some room
	quoted := len(b) > 0 && b[0] == '"'
	for n := 0; n < min(len(b), most+2); n++ {
		switch c := b[n]; {
		case '0' <= c && c <= '9', quoted && (n == 0 || c == '/' || c == ':' || c == ' '):
		case quoted && c == '"':
			return n + 1
		case !quoted && (c == ',' || c == '}' || c == ' ' || c == '\n' || c == '\r') && isPlainNumber(string(b[:n])):
			return n
		default:
			return 0
		}
	}
	return 0
}

// isCounterName reports whether b ends with the name of a volatile value.
func isCounterName(b []byte) bool {
	for _, name := range [...]string{`"value"`, `"timestamp"`, `"current"`, `"last_batch_at"`} {
		if len(b) > len(name) && string(b[len(b)-len(name):]) == name {
			return true
		}
	}
	return false
}

// outline is what all objects with the same outline have in common.
type outline struct {
	digest   [sha256.Size]byte
	document [sha256.Size]byte // SHA-256 of the document
	forms    []form
}

// form is a usage with gaps, one for each counter.
type form struct {
	usage
	pieces []string // of the body, around the gaps
}

// newOutline makes the outline, with the digest, of an object that was taken
// apart. It is nil when what seems to be a counter is none: it then stands in the
// document.
func newOutline(raw []byte, digest [sha256.Size]byte, apart separated) *outline {
	var marked []byte
	at := 0
	for from, to := range plainCounters(raw) {
		marked = append(append(marked, raw[at:from]...), marker...)
		at = to
	}
	common, err := separate(append(marked, raw[at:]...))
	if err != nil || !bytes.Equal(common.body, apart.body) {
		return nil
	}
	o := &outline{digest: digest, document: sha256.Sum256(apart.body)}
	for _, u := range common.usage {
		o.forms = append(o.forms, form{u, strings.Split(string(u.body), marker)})
	}
	return o
}

// usageOf is the usage of an object that has the outline.
func (o *outline) usageOf(raw []byte) []usage {
	next, stop := iter.Pull2(plainCounters(raw))
	defer stop()
	usages := make([]usage, len(o.forms))
	for i, f := range o.forms {
		body := append(make([]byte, 0, 64), f.pieces[0]...)
		for _, piece := range f.pieces[1:] {
			from, to, _ := next() // there are as many
			body = append(append(body, raw[from:to]...), piece...)
		}
		usages[i] = usage{f.pointer, body, f.max}
	}
	return usages
}
