package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// cancelTime is what a server has to end a statement that was cancelled. After that the
	// connection is given up.
	cancelTime = 2 * time.Second
	// answerCancelTime is how long a request to cancel waits for its answer.
	answerCancelTime = 15 * time.Second
	// arriveTime is what a request that was answered needs to reach the process of the
	// server that it is for.
	arriveTime = 100 * time.Millisecond
)

// canceller cancels the statement at the server when its context ends, so that the server
// does not go on with it. (It is what pgx has, but for one thing: it never breaks the
// request off. That makes PgBouncer up to 1.19 crash, for all its clients:
// https://github.com/pgbouncer/pgbouncer/pull/846.)
type canceller struct {
	conn     *pgconn.PgConn
	deadline time.Time
	answered chan struct{} // closed when the request cannot reach another statement any more
}

// HandleCancel is called when the context of a statement ends.
func (c *canceller) HandleCancel(context.Context) {
	c.deadline = time.Now().Add(cancelTime)
	answered := make(chan struct{})
	c.answered = answered
	c.conn.Conn().SetDeadline(c.deadline)
	go func() {
		defer close(answered)
		ctx, cancel := context.WithTimeout(context.Background(), answerCancelTime)
		defer cancel()
		c.conn.CancelRequest(ctx) // if it fails, the deadline ends the wait
		time.Sleep(arriveTime)
	}()
}

// HandleUnwatchAfterCancel is called when the statement has ended. A connection whose next
// statement might be cancelled is closed.
func (c *canceller) HandleUnwatchAfterCancel() {
	select {
	case <-c.answered:
		c.conn.Conn().SetDeadline(time.Time{})
	case <-time.After(time.Until(c.deadline)):
		c.conn.Conn().Close()
	}
}
