package store

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// shared is work of many small parts that is done on all cores.
type shared struct {
	parts  int64
	do     func(part int)
	next   atomic.Int64
	others sync.WaitGroup
}

// share begins the work on the other cores.
func share(parts int, do func(part int)) *shared {
	s := &shared{parts: int64(parts), do: do}
	for range min(parts, runtime.GOMAXPROCS(0)) - 1 {
		s.others.Go(s.work)
	}
	return s
}

func (s *shared) work() {
	for part := s.next.Add(1) - 1; part < s.parts; part = s.next.Add(1) - 1 {
		s.do(int(part))
	}
}

// wait does what is left, and waits for what others have begun. Nothing is left the
// second time.
func (s *shared) wait() {
	s.work()
	s.others.Wait()
}
