package store

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// share does work of many small parts on all cores.
func share(parts int, do func(part int)) {
	var next atomic.Int64
	work := func() {
		for part := int(next.Add(1)) - 1; part < parts; part = int(next.Add(1)) - 1 {
			do(part)
		}
	}
	var others sync.WaitGroup
	for range min(parts, runtime.GOMAXPROCS(0)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
