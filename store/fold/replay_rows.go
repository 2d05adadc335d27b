package fold

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// RowError says that a row cannot be what was written. It is a store.ErrDamaged.
type RowError struct {
	Table   string
	Row     string // what identifies it in its table; "" when that is not known
	Problem string
}

// Error names the row.
func (e *RowError) Error() string {
	return fmt.Sprintf("%v: %s %s: %s", store.ErrDamaged, e.Table, e.Row, e.Problem)
}

// Unwrap is store.ErrDamaged.
func (e *RowError) Unwrap() error { return store.ErrDamaged }

const noResponse = "there is no response of that instant"

func (s Stay) wrong(problem string, args ...any) error {
	return &RowError{"shown", fmt.Sprintf("account %d, %s, from %d", s.Account, s.Source, s.First), fmt.Sprintf(problem, args...)}
}

func (f Fact) wrong(problem string) error {
	return &RowError{"fact", fmt.Sprintf("account %d, /%s%s of endpoint %d, at %d", f.Account, f.Top, f.Sub, f.Endpoint+1, f.At), problem}
}

func (u Usage) wrong(problem string) error {
	return &RowError{"usage", fmt.Sprintf("account %d, %s, at %d", u.Account, u.Pointer, u.At), problem}
}

func (c Commitment) wrong(problem string) error {
	what := "counters"
	if c.Endpoint >= 0 {
		what = fmt.Sprintf("document of endpoint %d", c.Endpoint+1)
	}
	return &RowError{"redacted", fmt.Sprintf("account %d, %s, at %d", c.Account, what, c.At), problem}
}

func (a *Account) neverShown() error {
	return &RowError{"account", fmt.Sprint(a.Number), "no response shows it, or it is not numbered as accounts are first shown"}
}

// compare compares the rows that a response brought with those that follow from them
// all: a row that repeats what was known says nothing new, and is none that was written.
func (t *Told) compare(d *Delta) error {
	err := compareRows(t.Began, d.Entered, func(a, b Stay) int { return cmp.Compare(a.Account, b.Account) }, func(a, b Stay) bool {
		return a.Source == b.Source && a.Slot == b.Slot && a.Endpoint == b.Endpoint
	}, func(s Stay, follows bool) error { return s.wrong("%s", problemOf(follows)) })
	if err == nil {
		err = compareRows(t.Facts, d.Facts, func(a, b Fact) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Endpoint, b.Endpoint), a.Compare(b.Key))
		}, func(a, b Fact) bool {
			return bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil)
		}, func(f Fact, follows bool) error { return f.wrong(problemOf(follows)) })
	}
	if err == nil {
		err = compareRows(t.Usage, d.Usage, func(a, b Usage) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Pointer, b.Pointer))
		}, func(a, b Usage) bool {
			return bytes.Equal(a.Body, b.Body) && bytes.Equal(a.Max, b.Max)
		}, func(u Usage, follows bool) error { return u.wrong(problemOf(follows)) })
	}
	return err
}

func problemOf(follows bool) string {
	if follows {
		return "it is missing, or is not what the response shows"
	}
	return "it says nothing new, or is of an account that the response does not show"
}

// compareRows returns the error about the first row that is not the same in both.
func compareRows[Row any](stored, follow []Row, order func(a, b Row) int, same func(a, b Row) bool, wrong func(row Row, follows bool) error) error {
	if len(stored)+len(follow) == 0 {
		return nil
	}
	if !slices.IsSortedFunc(stored, order) {
		stored = slices.SortedFunc(slices.Values(stored), order)
	}
	if !slices.IsSortedFunc(follow, order) {
		follow = slices.SortedFunc(slices.Values(follow), order)
	}
	for i, row := range follow {
		switch {
		case i == len(stored) || order(stored[i], row) > 0:
			return wrong(row, true)
		case order(stored[i], row) < 0:
			return wrong(stored[i], false)
		case !same(stored[i], row):
			return wrong(row, true)
		}
	}
	if len(stored) > len(follow) {
		return wrong(stored[len(follow)], false)
	}
	return nil
}
