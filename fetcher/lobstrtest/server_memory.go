package lobstrtest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// quiet is for what net/http has to say about the connections that faults break.
var quiet = log.New(io.Discard, "", 0)

// pipeListener is a listener whose connections are pipes in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept is for net/http.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close is for net/http.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is for net/http.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

// Network is for net/http.
func (pipeAddr) Network() string { return "pipe" }

// String is for net/http.
func (pipeAddr) String() string { return "localhost:1" }

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Transport returns a new transport that reaches the server: in memory for one
// made by [NewInMemory], else an ordinary one. Close its idle connections when
// done with it.
func (s *Server) Transport() *http.Transport {
	if s.pipe == nil {
		return &http.Transport{}
	}
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return s.pipe.dial(ctx)
	}}
}
