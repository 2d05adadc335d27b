package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// heard is a sink that notes what it is told.
type heard struct{ events, accounts []string }

func (h *heard) note(what string, raw []byte) error {
	h.events = append(h.events, what+string(raw))
	return nil
}

func (h *heard) account(raw []byte) error {
	h.accounts = append(h.accounts, string(raw))
	return h.note("account ", raw)
}

func (h *heard) instant(value []byte) error { return h.note("instant ", value) }
func (h *heard) answered() error            { return h.note("answered", nil) }

// splitting tells what a splitter finds in a text.
func splitting(in io.Reader, field string) *heard {
	h := &heard{}
	s := splitter{field: field, sink: h}
	if err := s.split(in, 0); err != nil {
		h.events = append(h.events, "error "+err.Error())
	}
	return h
}

// sizes reads so many bytes at a time, one size after the other.
type sizes struct {
	in io.Reader
	n  []byte
	at int
}

func (s *sizes) Read(p []byte) (int, error) {
	n := 1
	if len(s.n) > 0 {
		n += int(s.n[s.at%len(s.n)]) % 64
	}
	s.at++
	return s.in.Read(p[:min(len(p), n)])
}

// FuzzSplit: of a list, the elements are those that encoding/json finds; of any
// text, what is found does not depend on how it is read, lies in the text in
// order, and all valid JSON is taken.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"id":"a"}, {"x":[1,2,{"]":"}"}]},null,"\\\"",-1.5e+7]`, `{"data":[{},{"a":1}],"next":null}`, `{"data":{"t":1},"t":"x"}`,
		"{}\n{\"t\" : 1 , \"id\":2}\r\n[[]]", "\ufeff[ {\"t\":{\"t\":[]}} ]", `{"id":1,"data":[1]}`, `{"data":null,"data":[7]}`, `[1`, `{"a"`, `"`, `[}`,
		`{"data":[],"data":[]}`, `[{"t":1,"data":[{"t":2}]}]`, `{"\u0064ata":[1]}`, "[\"\\\\\",\"\\\\\\\"\"]",
	} {
		f.Add([]byte(seed), []byte{0, 3, 40}, true)
		f.Add([]byte(seed), []byte{}, false)
	}
	f.Fuzz(func(t *testing.T, text, chunks []byte, dated bool) {
		field := ""
		if dated {
			field = "t"
		}
		whole := splitting(bytes.NewReader(text), field)
		for name, in := range map[string]io.Reader{
			"pieces": &sizes{in: bytes.NewReader(text), n: chunks}, "bytes": iotest.OneByteReader(bytes.NewReader(text)),
			"end with data": iotest.DataErrReader(bytes.NewReader(text)),
		} {
			if got := splitting(in, field); !slices.Equal(got.events, whole.events) {
				t.Fatalf("%q in %s: %q, but as a whole %q", text, name, got.events, whole.events)
			}
		}
		checkElements(t, text, whole, dated)
		rest := text
		for _, account := range whole.accounts {
			if dated {
				break // members are taken out
			}
			_, behind, in := bytes.Cut(rest, []byte(account))
			if !in {
				t.Fatalf("%q: %q is not in it, or out of order", text, account)
			}
			rest = behind
		}
	})
}

// checkElements compares with encoding/json, where that can read the text.
func checkElements(t *testing.T, text []byte, got *heard, dated bool) {
	t.Helper()
	var list []json.RawMessage
	if dated || json.Unmarshal(text, &list) != nil || list == nil {
		return
	}
	var want []string
	for _, element := range list {
		want = append(want, string(element))
	}
	if !slices.Equal(want, got.accounts) || len(got.events) != len(want)+1 {
		t.Fatalf("%q: %q, want %q", text, got.events, want)
	}
}

// TestMembersTakenOut: what is left is the same object without the member.
func TestMembersTakenOut(t *testing.T) {
	for text, want := range map[string]string{
		`{"t":1}`: `{}`, `{"t":1,"a":2}`: `{"a":2}`, `{"a":2,"t":1}`: `{"a":2}`, `{"a":2,"t":[{}],"b":3}`: `{"a":2,"b":3}`,
		"{ \"a\" : 2 ,\n \"t\" : 1\n}": "{ \"a\" : 2}", "{ \"t\" : \"}\" ,\n \"a\" : 2 }": "{ \n \"a\" : 2 }",
	} {
		got := splitting(strings.NewReader(text), "t")
		if len(got.accounts) != 1 || got.accounts[0] != want {
			t.Errorf("%q: %q, want %q", text, got.accounts, want)
		}
	}
}

// TestLongTextsAreReadInOneWindow: what was read is dropped.
func TestLongTextsAreReadInOneWindow(t *testing.T) {
	object := `{"id":"` + strings.Repeat("x", 1000) + `"}`
	for name, text := range map[string]string{
		"a list": "[" + strings.Repeat(object+",", 20000) + object + "]", "lines": strings.Repeat(object+"\n", 20000),
		"an envelope": `{"data":[` + strings.Repeat(object+",", 20000) + object + `],"page":1}`,
		"white space": strings.Repeat(" \n", 10<<20) + "[]", "an envelope's members": `{"data":[],` + strings.Repeat(`"x":[1],`, 1<<20) + `"y":1}`,
	} {
		s := splitter{sink: deaf{}}
		if err := s.split(strings.NewReader(text), 0); err != nil || cap(s.buf) > 8*readSize {
			t.Errorf("%s: %v, a window of %d", name, err, cap(s.buf))
		}
	}
}

type deaf struct{}

func (deaf) account([]byte) error { return nil }
func (deaf) instant([]byte) error { return nil }
func (deaf) answered() error      { return nil }

// TestDigestsForget: they are bounded, and what is asked for again stays.
func TestDigestsForget(t *testing.T) {
	var known digests
	often := digestOf([]byte("often"))
	known.add(often, "often")
	for i := range 5 * maxDigests {
		known.add(digestOf(fmt.Append(nil, i)), "x")
		if i%1000 == 0 && known.id(often) != "often" {
			t.Fatal("forgotten what was asked for")
		}
	}
	if len(known.young) > maxDigests || len(known.old) > maxDigests {
		t.Errorf("%d and %d", len(known.young), len(known.old))
	}
	if known.id(digestOf([]byte("0"))) != "" {
		t.Error("nothing is forgotten")
	}
}
