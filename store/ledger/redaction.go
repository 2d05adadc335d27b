package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Redaction is that what was known of an account was erased: its name, documents,
// counters, values that no other account has, and the messages of failures. Left is a hash of all that is left of it
// in the store, for it does not follow from evidence any more.
type Redaction struct {
	Row                                   int64  // number of the account
	Account                               string // id
	At                                    int64
	Documents, Counters, Failures, Values int64 // that were erased
	Left                                  Hash
}

const redactionFormat = "redaction %d account %s at %s documents %d counters %d failures %d values %d left %s"

// Line is "redaction" and the row number of the account, and what was done.
func (r Redaction) Line() string {
	return fmt.Sprintf(redactionFormat, r.Row, r.Account, instant(r.At), r.Documents, r.Counters, r.Failures, r.Values, r.Left)
}

// ParseRedaction is the inverse of Line.
func ParseRedaction(line string) (r Redaction, err error) {
	var at, left string
	_, err = fmt.Sscanf(line, redactionFormat, &r.Row, &r.Account, &at, &r.Documents, &r.Counters, &r.Failures, &r.Values, &left)
	if err == nil {
		r.At, err = parseInstant(at)
	}
	if err == nil {
		r.Left, err = tlog.ParseHash(left)
	}
	if err != nil || r.Line() != line {
		return Redaction{}, fmt.Errorf("not the line of a redaction: %.40q", line)
	}
	return r, nil
}
