package archive_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// saver saves account objects the way people do, each time another one.
type saver struct{ *rand.Rand }

// page writes the objects as one or several JSON texts.
func (s saver) page(objects []json.RawMessage) []byte {
	if len(objects) > 1 && s.IntN(4) == 0 { // several texts, each of some form
		cut := 1 + s.IntN(len(objects)-1)
		return append(append(s.page(objects[:cut]), '\n'), s.page(objects[cut:])...)
	}
	forms := []func([]json.RawMessage) []byte{s.list, s.envelope, s.lines, s.envelopes}
	if len(objects) == 0 { // the others would be empty texts
		forms = forms[:2]
	}
	return forms[s.IntN(len(forms))](objects)
}

func (s saver) list(objects []json.RawMessage) []byte {
	return slurp(s, "[", strings.Join(texts(objects), s.blank()+","+s.blank()), "]")
}

// lines writes one object after the other: NDJSON, or anything between them.
func (s saver) lines(objects []json.RawMessage) []byte {
	between := []string{"\n", "\r\n", "", " \n\n\t"}[s.IntN(4)]
	return slurp(s, strings.Join(texts(objects), between), between)
}

func (s saver) envelope(objects []json.RawMessage) []byte {
	return s.around(s.list(objects), len(objects))
}

// envelopes are answers of detail calls.
func (s saver) envelopes(objects []json.RawMessage) (all []byte) {
	for _, object := range objects {
		all = append(all, s.around(object, 1)...)
	}
	return all
}

// around writes an envelope, its members in any order.
func (s saver) around(data []byte, n int) []byte {
	members := []string{`"data"` + s.blank() + ":" + s.blank() + string(data)}
	for _, member := range []string{
		fmt.Sprintf(`"total_results":%d`, n), `"limit":100`, `"page" : 1`, `"next":null`, `"previous": "https://x/?page=\"1\""`,
		`"warning":"{]"`, `"meta":{"data":[{"id":"7"}],"id":[[]]}`, `"object":"list"`,
	} {
		if s.IntN(2) == 0 {
			members = append(members, member)
		}
	}
	s.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return slurp(s, "{", strings.Join(members, s.blank()+","+s.blank()), "}")
}

func (s saver) blank() string { return []string{"", "", " ", "\n  ", "\t\r\n"}[s.IntN(5)] }

func slurp(s saver, parts ...string) []byte { return []byte(strings.Join(parts, s.blank())) }

func texts(objects []json.RawMessage) (all []string) {
	for _, object := range objects {
		all = append(all, string(object))
	}
	return all
}

// file is a page as it lies on the disk: pretty-printed, with a byte order mark,
// compressed. suffix is what its name ends in.
func (s saver) file(t testing.TB, objects []json.RawMessage) (body []byte, suffix string) {
	t.Helper()
	body = s.page(objects)
	if s.IntN(3) == 0 {
		body = pretty(t, body)
	}
	switch s.IntN(6) {
	case 0, 1:
		body = append([]byte("\ufeff"), body...)
	case 2:
		body = inUTF16(binary.LittleEndian, string(body))
	case 3:
		body = inUTF16(binary.BigEndian, string(body))
	}
	suffix = []string{".json", ".ndjson", ".JSONL"}[s.IntN(3)]
	switch s.IntN(4) {
	case 0:
		return gzipped(t, body), suffix + ".gz"
	case 1:
		return zstandard(t, body), suffix + ".zst"
	case 2: // the bytes tell, not the name
		return gzipped(t, body), suffix
	}
	return body, suffix
}

// inUTF16 is a text as Windows saves it.
func inUTF16(order binary.AppendByteOrder, text string) (out []byte) {
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

// pretty indents each text.
func pretty(t testing.TB, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for decoder := json.NewDecoder(bytes.NewReader(body)); decoder.More(); {
		var text json.RawMessage
		if err := decoder.Decode(&text); err != nil {
			t.Fatal(err)
		}
		if err := json.Indent(&out, text, "", "    "); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func gzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, part := range [][]byte{body[:len(body)/2], body[len(body)/2:]} { // two members, as cat makes them
		w := gzip.NewWriter(&out)
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func zstandard(t testing.TB, body []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(body, nil)
}
