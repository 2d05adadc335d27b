package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// The lines of entries. Each says all that its row of the store holds. Instants
// are Unix milliseconds, and written as RFC 3339 in UTC; nil is written "-".

// Run is a run as it stood when the entry was made.
type Run struct {
	ID                                                            int64
	Workspace, Scope, State                                       string
	Started                                                       int64
	Finished                                                      *int64
	Requested, Changed, Unchanged, Gone, Failed, Requests, HeldMS int64
	SkewMS                                                        *int64
	PID, Rules                                                    int64
	Warnings                                                      string // a JSON list
}

// Line is "run" and the number of the run, and what is known of it.
func (r Run) Line() string {
	return fmt.Sprintf("run %d %s %s %s started %s finished %s requested %d changed %d unchanged %d gone %d failed %d"+
		" requests %d held %d skew %s pid %d rules %d warnings %s",
		r.ID, strconv.Quote(r.Workspace), r.Scope, r.State, instant(r.Started), orNone(r.Finished, instant), r.Requested,
		r.Changed, r.Unchanged, r.Gone, r.Failed, r.Requests, r.HeldMS, orNone(r.SkewMS, decimal), r.PID, r.Rules,
		oneLine(r.Warnings))
}

// Response is an answer of the API that was stored.
type Response struct {
	ID                     int64
	Source                 string
	Sent, Received         int64
	HeldMS                 int64
	Server                 *int64
	AccountMin, AccountMax int64 // row numbers
	Shown                  int64 // how many snapshots
	Root                   Hash  // of the tree over them; zero for none
}

const responseFormat = "response %d %s sent %s received %s held %d server %s accounts %d to %d shown %d %s"

// Line is "response" and the number of the response, and what is known of it.
func (r Response) Line() string {
	return fmt.Sprintf(responseFormat, r.ID, r.Source, instant(r.Sent), instant(r.Received), r.HeldMS,
		orNone(r.Server, instant), r.AccountMin, r.AccountMax, r.Shown, r.Root)
}

// ParseResponse is the inverse of Line.
func ParseResponse(line string) (r Response, err error) {
	var sent, received, server, root string
	_, err = fmt.Sscanf(line, responseFormat, &r.ID, &r.Source, &sent, &received, &r.HeldMS, &server,
		&r.AccountMin, &r.AccountMax, &r.Shown, &root)
	if err == nil {
		r.Sent, err = parseInstant(sent)
	}
	if err == nil {
		r.Received, err = parseInstant(received)
	}
	if err == nil && server != none {
		r.Server = new(int64)
		*r.Server, err = parseInstant(server)
	}
	if err == nil {
		r.Root, err = tlog.ParseHash(root)
	}
	if err != nil || r.Line() != line {
		return Response{}, fmt.Errorf("not the line of a response: %.40q", line)
	}
	return r, nil
}

// Failure is something that could not be snapshotted.
type Failure struct {
	ID         int64
	Run        int64
	Account    *string
	Kind       string
	HTTPStatus *int64
	At         int64
	Message    Hash // the commitment to it; see [Salt.Message]
}

// Line is "failure" and its number, and what is known of it.
func (f Failure) Line() string {
	account := none
	if f.Account != nil {
		account = strconv.Quote(*f.Account)
	}
	return fmt.Sprintf("failure %d run %d account %s %s status %s at %s %s",
		f.ID, f.Run, account, f.Kind, orNone(f.HTTPStatus, decimal), instant(f.At), f.Message)
}

// Absence is that complete lists lack an account.
type Absence struct {
	ID      int64
	Run     int64
	Account string // id
	Since   int64
}

// Line is "absence" and its number, and what is known of it but for its end, which
// follows from what came later.
func (a Absence) Line() string {
	return fmt.Sprintf("absence %d run %d account %s since %s", a.ID, a.Run, a.Account, instant(a.Since))
}

// none stands for what is not there.
const none = "-"

func orNone(value *int64, format func(int64) string) string {
	if value == nil {
		return none
	}
	return format(*value)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

const layout = "2006-01-02T15:04:05.000Z"

// instant writes Unix milliseconds; as they are when RFC 3339 has no such year.
func instant(ms int64) string {
	if t := time.UnixMilli(ms).UTC(); 0 <= t.Year() && t.Year() <= 9999 {
		return t.Format(layout)
	}
	return decimal(ms)
}

func parseInstant(text string) (ms int64, err error) {
	t, err := time.Parse(layout, text)
	if err == nil {
		return t.UnixMilli(), nil
	}
	return strconv.ParseInt(text, 10, 64)
}

// oneLine keeps a text that may be anything from breaking the line that ends with
// it: what has a control character in it is quoted.
func oneLine(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		return strconv.Quote(text)
	}
	return text
}
