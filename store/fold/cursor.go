package fold

import "iter"

// Cursor reads a sequence with the next value at hand.
type Cursor[T any] struct {
	Next T
	OK   bool  // there is a next value
	Err  error // that ended the sequence
	pull func() (T, error, bool)
	stop func()
}

// NewCursor reads the first value of a sequence. The cursor must be stopped.
func NewCursor[T any](seq iter.Seq2[T, error]) *Cursor[T] {
	c := &Cursor[T]{}
	c.pull, c.stop = iter.Pull2(seq)
	c.Step()
	return c
}

// Step reads the next value.
func (c *Cursor[T]) Step() {
	next, err, ok := c.pull()
	if err != nil {
		c.Err, ok = err, false
	}
	c.Next, c.OK = next, ok
}

// Advance is Step, and returns the error that ended the sequence.
func (c *Cursor[T]) Advance() error {
	c.Step()
	return c.Err
}

// Stop ends the use of the cursor.
func (c *Cursor[T]) Stop() { c.stop() }
