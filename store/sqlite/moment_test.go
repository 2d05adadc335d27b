package sqlite_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

// TestMomentReadsTheHistoryOnce: instants that ascend are found in one reading, also when
// the history has nothing of most of them, and when one is asked for again.
func TestMomentReadsTheHistoryOnce(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for day := range 5 {
		take(t, s, start.Add(time.Duration(day)*24*time.Hour), pageOf(2, func(int) string { return "200" })...)
	}
	run, err := s.Begin(t.Context(), "default", store.ScopeImport)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Finish(t.Context(), store.Outcome{State: store.Complete})
	var reading any
	found := 0
	for hour := -3; hour < 6*24; hour++ {
		when := start.Add(time.Duration(hour)*time.Hour + time.Second)
		for range 2 {
			m, err := run.Moment(t.Context(), when)
			if err != nil {
				t.Fatal(err)
			}
			if m != nil {
				found++
			}
		}
		if now := run.(*relational.RunWriter).PastReads(); reading != nil && now != reading {
			t.Fatalf("hour %d: the history is read again", hour)
		} else {
			reading = now
		}
	}
	if found != 2*5 {
		t.Errorf("answers of %d instants were found, want 5, each twice", found)
	}
	if m, err := run.Moment(t.Context(), start.Add(time.Second)); m == nil || err != nil {
		t.Errorf("an instant before the last one is not found: %v", err)
	}
}

// BenchmarkMoments asks for every instant of a history of 2,000. It prints how many times
// as long that takes as to ask for the last one: near 1 when both read the history once.
func BenchmarkMoments(b *testing.B) {
	const looks = 2000
	s := openStore(b, memoryPath(b), at(start))
	for i := range looks {
		take(b, s, start.Add(time.Duration(i)*time.Hour), pageOf(2, func(int) string { return "200" })...)
	}
	ask := func(from int) time.Duration {
		run, err := s.Begin(b.Context(), "default", store.ScopeImport)
		if err != nil {
			b.Fatal(err)
		}
		defer run.Finish(b.Context(), store.Outcome{State: store.Complete})
		began := time.Now()
		for i := from; i < looks; i++ {
			m, err := run.Moment(b.Context(), start.Add(time.Duration(i)*time.Hour+time.Second))
			if m == nil || err != nil {
				b.Fatalf("%d: %v, %v", i, m, err)
			}
		}
		return time.Since(began)
	}
	for b.Loop() {
		one := ask(looks - 1)
		b.ReportMetric(ask(0).Seconds()/one.Seconds(), "times-one")
	}
}

// TestAStoreThatIsClosedReadsNoMoment: also when a run asked for one, and was not finished.
func TestAStoreThatIsClosedReadsNoMoment(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	for day := range 3 {
		take(t, s, start.Add(time.Duration(day)*24*time.Hour), pageOf(2, func(int) string { return "200" })...)
	}
	const times = 20
	before := runtime.NumGoroutine()
	for range times {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, path, at(start))
		run, err := s.Begin(t.Context(), "default", store.ScopeImport)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := run.Moment(t.Context(), start.Add(time.Second)); m == nil || err != nil {
			t.Fatal(m, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // database/sql ends its goroutines by and by
	if more := runtime.NumGoroutine() - before; more >= times {
		t.Errorf("%d goroutines are left of %d stores", more, times)
	}
}
