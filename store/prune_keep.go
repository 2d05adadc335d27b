package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// fate is what is known of an account's later snapshots, on the way backwards.
type fate struct {
	need    [2]KeepReason // why the next snapshot of each endpoint has to stay; "": it has not
	buckets [4]bucket     // hours, days, weeks, months
}

// bucket is a period of which one snapshot stays.
type bucket struct {
	last int64 // the period at hand
	left int   // how many more
}

// bucketReasons are the reasons of the buckets.
var bucketReasons = [4]KeepReason{KeepHourly, KeepDaily, KeepWeekly, KeepMonthly}

// periods are the numbers of the hour, the day, the ISO week and the month, in UTC.
func periods(ms int64) [4]int64 {
	at := time.UnixMilli(ms).UTC()
	day := int64(at.Year())*1000 + int64(at.YearDay())
	year, week := at.ISOWeek()
	return [4]int64{day*100 + int64(at.Hour()), day, int64(year)*100 + int64(week), int64(at.Year())*100 + int64(at.Month())}
}

// counts are how many periods of each kind are kept.
func (k Keep) counts() [4]int { return [4]int{k.Hourly, k.Daily, k.Weekly, k.Monthly} }

func (p *pruning) fate(account int64) *fate {
	f := p.fates[account]
	if f == nil {
		f = &fate{need: [2]KeepReason{KeepNewest, KeepNewest}}
		for i, count := range p.keep.counts() {
			f.buckets[i].left = count
		}
		p.fates[account] = f
	}
	return f
}

// bucket answers for which period the snapshot is the newest and kept; "" for none.
// A snapshot that stays for another reason stands for its periods too.
func (f *fate) bucket(now [4]int64) (reason KeepReason) {
	for i := range f.buckets {
		b := &f.buckets[i]
		if b.left == 0 || b.last == now[i] {
			continue
		}
		if b.last = now[i]; b.left > 0 {
			b.left--
		}
		if reason == "" {
			reason = bucketReasons[i]
		}
	}
	return reason
}

// why says why a snapshot stays; "": it is thinned out. followed is that something
// followed from it, which has been counted.
func (p *pruning) why(f *fate, r *passed, followed bool) KeepReason {
	reason := f.bucket(r.periods)
	need := f.need[r.side]
	f.need[r.side] = ""
	switch {
	case followed:
		f.need = [2]KeepReason{KeepWindow, KeepWindow}
		return KeepVersion
	case need != "":
		reason = need
	case p.keep.Within > 0 && r.received >= p.newest-p.keep.Within.Milliseconds():
		reason = KeepWithin
	}
	if reason != "" {
		p.done.Kept[reason]++
	}
	return reason
}

// passed is a response on the way backwards.
type passed struct {
	id, received int64
	side         int
	periods      [4]int64
}

// decision is what is thinned out of a response.
type decision struct {
	response int64
	accounts []int64 // all that it shows, and
	drop     []bool  // which of them go
	dropped  int
}

// querier is a transaction that is read from.
type querier interface {
	getter
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
}

// chunk is how many responses are looked up at once.
const chunk = 500

// backwards goes on from where it stopped, and calls take for each response that
// loses snapshots, until take answers false or all are done.
func (p *pruning) backwards(ctx context.Context, tx querier, take func(decision) (bool, error)) error {
	for p.nextReverse > 0 {
		var responses []struct {
			ID       int64  `db:"id"`
			Source   Source `db:"source"`
			Received int64  `db:"received_at"`
		}
		err := tx.SelectContext(ctx, &responses, `
			SELECT id, source, received_at FROM response
			WHERE workspace_id = ? AND id <= ?
			ORDER BY id DESC LIMIT ?`, p.id, p.nextReverse, chunk)
		if err != nil {
			return err
		}
		for _, r := range responses {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			d, err := p.decide(ctx, tx, passed{r.ID, r.Received, sideOf(r.Source), periods(r.Received)})
			if err != nil {
				return err
			}
			p.nextReverse = r.ID - 1
			p.progress(2*p.last-r.ID, 2*p.last)
			if d.dropped == 0 {
				continue
			}
			p.done.Responses++
			p.done.Thinned += int64(d.dropped)
			if more, err := take(d); err != nil || !more {
				return err
			}
		}
		if len(responses) < chunk {
			p.nextReverse = 0
		}
	}
	return nil
}

// decide says which snapshots of a response go.
func (p *pruning) decide(ctx context.Context, tx querier, r passed) (decision, error) {
	d := decision{response: r.id}
	err := tx.SelectContext(ctx, &d.accounts, `SELECT account_id FROM snapshot WHERE response_id = ? ORDER BY account_id`, r.id)
	if err != nil {
		return d, err
	}
	d.drop = make([]bool, len(d.accounts))
	for i := len(d.accounts) - 1; i >= 0; i-- {
		if p.marked.n == 0 {
			return d, &BusyError{} // there were fewer a moment ago
		}
		followed := p.marked.takeLast()
		if p.why(p.fate(d.accounts[i]), &r, followed) == "" {
			d.drop[i] = true
			d.dropped++
		}
	}
	return d, nil
}

var _ querier = (*sqlx.Tx)(nil)
