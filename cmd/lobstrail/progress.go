package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/archive"
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
	return a.newBar(what, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
}

// newBytesProgress is for work that is measured in bytes.
func (a *app) newBytesProgress(what string) *progress {
	return a.newBar(what, progressbar.OptionShowBytes(true), progressbar.OptionShowCount())
}

func (a *app) newBar(what string, options ...progressbar.Option) *progress {
	p := &progress{app: a}
	if a.quiet || a.env.stderrWidth == 0 {
		return p
	}
	p.bar = progressbar.NewOptions64(-1, append(options,
		progressbar.OptionSetWriter(a.env.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(max(10, min(40, a.env.stderrWidth-60))),
		progressbar.OptionEnableColorCodes(false),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(65*time.Millisecond),
		progressbar.OptionSetSpinnerChangeInterval(0), // it is for a goroutine that does not take the bar's lock
	)...)
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

// showBytes is show for an import; total is 0 when it is not known.
func (p *progress) showBytes(now archive.Progress, total int64) {
	switch {
	case p.bar != nil:
		if total > 0 {
			p.bar.ChangeMax64(max(total, now.Bytes))
		}
		p.bar.Describe(fmt.Sprintf("import: %d snapshots", now.Accounts))
		_ = p.bar.Set64(now.Bytes)
	case p.app.verbose && now.Accounts > p.last:
		fmt.Fprintf(p.app.env.stderr, "%d snapshots, %d bytes\n", now.Accounts, now.Bytes)
	}
	p.last = now.Accounts
}

// showShare is show for any other work, of which so much is done.
func (p *progress) showShare(done, total int64) {
	if p.bar != nil {
		p.bar.ChangeMax64(max(total, done))
		_ = p.bar.Set64(done)
	}
}

// done removes the bar.
func (p *progress) done() {
	if p.bar != nil {
		p.once.Do(func() { _ = p.bar.Finish() })
	}
}
