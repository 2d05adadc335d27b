package archive

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the memory a Zstandard stream may ask for: that of
// zstd --long.
const maxZstdWindow = 128 << 20

// text is the text of an item, in UTF-8.
type text struct {
	io.Reader
	io.Closer
	raw bool // its bytes are those of the item: it is neither compressed nor UTF-16
}

// openText begins to read the text of an item.
func openText(in io.Reader) (*text, error) {
	unpacked, packed, err := unpack(in)
	if err != nil {
		return nil, err
	}
	utf8, recoded, err := asUTF8(unpacked)
	if err != nil {
		return nil, errors.Join(err, unpacked.Close())
	}
	return &text{utf8, unpacked, !packed && !recoded}, nil
}

// unpack returns the plain text of a stream that may be compressed with gzip or
// Zstandard, which their first bytes tell (RFC 1952 and RFC 8878). packed reports
// whether it is.
func unpack(in io.Reader) (plain io.ReadCloser, packed bool, err error) {
	head := bufio.NewReaderSize(in, 32<<10)
	magic, err := head.Peek(4)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		plain, err := gzip.NewReader(head)
		if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
			err = &formError{"it breaks off (at byte 0)"}
		}
		return plain, true, err
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		plain, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, true, err
		}
		return plain.IOReadCloser(), true, nil
	}
	return io.NopCloser(head), false, nil
}

// plainText is what a JSON value says: a string without its quotation marks.
func plainText(value []byte) string {
	if text, err := jsontext.AppendUnquote(nil, value); err == nil {
		return string(text)
	}
	return string(value)
}
