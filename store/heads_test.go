package store_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// TestWhatAWriterKeepsAtHandIsSmall: heads, and not the objects they were made of.
func TestWhatAWriterKeepsAtHandIsSmall(t *testing.T) {
	const accounts, iconBytes = 500, 100 << 10
	s := openStore(t, memoryPath(t), time.Now)
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	before := heapInUse()
	for i := range accounts {
		raw := fmt.Appendf(nil, `{"id":"%032x","status":"200","icon":"%d%s"}`, i, i, strings.Repeat("A", iconBytes))
		_, err := run.Append(t.Context(), store.Response{
			Source: store.List, Sent: time.Now(), Received: time.Now(),
			Accounts: []store.Observed{{ID: fmt.Sprintf("%032x", i), Raw: raw}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if grown := heapInUse() - before; grown > accounts*iconBytes/4 {
		t.Errorf("%d bytes are kept of %d accounts", grown, accounts)
	}
	runtime.KeepAlive(run)
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
