package lobstrtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func transport(name, note string, expect Expect, send func(w http.ResponseWriter, x *exchange, body []byte)) Fault {
	return Fault{Name: name, Note: note, Expect: expect, apply: func(x *exchange) { x.reply.send = send }}
}

func broken(also ...string) Expect {
	return Expect{Failure: "network", Also: also, ListIncomplete: true, Retried: true}
}

// Truncated announces the whole body, sends half of it and closes.
func Truncated() Fault {
	return transport("truncated", "a broken connection: half an answer is none", broken("decode"),
		func(w http.ResponseWriter, x *exchange, body []byte) {
			half(w, x, body)
			panic(http.ErrAbortHandler) // closes the connection without an end
		})
}

// half sends the header and half of the body.
func half(w http.ResponseWriter, x *exchange, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(x.reply.status)
	w.Write(body[:len(body)/2]) // a client that hangs up is no concern
	http.NewResponseController(w).Flush()
}

// ResetBefore resets the connection instead of answering. An http.Transport
// may itself ask once more on a new connection when the old one had been used
// before: inject it for all requests, or count with it.
func ResetBefore() Fault {
	return transport("reset-before", "a broken connection", broken(),
		func(w http.ResponseWriter, _ *exchange, _ []byte) { reset(w) })
}

// ResetWithin resets the connection in the middle of the body.
func ResetWithin() Fault {
	return transport("reset-within", "a broken connection: half an answer is none", broken("decode"),
		func(w http.ResponseWriter, x *exchange, body []byte) {
			half(w, x, body)
			reset(w)
		})
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // so that closing resets
	}
	conn.Close()
}

// Hang answers nothing until the client goes away, the server closes, or the
// bound has passed; then the connection breaks.
func Hang(bound time.Duration) Fault {
	return transport("hang", "given up after the timeout of a request", broken(),
		func(w http.ResponseWriter, x *exchange, _ []byte) {
			x.wait(bound)
			panic(http.ErrAbortHandler)
		})
}

// HangWithin is [Hang] after half of the body.
func HangWithin(bound time.Duration) Fault {
	return transport("hang-within", "the timeout of a request counts its body too", broken(),
		func(w http.ResponseWriter, x *exchange, body []byte) {
			half(w, x, body)
			x.wait(bound)
			panic(http.ErrAbortHandler)
		})
}

// wait lets real time pass; it reports false when client or server ended it.
func (x *exchange) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.request.Context().Done():
	case <-x.server.closing:
	}
	return false
}

// Drip sends the body in so many pieces with a real pause after each. The
// answer is right and whole.
func Drip(pieces int, pause time.Duration) Fault {
	return transport("drip", "slow, but right: none, unless it takes longer than the timeout", Expect{Failure: "none"},
		func(w http.ResponseWriter, x *exchange, body []byte) {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(x.reply.status)
			size := max(1, (len(body)+pieces-1)/pieces)
			for len(body) > 0 {
				n := min(size, len(body))
				if _, err := w.Write(body[:n]); err != nil {
					return
				}
				body = body[n:]
				http.NewResponseController(w).Flush()
				if !x.wait(pause) {
					panic(http.ErrAbortHandler)
				}
			}
		})
}

// Gzip compresses the body if the client accepts that.
func Gzip() Fault {
	return transport("gzip", "an ordinary way to answer", Expect{Failure: "none"},
		func(w http.ResponseWriter, x *exchange, body []byte) {
			if !strings.Contains(x.request.Header.Get("Accept-Encoding"), "gzip") {
				w.WriteHeader(x.reply.status)
				w.Write(body) // a client that hangs up is no concern
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(x.reply.status)
			z := gzip.NewWriter(w)
			z.Write(body)
			z.Close() // a client that hangs up is no concern
		})
}

// GzipBomb sends a small body that becomes so many bytes when it is unpacked.
func GzipBomb(size int64) Fault {
	return transport("gzip-bomb", "refused at the body limit, in bounded memory", tooBig(),
		func(w http.ResponseWriter, x *exchange, _ []byte) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusOK)
			z := gzip.NewWriter(w)
			flood(z, size)
			z.Close() // a client that hangs up is no concern
		})
}

// HugeBody sends so many bytes of an envelope that does not end.
func HugeBody(size int64) Fault {
	return transport("huge-body", "refused at the body limit, in bounded memory", tooBig(),
		func(w http.ResponseWriter, x *exchange, _ []byte) {
			w.WriteHeader(http.StatusOK)
			flood(w, size)
		})
}

func tooBig() Expect {
	return Expect{Failure: "decode", Also: []string{"network", "http", "mismatch"}, ListIncomplete: true}
}

// flood writes the beginning of an envelope and a text that goes on and on.
func flood(w io.Writer, size int64) {
	if _, err := fmt.Fprint(w, `{"total_results":1,"page":1,"limit":50,"data":[{"id":"`); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte("0"), 64<<10)
	for sent := int64(0); sent < size; sent += int64(len(chunk)) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
