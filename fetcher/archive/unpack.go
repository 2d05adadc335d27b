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

// unpack answers the plain text of a stream that may be compressed with gzip or
// Zstandard, which their first bytes tell (RFC 1952 and RFC 8878).
func unpack(in io.Reader) (io.ReadCloser, error) {
	head := bufio.NewReaderSize(in, 32<<10)
	magic, err := head.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		plain, err := gzip.NewReader(head)
		if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
			return nil, &formError{"it breaks off (at byte 0)"}
		}
		return plain, err
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		plain, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return plain.IOReadCloser(), nil
	}
	return io.NopCloser(head), nil
}

// plainText is what a JSON value says: a string without its quotation marks.
func plainText(value []byte) string {
	if text, err := jsontext.AppendUnquote(nil, value); err == nil {
		return string(text)
	}
	return string(value)
}
