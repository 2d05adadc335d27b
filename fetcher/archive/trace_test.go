package archive_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// trace is a recorder that notes what it is given.
type trace struct {
	counting
	seen []string // accounts and failures
}

func (r *trace) AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error) {
	for _, response := range responses {
		for _, account := range response.Accounts {
			r.seen = append(r.seen, string(account.Raw))
			if digest := sha256.Sum256(account.Raw); account.Digest != nil && string(digest[:]) != string(account.Digest) {
				return store.Appended{}, fmt.Errorf("not the digest of %.100s", account.Raw)
			}
		}
		for _, failure := range response.Failures {
			r.seen = append(r.seen, failure.Account+" "+failure.Message)
		}
	}
	return r.counting.AppendAll(ctx, responses)
}

func (r *trace) Fail(_ context.Context, _ int, failures ...store.Failure) error {
	for _, failure := range failures {
		r.seen = append(r.seen, failure.Account+" "+failure.Message)
	}
	return nil
}

// importing imports what the reader has.
func (r *trace) importing(t testing.TB, in io.Reader) {
	t.Helper()
	items := sequence(opened("f", start, func() io.Reader { return in }))
	if _, _, err := archive.Import(t.Context(), r, items, archive.Options{Now: clock}, nil); err != nil {
		t.Fatal(err)
	}
}

func digestOf(n int) [sha256.Size]byte { return sha256.Sum256([]byte{byte(n), byte(n >> 8)}) }
