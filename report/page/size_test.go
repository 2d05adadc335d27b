package page

import (
	"bytes"
	"testing"
)

func write(t testing.TB, accounts, days int, names []string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, picture(newHistory(accounts, days, names))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPagesAreSmall: what is sent along by mail must be.
func TestPagesAreSmall(t *testing.T) {
	in := newHistory(100, 90, nil)
	p := picture(in)
	var b bytes.Buffer
	if err := WriteHTML(&b, p); err != nil {
		t.Fatal(err)
	}
	t.Logf("100 accounts over 90 days, %d status changes, %d changes in %d rows, %d charts: %d kB",
		len(p.Report.Status.Transitions), len(p.Report.Changes), len(p.Events), len(p.Limits), b.Len()/1000)
	if b.Len() >= 400_000 {
		t.Errorf("%d bytes", b.Len())
	}
}
