package main

import (
	"fmt"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/lobstrail/lobstrail/fetcher"
)

// progress shows how far a batch is: a bar on a terminal, notes with --verbose,
// and nothing else.
type progress struct {
	app  *app
	bar  *progressbar.ProgressBar
	last int
	once sync.Once
}

func (a *app) newProgress(what, unit string) *progress {
	p := &progress{app: a}
	if a.quiet || a.env.stderrWidth == 0 {
		return p
	}
	p.bar = progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(a.env.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(max(10, min(40, a.env.stderrWidth-60))),
		progressbar.OptionEnableColorCodes(false),
		progressbar.OptionClearOnFinish(),
	)
	return p
}

// show is called by the batch. A bar that cannot be drawn is no reason to stop.
func (p *progress) show(now fetcher.Progress) {
	switch {
	case p.bar != nil:
		if now.Total > 0 {
			p.bar.ChangeMax(max(now.Total, now.Done))
		}
		_ = p.bar.Set(now.Done)
	case p.app.verbose && now.Done > p.last:
		fmt.Fprintf(p.app.env.stderr, "%d of %d accounts, %d requests\n", now.Done, now.Total, now.Requests)
	}
	p.last = now.Done
}

// done removes the bar.
func (p *progress) done() {
	if p.bar != nil {
		p.once.Do(func() { _ = p.bar.Finish() })
	}
}
