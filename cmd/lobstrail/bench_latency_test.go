//go:build unix

package main_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkLatency takes batches over a link on which each answer comes after
// 200 ms, and prints how the time compares with that of the answers alone, one
// page after the other. The workspace has 2,000 accounts; with LOBSTRAIL_BENCH set
// 10,000.
func BenchmarkLatency(b *testing.B) {
	const latency = 200 * time.Millisecond
	accounts := 2_000
	if testing.Short() {
		accounts = 500
	}
	if os.Getenv("LOBSTRAIL_BENCH") != "" {
		accounts = 10_000
	}
	target, err := url.Parse(serveAccounts(b, accounts))
	if err != nil {
		b.Fatal(err)
	}
	link := slowLink(b, target, latency)
	binary, bound := buildCommand(b), float64((accounts+99)/100)*latency.Seconds()
	db := filepath.Join(b.TempDir(), "store.db")
	first, _ := snapshotProcess(b, binary, db, link+target.Path, accounts)
	var again []time.Duration
	for range atLeast(b, 1) {
		took, _ := snapshotProcess(b, binary, db, link+target.Path, accounts)
		again = append(again, took)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(first.Seconds()/bound, "first-of-bound")
	b.ReportMetric(median(again).Seconds()/bound, "again-of-bound")
}

// slowLink answers the URL of a proxy that passes each request on after the
// latency, and puts itself in the place of the target in links.
func slowLink(b *testing.B, target *url.URL, latency time.Duration) (address string) {
	b.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(latency)
		proxy.ServeHTTP(w, r)
	}))
	b.Cleanup(server.Close)
	own := strings.TrimPrefix(server.URL, "http://")
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		body = bytes.ReplaceAll(body, []byte(target.Host), []byte(own))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	return server.URL
}
