package page

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/lobstrail/lobstrail/report"
)

// BenchmarkOpen opens pages in a browser, each beside a page that has nothing in it,
// and prints:
//
//	ms        until the page has loaded and its script has run, the median
//	of-empty  the median of its ratios to the empty page, opened right before
//	kB        its size
//
// 2,000 accounts are to open in less than two seconds.
func BenchmarkOpen(b *testing.B) {
	empty := []byte("<!doctype html><title>empty</title><p>nothing")
	for _, size := range []struct{ accounts, days int }{{100, 90}, {2000, 7}, {2000, 90}} {
		b.Run(fmt.Sprintf("%dx%d", size.accounts, size.days), func(b *testing.B) {
			tab, html := newBrowser(b), write(b, size.accounts, size.days, nil)
			tab.look(1440, "light")
			var took, ratios []float64
			for b.Loop() {
				before := tab.timed(empty)
				took = append(took, tab.timed(html))
				ratios = append(ratios, took[len(took)-1]/before)
			}
			slices.Sort(took)
			slices.Sort(ratios)
			b.ReportMetric(took[len(took)/2], "ms")
			b.ReportMetric(ratios[len(ratios)/2], "of-empty")
			b.ReportMetric(float64(len(html))/1000, "kB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// timed opens a page and answers how many milliseconds it took until it was painted
// with all of it loaded.
func (b *browser) timed(html []byte) float64 {
	b.t.Helper()
	b.open(html)
	return eval[float64](b, `new Promise((done) => requestAnimationFrame(() => setTimeout(() =>
		done(Math.max(performance.getEntriesByType("navigation")[0].loadEventEnd, performance.now())))))`)
}

// BenchmarkWrite makes the pages, from the answers of the store on.
func BenchmarkWrite(b *testing.B) {
	for _, accounts := range []int{100, 2000} {
		in := newHistory(accounts, 7, nil)
		b.Run(fmt.Sprint(accounts), func(b *testing.B) {
			for b.Loop() {
				if err := WriteHTML(io.Discard, report.NewPicture(in, report.Build(in))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
