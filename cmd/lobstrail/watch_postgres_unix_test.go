//go:build unix

package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// awayServer is a way to a server that can be closed and opened again.
type awayServer struct {
	t       *testing.T
	address string // where it listens

	mu       sync.Mutex
	server   string // where it leads
	listener net.Listener
	conns    []net.Conn
}

// newAwayServer returns a way that is closed, and the URL that leads along it.
func newAwayServer(t *testing.T, location string) (*awayServer, string) {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	a := &awayServer{t: t, address: "127.0.0.1:0", server: u.Host}
	a.open()
	u.Host = a.address
	a.close()
	t.Cleanup(a.close)
	return a, u.String()
}

func (a *awayServer) open() {
	a.t.Helper()
	listener, err := net.Listen("tcp", a.address)
	if err != nil {
		a.t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listener, a.address = listener, listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go a.pass(conn)
		}
	}()
}

func (a *awayServer) pass(conn net.Conn) {
	a.mu.Lock()
	address := a.server
	a.mu.Unlock()
	server, err := net.Dial("tcp", address)
	if err != nil {
		conn.Close()
		return
	}
	a.mu.Lock()
	a.conns = append(a.conns, conn, server)
	a.mu.Unlock()
	go func() {
		io.Copy(conn, server)
		conn.Close()
	}()
	io.Copy(server, conn)
	server.Close()
}

// leadTo lets new connections lead to another server, and returns where they led before.
func (a *awayServer) leadTo(server string) (before string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, a.server = a.server, server
	return before
}

func (a *awayServer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listener.Close()
	for _, conn := range a.conns {
		conn.Close()
	}
	a.conns = nil
}

// TestWatchOutlivesTheServerOfItsStore: a daemon that is started before the database server,
// or sees it go away, takes the next runs when it is there.
func TestWatchOutlivesTheServerOfItsStore(t *testing.T) {
	t.Parallel()
	way, location := newAwayServer(t, postgrestest.Database(t))
	world := nowWorld()
	addCrowd(world, 5)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken).use(location)
	w := h.watches(t, "--every", "1s")
	w.logs(`the store cannot be reached yet`)
	way.open()
	w.logs(`run complete.* run=1 `)
	way.close()
	// Whichever step it was at. One that was writing waits for 40 seconds first.
	const failed = `(run failed|alerts could not be evaluated).*(connection refused|closed the connection|connection was lost)`
	w.logs(failed)
	way.open()
	w.logs(`(?s)` + failed + `.*run complete`)
}
