package archive_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// a and b are accounts, kept is how the stored ones show.
var (
	a, b  = object(0, "1"), object(1, "2")
	onlyA = "a000 0 1\n"
	both  = "a000 0 1\na001 0 2\n"
)

// textCase is a text to import.
type textCase struct {
	body     string
	kept     string
	failures []string
}

// textCases are texts with what an import keeps of them, and the failures it tells.
func textCases() map[string]textCase {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	return map[string]textCase{
		"an object":                      {body: a, kept: onlyA},
		"a list":                         {body: "[" + a + " ,\n" + b + "]", kept: both},
		"objects in a row":               {body: a + b, kept: both},
		"objects a line":                 {body: a + "\r\n" + b + "\r\n", kept: both},
		"an envelope with a list":        {body: `{"total_results":2,"data":[` + a + `,` + b + `],"next":null}`, kept: both},
		"an envelope with an object":     {body: `{"data":` + a + `}` + `{"data":` + b + `,"x":[{}]}`, kept: both},
		"an account with data":           {body: `{"id":"` + idOf(0) + `","x":1,"data":[{}]}`, kept: onlyA},
		"an account with data that is 7": {body: `{"data":7,"id":"` + idOf(0) + `","x":1}`, kept: onlyA},
		"a byte order mark":              {body: "\ufeff" + a, kept: onlyA},
		"nothing":                        {failures: []string{"f: nothing in it"}},
		"white space":                    {body: " \n\t\r\n", failures: []string{"f: nothing in it"}},
		"a byte order mark alone":        {body: "\ufeff", failures: []string{"f: nothing in it"}},
		"byte order marks between":       {body: "\ufeff" + a + "\n\ufeff" + b + "\ufeff", kept: both},
		"a Git LFS pointer": {body: "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
			failures: []string{"f: a Git LFS pointer, not the file: get the file with git lfs pull (or git lfs smudge) and import that"}},
		"almost a Git LFS pointer":   {body: "version https", failures: []string{"f: neither an object nor a list begins here (at byte 0)"}},
		"an empty list":              {body: "[ ]"},
		"an empty envelope":          {body: `{"data":[],"total_results":0}`},
		"the same twice":             {body: a + a, kept: onlyA},
		"another one of the same id": {body: a + object(0, "2") + b, kept: "a000 0 1\na000 0 2\na001 0 2\n"},

		"no JSON": {body: "<html>", failures: []string{"f: neither an object nor a list begins here (at byte 0)"}},
		"an account, and then none": {body: a + "\nError 502", kept: onlyA,
			failures: []string{"f: neither an object nor a list begins here (at byte 48)"}},
		"an object that breaks off": {body: a + `{"id":"a0`, kept: onlyA, failures: []string{"f: it breaks off (at byte 56)"}},
		"a list that breaks off":    {body: "[" + a + ",", kept: onlyA, failures: []string{"f: it breaks off (at byte 49)"}},
		"an envelope that breaks off": {body: `{"data":[` + a + "," + b + "]", kept: both,
			failures: []string{"f: it breaks off (at byte 105)"}},
		"a name that breaks off":  {body: `{"id`, failures: []string{"f: it breaks off (at byte 4)"}},
		"a colon that is missing": {body: a + `{"id" 7}`, kept: onlyA, failures: []string{"f: no colon stands here (at byte 53)"}},
		"a comma that is missing": {body: "[" + a + b + "]", kept: onlyA,
			failures: []string{"f: neither a comma nor the end of the list stands here (at byte 48)"}},
		"a comma too many": {body: "[" + a + ",]", kept: onlyA, failures: []string{"f: a value is missing (at byte 49)"}},
		"a comma too many in an object": {body: `{"id":"7",}`,
			failures: []string{"f: no name of a member begins here (at byte 10)"}},
		"a comma that is missing in an object": {body: `{"id":"7" "x":1}`,
			failures: []string{"f: neither a comma nor the end of the object stands here (at byte 10)"}},
		"a name without quotation marks": {body: `{id:7}`, failures: []string{"f: no name of a member begins here (at byte 1)"}},
		"data twice": {body: `{"data":[` + a + `],"data":7}`, kept: onlyA,
			failures: []string{`f: an answer with data has a member "data" too (at byte 65)`}},
		"data in an account": {body: `{"data":[` + a + `],"id":"7"}`, kept: onlyA,
			failures: []string{`f: an answer with data has a member "id" too (at byte 63)`}},

		"elements that are none": {body: `[1,null,"x",[],` + a + `,{}]`, kept: onlyA, failures: []string{
			"f: the account is no JSON object", "f: the account is no JSON object", "f: the account is no JSON object",
			"f: the account is no JSON object", "f: the account has no id",
		}},
		"an error of the API": {body: `{"errors":{"message":"no"}}` + a, kept: onlyA, failures: []string{"f: the account has no id"}},
		"brackets that do not match": {body: `[{"x":[}},` + a + `]`, kept: onlyA,
			failures: []string{"f: the account is no valid JSON, from its byte 6 on"}},
		"a member twice": {body: `[{"id":"` + idOf(1) + `","x":1,"x":1},` + a + `]`, kept: onlyA,
			failures: []string{"f: the account has a member twice: x"}},
		"bytes that are no UTF-8": {body: `{"id":"` + idOf(1) + `","x":"` + "\xff" + `"}` + a, kept: onlyA,
			failures: []string{"f: the account is no valid JSON, from its byte 46 on"}},
		"deep nesting": {body: `{"id":"` + idOf(1) + `","x":` + deep + `}` + a, kept: onlyA,
			failures: []string{"f: the account is nested more than 100 levels deep"}},
		"squids in another shape": {body: `{"id":"` + idOf(1) + `","squids":{}}` + a, kept: onlyA,
			failures: []string{"f: squids: not a list"}},
	}
}

// TestFormsOfTexts: what is kept of a text, and what the failures say.
func TestFormsOfTexts(t *testing.T) {
	for name, test := range textCases() {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			done := importInto(t, s, sequence(text("f", start, test.body)), archive.Options{})
			if diff := cmp.Diff(test.failures, done.messages); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.kept, stored(t, s)); diff != "" {
				t.Error(diff)
			}
			if complete := done.run.State == store.Complete; complete != (test.failures == nil) {
				t.Errorf("the run is %s", done.run.State)
			}
		})
	}
}

// TestChunksMeanNothing reads texts in pieces of all sizes, around the size of
// reads too.
func TestChunksMeanNothing(t *testing.T) {
	const readSize = 128 << 10
	for _, pad := range []int{0, 1, 100, readSize - 120, readSize - 50, readSize - 49, readSize - 48, readSize, 3 * readSize} {
		odd := `"\\\"]}` + strings.Repeat("x", pad) + `\\"`
		body := fmt.Sprintf("\ufeff%s \n{\"n\":[{}],\"data\":[%s,\n%s]}%s7", a, object(2, odd), object(3, odd), b)
		var want *trace
		for name, chunks := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
			"end with data": iotest.DataErrReader, "pieces": func(r io.Reader) io.Reader { return &pieces{r, 4099} },
		} {
			got := &trace{}
			got.importing(t, chunks(strings.NewReader(body)))
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want.seen, got.seen); diff != "" || len(got.seen) != 5 {
				t.Errorf("%d bytes, %s: %s", pad, name, diff)
			}
		}
	}
}

// pieces reads so many bytes at a time.
type pieces struct {
	in io.Reader
	n  int
}

func (p *pieces) Read(b []byte) (int, error) { return p.in.Read(b[:min(len(b), p.n)]) }

func TestAReaderThatFails(t *testing.T) {
	s := openStore(t)
	broken := io.MultiReader(strings.NewReader("["+a+","), iotest.ErrReader(errDisk))
	done := importInto(t, s, sequence(opened("f", start, func() io.Reader { return broken }), text("g", start, b)), archive.Options{})
	if diff := cmp.Diff([]string{"f: the disk is full"}, done.messages); diff != "" || stored(t, s) != both || done.Failed != 1 {
		t.Errorf("%s%s%+v", diff, stored(t, s), done)
	}
}

// TestCompressedFilesThatBreakOff keeps what they showed.
func TestCompressedFilesThatBreakOff(t *testing.T) {
	var noise strings.Builder // does not compress: what is cut off is behind the account
	for i := range 3000 {
		fmt.Fprintf(&noise, "%x,", digestOf(i))
	}
	body := []byte(a + "\n" + object(1, `"`+noise.String()+`"`) + "\n")
	for name, packed := range map[string][]byte{"gzip": gzipped(t, body), "Zstandard": zstandard(t, body)} {
		t.Run(name, func(t *testing.T) {
			for _, cut := range []int{1, len(packed) / 4, len(packed) - 5} {
				s := openStore(t)
				done := importInto(t, s, sequence(opened("f", start, func() io.Reader { return bytes.NewReader(packed[:len(packed)-cut]) })), archive.Options{})
				kept := stored(t, s)
				if cut < len(packed)-100 && name == "gzip" && !strings.HasPrefix(kept, onlyA) {
					t.Errorf("cut by %d: kept %.100q", cut, kept)
				}
				if len(done.messages) != 1 || done.Failed != 1 || !strings.HasPrefix(done.messages[0], "f: it breaks off (at byte ") {
					t.Errorf("cut by %d: %v", cut, done.messages)
				}
			}
		})
	}
}

// TestLargeObjects: one that is larger than the API's may be is left out; one that
// does not end is where the reading ends.
func TestLargeObjects(t *testing.T) {
	most := fetcher.MaxAccountBytes - len(object(1, `""`))
	tests := map[string]struct {
		size     int
		kept     int
		failures []string
	}{
		"as large as allowed": {size: most, kept: 3},
		"a byte larger":       {size: most + 1, kept: 2, failures: []string{"f: the account is larger than 1048576 bytes"}},
		"much larger":         {size: 3 * most, kept: 1, failures: []string{"f: an object larger than 1048576 bytes"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			body := "[" + a + "," + object(1, `"`+strings.Repeat("x", test.size)+`"`) + "," + object(2, "1") + "]"
			done := importInto(t, s, sequence(text("f", start, body)), archive.Options{})
			if done.run.Captured() != test.kept || len(done.messages) != len(test.failures) {
				t.Fatalf("%d kept, %v", done.run.Captured(), done.messages)
			}
			for i, want := range test.failures {
				if !strings.HasPrefix(done.messages[i], want) {
					t.Error(done.messages[i])
				}
			}
		})
	}
}

// TestTooManyFailuresEndAnItem, but not the next one.
func TestTooManyFailuresEndAnItem(t *testing.T) {
	s := openStore(t)
	body := a + strings.Repeat("{}", 101) + b
	done := importInto(t, s, sequence(text("f", start, body), text("g", start, object(2, "1"))), archive.Options{})
	if got := stored(t, s); got != onlyA+"a002 0 1\n" {
		t.Error(got)
	}
	if last := done.messages[len(done.messages)-1]; done.run.Failed != 102 || last != "f: more than 100 of its objects are no accounts" && done.messages[0] != "f: more than 100 of its objects are no accounts" {
		t.Errorf("%d failures, the last: %s, the first %s", done.run.Failed, last, done.messages[0])
	}
}
