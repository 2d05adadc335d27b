package postgres

import (
	"net"
	"sync"
	"time"
)

// timedConn is a connection whose reads and writes fail when no byte has moved for a while.
// The driver reads only when it expects an answer, so a read that takes longer than any
// statement is allowed to means that the server is gone. TCP keep-alive does not find that
// out behind a proxy, because the proxy answers it.
type timedConn struct {
	net.Conn
	reads, writes deadline
}

func newTimedConn(conn net.Conn, limit time.Duration) *timedConn {
	return &timedConn{
		Conn:   conn,
		reads:  deadline{limit: limit, set: conn.SetReadDeadline},
		writes: deadline{limit: limit, set: conn.SetWriteDeadline},
	}
}

func (c *timedConn) Read(p []byte) (int, error) {
	if err := c.reads.begin(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *timedConn) Write(p []byte) (int, error) {
	if err := c.writes.begin(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *timedConn) SetDeadline(t time.Time) error {
	if err := c.reads.ask(t); err != nil {
		return err
	}
	return c.writes.ask(t)
}

func (c *timedConn) SetReadDeadline(t time.Time) error  { return c.reads.ask(t) }
func (c *timedConn) SetWriteDeadline(t time.Time) error { return c.writes.ask(t) }

// deadline is the earlier one of that which the driver asked for, and the end of the
// limit.
type deadline struct {
	limit time.Duration
	set   func(time.Time) error

	mu    sync.Mutex
	asked time.Time // zero: none
}

// begin is called before each operation.
func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.apply()
}

// ask changes what the driver asked for. It holds for an operation under way, too.
func (d *deadline) ask(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = t
	return d.apply()
}

func (d *deadline) apply() error {
	t := time.Now().Add(d.limit)
	if !d.asked.IsZero() && d.asked.Before(t) {
		t = d.asked
	}
	return d.set(t)
}
