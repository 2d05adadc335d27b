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
	Scope, State                                                  string
	Started                                                       int64
	Finished                                                      *int64
	First, Last                                                   *int64 // its responses
	Requested, Changed, Unchanged, Gone, Failed, Requests, HeldMS int64
	SkewMS                                                        *int64
	PID, Rules                                                    int64
	Warnings                                                      string // a JSON list
}

const runFormat = "run %d %s %s started %s finished %s responses %s to %s requested %d changed %d unchanged %d gone %d failed %d" +
	" requests %d held %d skew %s pid %d rules %d" + runWarnings

const runWarnings = " warnings "

// Line is "run" and the number of the run, and what is known of it.
func (r Run) Line() string {
	return fmt.Sprintf(runFormat+"%s",
		r.ID, r.Scope, r.State, instant(r.Started), orNone(r.Finished, instant), orNone(r.First, decimal), orNone(r.Last, decimal), r.Requested,
		r.Changed, r.Unchanged, r.Gone, r.Failed, r.Requests, r.HeldMS, orNone(r.SkewMS, decimal), r.PID, r.Rules,
		oneLine(r.Warnings))
}

// ParseRun is the inverse of Line.
func ParseRun(line string) (r Run, err error) {
	var started, finished, first, last, skew string
	rest, warnings, _ := strings.Cut(line, runWarnings)
	_, err = fmt.Sscanf(rest+runWarnings, runFormat, &r.ID, &r.Scope, &r.State, &started, &finished, &first, &last, &r.Requested,
		&r.Changed, &r.Unchanged, &r.Gone, &r.Failed, &r.Requests, &r.HeldMS, &skew, &r.PID, &r.Rules)
	if r.Warnings = warnings; strings.HasPrefix(warnings, `"`) && err == nil {
		r.Warnings, err = strconv.Unquote(warnings)
	}
	if err == nil {
		r.Started, err = parseInstant(started)
	}
	decimal := func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }
	for _, part := range []struct {
		to    **int64
		text  string
		parse func(string) (int64, error)
	}{{&r.Finished, finished, parseInstant}, {&r.First, first, decimal}, {&r.Last, last, decimal}, {&r.SkewMS, skew, decimal}} {
		if err == nil && part.text != none {
			*part.to = new(int64)
			**part.to, err = part.parse(part.text)
		}
	}
	if err != nil || r.Line() != line {
		return Run{}, fmt.Errorf("not the line of a run: %.40q", line)
	}
	return r, nil
}

// Response is an answer of the API that was stored.
type Response struct {
	At      int64 // when it was received: its key in the workspace
	Source  string
	Page    int64 // of the list
	Run     int64
	Sent    int64
	HeldMS  int64 // by how much At was raised, so that no two responses have the same
	Server  *int64
	Shown   int64 // snapshots, those of absent accounts included
	Changed int64 // of those, how many began a version
	Absent  int64 // how many were answered with 404
	Gone    int64 // how many of those were not known to be gone before
	Root    Hash  // of the tree over the snapshots; zero for none
}

// Line is "response", its instant and its source, and what is known of it, each as a name
// and a number. What is 0 is left out: there is a line for every page of every snapshot.
// The request and the clock of the server are told by how many milliseconds they were
// before the instant.
func (r Response) Line() string {
	line := append(make([]byte, 0, 160), "response "...)
	line = append(append(strconv.AppendInt(line, r.At, 10), ' '), r.Source...)
	for _, n := range r.numbers() {
		if *n.value != 0 {
			line = strconv.AppendInt(append(append(append(line, ' '), n.name...), ' '), *n.value, 10)
		}
	}
	line = append(line, " sent "...)
	line = strconv.AppendInt(line, r.At-r.Sent, 10)
	if r.Server != nil {
		line = strconv.AppendInt(append(line, " server "...), r.At-*r.Server, 10)
	}
	return string(append(append(line, ' '), r.Root.String()...))
}

type number struct {
	name  string
	value *int64
}

// numbers are those of a line that are left out where they are 0.
func (r *Response) numbers() [7]number {
	return [...]number{
		{"page", &r.Page}, {"run", &r.Run}, {"held", &r.HeldMS}, {"shown", &r.Shown}, {"changed", &r.Changed}, {"absent", &r.Absent},
		{"gone", &r.Gone},
	}
}

// ParseResponse is the inverse of Line.
func ParseResponse(line string) (r Response, err error) {
	words := strings.Split(line, " ")
	wrong := func() (Response, error) {
		return Response{}, fmt.Errorf("not the line of a response: %.40q", line)
	}
	if len(words) < 4 || len(words)%2 != 0 {
		return wrong()
	}
	told := map[string]int64{}
	for i := 3; i+1 < len(words); i += 2 {
		if told[words[i]], err = strconv.ParseInt(words[i+1], 10, 64); err != nil {
			return wrong()
		}
	}
	if r.At, err = strconv.ParseInt(words[1], 10, 64); err != nil {
		return wrong()
	}
	r.Source, r.Sent = words[2], r.At-told["sent"]
	for _, n := range r.numbers() {
		*n.value = told[n.name]
	}
	if before, known := told["server"]; known {
		r.Server = new(r.At - before)
	}
	if r.Root, err = tlog.ParseHash(words[len(words)-1]); err != nil || r.Line() != line {
		return wrong()
	}
	return r, nil
}

// Failure is something that could not be snapshotted.
type Failure struct {
	ID         int64 // number within the run
	Run        int64
	Account    *string
	Kind       string
	HTTPStatus *int64
	At         int64
	Message    Hash // the commitment to it; see [Salt.Message]
}

// Line is "failure", its number and its run, and what is known of it.
func (f Failure) Line() string {
	account := none
	if f.Account != nil {
		account = strconv.Quote(*f.Account)
	}
	return fmt.Sprintf("failure %d run %d account %s %s status %s at %s %s",
		f.ID, f.Run, account, f.Kind, orNone(f.HTTPStatus, decimal), instant(f.At), f.Message)
}

// ParseFailureKey reads the run and the number of a failure from its line.
func ParseFailureKey(line string) (run, n int64, err error) {
	if _, err = fmt.Sscanf(line, "failure %d run %d ", &n, &run); err != nil {
		err = fmt.Errorf("not the line of a failure: %.40q", line)
	}
	return run, n, err
}

// Absence is that a complete list lacks an account.
type Absence struct {
	Run     int64
	Account string // id
	Since   int64
}

// Line is "absence" and the run, and what is known of it but for its end, which
// follows from what came later.
func (a Absence) Line() string {
	return fmt.Sprintf("absence %d account %s since %s", a.Run, a.Account, instant(a.Since))
}

// ParseAbsence is the inverse of Line.
func ParseAbsence(line string) (a Absence, err error) {
	var since string
	_, err = fmt.Sscanf(line, "absence %d account %s since %s", &a.Run, &a.Account, &since)
	if err == nil {
		a.Since, err = parseInstant(since)
	}
	if err != nil || a.Line() != line {
		return Absence{}, fmt.Errorf("not the line of an absence: %.40q", line)
	}
	return a, nil
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
