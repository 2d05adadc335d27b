package store

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// marker stands in an outline where a counter stood: a JSON value that no API
// sends.
const marker = `"\u0000"`

// Outline is an account object apart from its counters.
type Outline struct {
	digest   [sha256.Size]byte
	counters []extent
}

// extent is where a counter stands in an object.
type extent struct{ from, to int }

// OutlineOf is the outline of an account object, which need not be valid. nil: there
// is no counter in it that is spelled plainly (or it may hold the marker itself).
func OutlineOf(raw []byte) *Outline {
	o := &Outline{counters: plainCounters(raw)}
	if len(o.counters) == 0 || bytes.Contains(raw, []byte(`\u0000`)) {
		return nil
	}
	sum, at := sha256.New(), 0
	for _, counter := range o.counters {
		sum.Write(raw[at:counter.from]) // never fails
		sum.Write([]byte(marker))
		at = counter.to
	}
	sum.Write(raw[at:])
	sum.Sum(o.digest[:0])
	return o
}

// Digest is the SHA-256 of the object's bytes with a marker in the place of each
// counter. Objects with the same one differ in their counters alone, if one of them
// is valid: both are then, and a counter of the one stands where one of the other
// does.
func (o *Outline) Digest() [sha256.Size]byte { return o.digest }

// plainCounters finds what may be the counters of an account object: integers of a
// usual size and times behind names that volatile values have.
func plainCounters(raw []byte) (counters []extent) {
	for at := 0; ; {
		colon := bytes.IndexByte(raw[at:], ':')
		if colon < 0 {
			return counters
		}
		colon += at
		at = colon + 1
		for at < len(raw) && raw[at] == ' ' {
			at++
		}
		from := at
		at += plainLength(raw[at:])
		if at == from || !isCounterName(raw[:colon]) {
			continue
		}
		if counters == nil {
			counters = make([]extent, 0, 8)
		}
		counters = append(counters, extent{from, at})
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

// template is what all objects with the same outline have in common.
type template struct {
	outline  [sha256.Size]byte // its digest
	document [sha256.Size]byte // SHA-256 of the document
	forms    []form
}

// form is a usage with gaps, one for each counter.
type form struct {
	usage
	pieces []string // of the body, around the gaps
}

// newTemplate makes the template of an object, whose outline it is, that was taken
// apart. It is nil when what seems to be a counter is none: it then stands in the
// document.
func newTemplate(raw []byte, o *Outline, apart separated) *template {
	var marked []byte
	at := 0
	for _, counter := range o.counters {
		marked = append(append(marked, raw[at:counter.from]...), marker...)
		at = counter.to
	}
	common, err := separate(append(marked, raw[at:]...))
	if err != nil || !bytes.Equal(common.body, apart.body) {
		return nil
	}
	t := &template{outline: o.digest, document: sha256.Sum256(apart.body)}
	for _, u := range common.usage {
		t.forms = append(t.forms, form{u, strings.Split(string(u.body), marker)})
	}
	return t
}

// usageOf is the usage of an object that has the outline.
func (t *template) usageOf(raw []byte, o *Outline) []usage {
	counters := o.counters // as many as there are gaps
	usages := make([]usage, len(t.forms))
	bodies := make([]byte, 0, 64*len(t.forms))
	for i, f := range t.forms {
		from := len(bodies)
		bodies = append(bodies, f.pieces[0]...)
		for _, piece := range f.pieces[1:] {
			bodies = append(append(bodies, raw[counters[0].from:counters[0].to]...), piece...)
			counters = counters[1:]
		}
		usages[i] = usage{f.pointer, bodies[from:len(bodies):len(bodies)], f.max}
	}
	return usages
}
