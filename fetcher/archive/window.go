package archive

import (
	"errors"
	"io"
)

// readSize is how much is read at a time.
const readSize = 128 << 10

// errLarge is what stands in the way of reading on: one value fills the window.
var errLarge = errors.New("a value is too large")

// window is a part of a stream. What stands before mark may be dropped when
// there is more to read.
type window struct {
	in     io.Reader
	buf    []byte
	mark   int   // the first byte still needed
	pos    int   // where reading is
	before int64 // bytes of the stream that stood before buf
	limit  int   // of the bytes from mark on
	err    error // of in
}

func (w *window) reset(in io.Reader, limit int) {
	*w = window{in: in, buf: w.buf[:0], limit: limit}
}

// offset is where reading is in the stream.
func (w *window) offset() int64 { return w.before + int64(w.pos) }

// release says that nothing before pos is needed any longer.
func (w *window) release() { w.mark = w.pos }

// more reads on. Offsets into buf move by what it returns, to the front. The
// error is that of the stream, io.EOF at its end.
func (w *window) more() (moved int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	if len(w.buf)-w.mark > w.limit {
		return 0, errLarge
	}
	if moved = w.mark; moved > 0 {
		w.buf = append(w.buf[:0], w.buf[moved:]...)
		w.before += int64(moved)
		w.pos -= moved
		w.mark = 0
	}
	size := len(w.buf)
	if cap(w.buf)-size < readSize {
		w.buf = append(make([]byte, 0, 2*cap(w.buf)+2*readSize), w.buf...)
	}
	n := 0
	for n == 0 && w.err == nil {
		n, w.err = w.in.Read(w.buf[size : size+readSize])
	}
	w.buf = w.buf[:size+n]
	if n == 0 {
		return moved, w.err
	}
	return moved, nil
}

// next returns the next byte that is no white space, without taking it.
func (w *window) next() (byte, error) {
	needed := w.mark < w.pos // what stands before, and so the white space behind it
	for {
		for ; w.pos < len(w.buf); w.pos++ {
			switch c := w.buf[w.pos]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, nil
			}
		}
		if !needed {
			w.release()
		}
		if _, err := w.more(); err != nil {
			return 0, err
		}
	}
}
