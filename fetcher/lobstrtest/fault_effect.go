package lobstrtest

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Effect is what a fault does to an answer. Make one with [Answers], [Mangles] or
// [Drips].
type Effect func(x *exchange)

// SecretValue is the secret that the fault "cookie-value" sends.
const SecretValue = "s3cr3t-cookie-value-5f2d90"

// Answers sends this in place of the right answer.
func Answers(status int, contentType, body string) Effect {
	return func(x *exchange) {
		x.reply.status, x.reply.envelope, x.reply.body = status, nil, []byte(body)
		x.reply.header.Set("Content-Type", contentType)
	}
}

// Mangles sends what change makes of the body of the right answer. It is called
// once for each answer, before a byte of it is sent, and may wait.
func Mangles(change func(body []byte) []byte) Effect {
	return func(x *exchange) { x.reply.mangle = append(x.reply.mangle, change) }
}

// refuse answers with a status and an error body.
func refuse(status int, shape errorShape) Effect {
	return func(x *exchange) {
		x.reply.mangle, x.reply.send = nil, nil
		if status == http.StatusTooManyRequests {
			x.dropBudget()
		}
		x.fail(status, shape, "Something is wrong: "+http.StatusText(status)+".")
	}
}

// dropBudget takes the X-RateLimit headers away: who refuses here stands in front
// of the service and knows nothing of its budget. (For a refusal of the service
// itself see [Server.SetRateLimit].)
func (x *exchange) dropBudget() {
	for _, name := range []string{"Limit", "Remaining", "Reset"} {
		x.reply.header.Del("X-RateLimit-" + name)
	}
}

// retryAfter answers 429 with a Retry-After of this text.
func retryAfter(value string) Effect {
	return func(x *exchange) {
		refuse(http.StatusTooManyRequests, flatShape)(x)
		x.reply.header.Set("Retry-After", value)
	}
}

// retryAt answers 429 with an HTTP date that is so far ahead of the clock of the
// rate limit.
func retryAt(ahead time.Duration) Effect {
	return func(x *exchange) {
		x.server.mu.Lock()
		date := secondUp(x.server.rate.now(x).Add(ahead))
		x.server.mu.Unlock()
		retryAfter(date.UTC().Format(http.TimeFormat))(x)
	}
}

// echoKey answers with an error whose body repeats the Authorization header.
func echoKey(status int) Effect {
	return func(x *exchange) {
		x.fail(status, currentShape, "Cannot serve "+x.request.Header.Get("Authorization")+".")
	}
}

func redirect(x *exchange, to string) {
	x.reply.status, x.reply.envelope, x.reply.body = http.StatusFound, nil, nil
	x.reply.header.Set("Location", to)
}

func redirectElsewhere(x *exchange) {
	redirect(x, x.server.Elsewhere().URL+strings.TrimPrefix(x.request.URL.RequestURI(), "/v1"))
}

// redirectSame redirects once: the place it names answers.
func redirectSame(x *exchange) {
	if query := x.request.URL.Query(); query.Get("moved") == "" {
		query.Set("moved", "1")
		redirect(x, x.server.origin+x.request.URL.Path+"?"+query.Encode())
	}
}

func redirectLoop(x *exchange) { redirect(x, x.server.origin+x.request.URL.RequestURI()) }

func skewDate(ahead time.Duration) Effect {
	return func(x *exchange) { x.setDate(x.record.At.Add(ahead)) }
}

func dropDate(x *exchange) { x.reply.header["Date"] = nil } // which net/http takes for: send none

// editEnvelope edits an answer that has an envelope.
func editEnvelope(edit Effect) Effect {
	return func(x *exchange) {
		if x.reply.envelope != nil {
			edit(x)
		}
	}
}

// setEnvelope sets a member of the envelope; "" as raw leaves it out.
func setEnvelope(member, raw string) Effect {
	return editEnvelope(func(x *exchange) {
		if raw == "" {
			x.reply.envelope.drop(member)
			return
		}
		x.reply.envelope.set(member, raw)
	})
}

// countMore counts so many accounts more than there are.
func (x *exchange) countMore(n int) {
	total, _ := integer(x.reply.envelope, "total_results")
	x.reply.envelope.set("total_results", number(total+n))
}

// cutList cuts the list after half of its first page, as on a free plan, and says
// so; total_results still counts all.
func cutList(x *exchange) {
	keep := (len(x.reply.rows) + 1) / 2
	if x.record.Page > 1 {
		keep = 0
	}
	x.reply.rows = x.reply.rows[:keep]
	x.reply.envelope.set("next", "null")
	x.reply.envelope.set("warning", quote("Your plan shows a part of your accounts. Upgrade to see all."))
}

// showTwice shows an account twice: the last one of a page again at the head of
// the next, as when an account is created meanwhile; on a list of one page, its
// first in the place of its last. The list needs two accounts.
func showTwice(x *exchange) {
	rows := x.reply.rows
	next, _ := x.reply.envelope.get("next")
	if x.record.Page == 1 && next == "null" && len(rows) > 1 {
		rows[len(rows)-1] = rows[0]
	}
	if x.record.Page > 1 && len(rows) > 0 {
		_, before := x.world.page(x.record.At, x.record.Page-1, x.limit, accountFilter{})
		x.reply.rows = append([][]byte{before[len(before)-1]}, rows[:len(rows)-1]...)
	}
}

// dropLast leaves the last account of each page out, but counts it.
func dropLast(x *exchange) { x.reply.rows = x.reply.rows[:max(0, len(x.reply.rows)-1)] }

// nextElsewhere names a next page at another origin, where no key may go.
func nextElsewhere(x *exchange) {
	if raw, _ := x.reply.envelope.get("next"); raw != "null" {
		x.reply.envelope.set("next", quote(x.server.Elsewhere().URL+"/accounts?page="+number(x.record.Page+1)))
	}
}

// endlessList has always another page, which shows the first one's accounts.
func endlessList(x *exchange) {
	_, x.reply.rows = x.world.page(x.record.At, 1, x.limit, accountFilter{})
	next := x.record.Page + 1
	x.reply.envelope.set("total_results", number(next*x.limit))
	x.reply.envelope.set("total_pages", number(next))
	x.reply.envelope.set("next", quote(x.server.origin+"/v1/accounts?page="+number(next)))
}

// editDetail edits the answer about one account.
func editDetail(edit Effect) Effect {
	return func(x *exchange) {
		if x.reply.status == http.StatusOK && len(x.reply.rows) == 1 {
			edit(x)
		}
	}
}

// bareObject answers with the account alone, without an envelope.
func bareObject(x *exchange) {
	Mangles(func([]byte) []byte { return bytes.Join(x.reply.rows, nil) })(x)
}

// editRow edits an account of the answer, if there is one.
func (x *exchange) editRow(i int, edit func(o *object)) {
	if i >= len(x.reply.rows) {
		return
	}
	if o, ok := parseObject(string(x.reply.rows[i])); ok {
		edit(&o)
		x.reply.rows[i] = o.append(nil)
	}
}

// editFirst edits the first account of an answer; the others stay right.
func editFirst(edit func(o *object)) Effect {
	return func(x *exchange) { x.editRow(0, edit) }
}

func setFirst(member, raw string) Effect {
	return editFirst(func(o *object) { o.set(member, raw) })
}

// replaceFirst sends raw in place of the first account.
func replaceFirst(raw string) Effect {
	return func(x *exchange) {
		if len(x.reply.rows) > 0 {
			x.reply.rows[0] = []byte(raw)
		}
	}
}

// editEach edits all accounts of an answer.
func editEach(edit func(x *exchange, o *object)) Effect {
	return func(x *exchange) {
		for i := range x.reply.rows {
			x.editRow(i, func(o *object) { edit(x, o) })
		}
	}
}

func setEach(member, raw string) Effect {
	return editEach(func(_ *exchange, o *object) { o.set(member, raw) })
}

// editEntries edits the entries of a list that is a member of each account.
func editEntries(member string, edit func(entry *object)) Effect {
	return editEach(func(_ *exchange, o *object) {
		raw, _ := o.get(member)
		entries, ok := parseList(raw)
		if !ok {
			return
		}
		for i := range entries {
			if entry, ok := parseObject(entries[i]); ok {
				edit(&entry)
				entries[i] = entry.String()
			}
		}
		o.set(member, list(entries))
	})
}

func renameSquidKey(key string) Effect {
	return editEntries("squids", func(entry *object) {
		if i := entry.index("hash_value"); i >= 0 {
			(*entry)[i].name = key
		}
	})
}

func isInteger(text string) bool { _, err := strconv.Atoi(text); return err == nil }

func numberStatus(_ *exchange, o *object) {
	raw, _ := o.get("status")
	if text, _ := unquote(raw); isInteger(text) {
		o.set("status", text)
	}
}

// respellLock sends lock_time in another spelling, where it is sent and not null.
func respellLock(form LockForm) Effect {
	return editEach(func(_ *exchange, o *object) {
		if t, ok := lockTime(*o); ok {
			o.set("lock_time", form.spell(t))
		}
	})
}

func onlyID(_ *exchange, o *object) {
	*o = slices.DeleteFunc(*o, func(f field) bool { return f.name != "id" })
}

func allNull(_ *exchange, o *object) {
	for i := range *o {
		if (*o)[i].name != "id" {
			(*o)[i].raw = "null"
		}
	}
}

// respellCreated sends created_at in another spelling of the same instant.
func respellCreated(_ *exchange, o *object) {
	raw, _ := o.get("created_at")
	text, _ := unquote(raw)
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		o.set("created_at", quote(t.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.000-07:00")))
	}
}
