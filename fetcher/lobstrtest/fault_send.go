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

// sender is a step of sending an answer.
type sender func(w http.ResponseWriter, x *exchange, body []byte)

// sends replaces how the answer is sent. After the last step the connection is
// closed, unless the body is whole.
func sends(steps ...sender) Effect {
	return func(x *exchange) {
		x.reply.send = func(w http.ResponseWriter, x *exchange, body []byte) {
			for _, step := range steps {
				step(w, x, body)
			}
		}
	}
}

// sendHalf announces the whole body and sends half of it.
func sendHalf(w http.ResponseWriter, x *exchange, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(x.reply.status)
	w.Write(body[:len(body)/2]) // a client that hangs up is no concern
	http.NewResponseController(w).Flush()
}

// sendReset resets the connection. An http.Transport may itself ask once more on
// a new connection when the old one had been used before.
func sendReset(w http.ResponseWriter, _ *exchange, _ []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // so that closing resets
	}
	conn.Close()
}

// sendNothing waits until the client goes away, the server closes, or HangBound
// has passed; then the connection breaks.
func sendNothing(_ http.ResponseWriter, x *exchange, _ []byte) {
	x.wait(HangBound)
	panic(http.ErrAbortHandler)
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

// Drips sends the body of the right answer in so many pieces, with a real pause
// after each.
func Drips(pieces int, pause time.Duration) Effect {
	return sends(func(w http.ResponseWriter, x *exchange, body []byte) {
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

// sendGzip compresses the body if the client accepts that.
func sendGzip(w http.ResponseWriter, x *exchange, body []byte) {
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
}

// sendBomb sends a small body that becomes hugeBytes when it is unpacked.
func sendBomb(w http.ResponseWriter, x *exchange, _ []byte) {
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(http.StatusOK)
	z := gzip.NewWriter(w)
	flood(z)
	z.Close() // a client that hangs up is no concern
}

// sendFlood sends hugeBytes of an envelope that does not end.
func sendFlood(w http.ResponseWriter, _ *exchange, _ []byte) {
	w.WriteHeader(http.StatusOK)
	flood(w)
}

// flood writes the beginning of an envelope and a text that goes on and on.
func flood(w io.Writer) {
	if _, err := fmt.Fprint(w, `{"total_results":1,"page":1,"limit":50,"data":[{"id":"`); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte("0"), 64<<10)
	for sent := 0; sent < hugeBytes; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
