package archive_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
)

// TestUTF16 is read when it begins with a byte order mark, also from gzip, whatever
// the sizes of reads. What is none is an error.
func TestUTF16(t *testing.T) {
	odd := `"ünï 😀 漢"`
	body := a + "\r\n" + object(1, odd)
	kept := "a000 0 1\na001 0 ünï 😀 漢\n"
	little, big := inUTF16(binary.LittleEndian, body), inUTF16(binary.BigEndian, body)
	lone := append(bytes.Clone(little), 0x3d, 0xd8, '"', 0) // half of a pair
	tests := map[string]struct {
		text    []byte
		kept    string
		failure string
	}{
		"little-endian": {text: little, kept: kept}, "big-endian": {text: big, kept: kept}, "gzip": {text: gzipped(t, little), kept: kept},
		"a mark alone":       {text: little[:2], failure: "f: nothing in it"},
		"cut in a unit":      {text: little[:len(little)-1], kept: onlyA, failure: "f: it breaks off (at byte 113)"},
		"half of a pair":     {text: lone, kept: kept, failure: "f: it is no valid UTF-16: half of a pair of surrogates stands alone"},
		"a pair that ends":   {text: lone[:len(lone)-2], kept: kept, failure: "f: it breaks off (at byte 114)"},
		"UTF-32":             {text: append([]byte{0xff, 0xfe, 0, 0}, little[2:]...), failure: "f: UTF-32 is not read: save it as UTF-8"},
		"an account and \\0": {text: append([]byte(a), 0, 0), kept: onlyA, failure: "f: neither an object nor a list begins here (at byte 47)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for size, chunks := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader} {
				s := openStore(t)
				open := func() io.Reader { return chunks(bytes.NewReader(test.text)) }
				done := importInto(t, s, sequence(opened("f", start, open)), archive.Options{})
				var failures []string
				if test.failure != "" {
					failures = []string{test.failure}
				}
				if diff := cmp.Diff(failures, done.messages) + cmp.Diff(test.kept, stored(t, s)); diff != "" {
					t.Errorf("%d: %s", size, diff)
				}
			}
		})
	}
}

// TestEmptyFilesThatAreCompressed have nothing in them either.
func TestEmptyFilesThatAreCompressed(t *testing.T) {
	for name, packed := range map[string][]byte{"gzip": gzipped(t, nil), "Zstandard": zstandard(t, nil), "white space": gzipped(t, []byte(" \n"))} {
		done := importInto(t, openStore(t), sequence(opened("f", start, func() io.Reader { return bytes.NewReader(packed) })), archive.Options{})
		if diff := cmp.Diff([]string{"f: nothing in it"}, done.messages); diff != "" || done.Failed != 1 {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
