package lobstrtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// HangBound is the longest that a fault of [AllFaults] hangs.
const HangBound = 20 * time.Second

// hugeBytes is how much the floods of AllFaults send.
const hugeBytes = 256 << 20

// AllFaults returns what can go wrong with an answer, one fault of each sort. Some
// take real time: hang and hang-within (up to [HangBound], or the client's own
// timeout), drip (about 50 ms), huge-body and gzip-bomb (256 MiB, or the client's
// limit).
func AllFaults() []Fault {
	return slices.Concat(statusFaults(), rateFaults(), transportFaults(), bodyFaults(), envelopeFaults(),
		listFaults(), detailFaults(), accountFaults())
}

// FaultNamed returns the fault of [AllFaults] of that name. It panics if there is
// none.
func FaultNamed(name string) Fault {
	for _, f := range AllFaults() {
		if f.Name == name {
			return f
		}
	}
	panic("lobstrtest: there is no fault " + name)
}

// Which calls a fault is meant for.
var onList, onDetail, onAccounts = []Route{List}, []Route{Detail}, []Route{List, Detail}

// What a right client records.
var (
	fine       = Expect{Failure: "none"}
	unreadable = Expect{Failure: "decode", ListIncomplete: true, Retried: true}
	broken     = Expect{Failure: "network", ListIncomplete: true, Retried: true}
	tooBig     = Expect{Failure: "decode", ListIncomplete: true}.or("network", "http", "mismatch")
	elsewhere  = Expect{Failure: "http", ListIncomplete: true}.or("network", "mismatch")
	tooFast    = expectStatus(http.StatusTooManyRequests)
	tooLong    = Expect{Failure: "rate_limit", ListIncomplete: true, Stops: true}
	notWhole   = Expect{Failure: "none", ListIncomplete: true, PartKept: true}
	// oneUnknown is an account that cannot be understood among others that can;
	// whose it is, nobody can tell.
	oneUnknown = Expect{Failure: "decode", ListIncomplete: true, PartKept: true}.or("mismatch")
	oneKnown   = Expect{Failure: "decode", PartKept: true}
	mismatch   = Expect{Failure: "mismatch"}
)

// or is e with other kinds of failures that would be right too.
func (e Expect) or(kinds ...string) Expect {
	e.Also = kinds
	return e
}

// expectStatus is what a list page of such a status means.
func expectStatus(status int) Expect {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Expect{Failure: "auth", ListIncomplete: true, Stops: true}
	case status == http.StatusTooManyRequests:
		return Expect{Failure: "rate_limit", ListIncomplete: true, Retried: true}
	}
	return Expect{Failure: "http", ListIncomplete: true, Retried: status >= 500}
}

func statusFault(status int, shape errorShape) Fault {
	return Fault{fmt.Sprintf("http-%d-%s", status, shape), "an error of the service, or of a proxy in front of it",
		nil, expectStatus(status), refuse(status, shape)}
}

func statusFaults() []Fault {
	faults := []Fault{
		{"not-found", "the account is gone for this key; a failure if it was never seen, or if the list shows it",
			onDetail, Expect{Failure: "not_found"}.or("mismatch"), refuse(http.StatusNotFound, olderShape)},
		{"redirect-elsewhere", "refused: the key goes to the configured host only", nil, elsewhere, redirectElsewhere},
		{"redirect-same", "may be followed, key and all: it is the same origin", nil, fine.or("http"), redirectSame},
		{"redirect-loop", "given up after a bounded number of hops", nil, elsewhere, redirectLoop},
		{"date-skew", "the client's own clock gives the instants", nil, fine, skewDate(-26 * time.Hour)},
		{"no-date", "the client's own clock gives the instants", nil, fine, dropDate},
		statusFault(http.StatusBadRequest, currentShape), statusFault(http.StatusTeapot, flatShape),
	}
	notFound := statusFault(http.StatusNotFound, olderShape)
	notFound.On = onList
	faults = append(faults, notFound)
	for _, status := range []int{500, 401, 400} {
		expect := expectStatus(status)
		expect.EchoesToken = true
		faults = append(faults, Fault{fmt.Sprintf("echo-key-%d", status),
			"the key must not be repeated in an error, a log or the store", nil, expect, echoKey(status)})
	}
	for _, status := range []int{401, 403, 429, 500, 502, 503, 504} {
		for shape := currentShape; shape <= emptyShape; shape++ {
			faults = append(faults, statusFault(status, shape))
		}
	}
	return faults
}

func rateFaults() []Fault {
	obeyed, refused := "wait as told, then go on", "longer than anyone waits: the job stops, incomplete"
	ignored, doubted := "wait by one's own back-off", "not believed, or the job stops"
	return []Fault{
		{"retry-after-1", obeyed, nil, tooFast, retryAfter("1")},
		{"retry-after-0", obeyed, nil, tooFast, retryAfter("0")},
		{"retry-after-date", obeyed, nil, tooFast, retryAt(time.Second)},
		{"retry-after-86400", refused, nil, tooLong, retryAfter("86400")},
		{"retry-after-far-date", refused, nil, tooLong, retryAt(24 * time.Hour)},
		{"retry-after-99999999999999999999999", doubted, nil, tooFast.or("http"), retryAfter("99999999999999999999999")},
		{"retry-after-missing", ignored, nil, tooFast, refuse(http.StatusTooManyRequests, flatShape)},
		{"retry-after-soon", ignored, nil, tooFast, retryAfter("soon")},
		{"retry-after--5", ignored, nil, tooFast, retryAfter("-5")},
		{"retry-after-past-date", "wait by one's own back-off, or not at all", nil, tooFast, retryAt(-time.Hour)},
	}
}

func transportFaults() []Fault {
	half, bounded := "a broken connection: half an answer is none", "refused at the body limit, in bounded memory"
	return []Fault{
		{"truncated", half, nil, broken.or("decode"), sends(sendHalf)},
		{"reset-before", "a broken connection", nil, broken, sends(sendReset)},
		{"reset-within", half, nil, broken.or("decode"), sends(sendHalf, sendReset)},
		{"hang", "given up after the timeout of a request", nil, broken, sends(sendNothing)},
		{"hang-within", "the timeout of a request counts its body too", nil, broken, sends(sendHalf, sendNothing)},
		{"drip", "slow, but right: none, unless it takes longer than the timeout", nil, fine, Drips(10, 5*time.Millisecond)},
		{"gzip", "an ordinary way to answer", nil, fine, sends(sendGzip)},
		{"gzip-bomb", bounded, nil, tooBig, sends(sendBomb)},
		{"huge-body", bounded, nil, tooBig, sends(sendFlood)},
	}
}

func bodyFaults() []Fault {
	garbled, ambiguous := "bytes that cannot be understood", "nobody can say which one counts"
	body := func(text string) Effect { return Answers(http.StatusOK, "application/json", text) }
	return []Fault{
		{"html-200", "a portal answered, not the API", nil, unreadable,
			Answers(http.StatusOK, "text/html", "<!DOCTYPE html><title>Welcome</title><p>Please log in.")},
		{"empty-200", garbled, nil, unreadable, body("")},
		{"no-content", garbled, nil, unreadable.or("http"), Answers(http.StatusNoContent, "application/json", "")},
		{"garbage", garbled, nil, unreadable, body(`{"total_results": 1, "data": [{"id": ` + "\x00\x01")},
		{"not-an-object", garbled, nil, unreadable, body(`["total_results"]`)},
		{"json-null", garbled, nil, unreadable, body(`null`)},
		{"json-text", garbled, nil, unreadable, body(`"ok"`)},
		{"error-in-200", garbled, nil, unreadable, body(`{"errors":{"message":"Internal error.","type":"ServerError","code":500}}`)},
		{"half-json", garbled, nil, unreadable, Mangles(func(b []byte) []byte { return b[:len(b)/2] })},
		{"trailing-bytes", garbled, nil, unreadable, Mangles(func(b []byte) []byte { return append(b, `{"data":[]}`...) })},
		{"byte-order-mark", garbled, nil, unreadable.or("none"),
			Mangles(func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) })},
		{"invalid-utf8", "to replace the bad bytes would record a lie", onAccounts, unreadable, setFirst("username", "\"caf\xe9\"")},
		// The account's bytes can be kept as they are.
		{"lone-surrogate", "to replace the half character would record a lie", onAccounts, unreadable.or("none"),
			setFirst("username", `"half \ud83d"`)},
		{"deep-nesting", "refused, without a crash", onAccounts, unreadable,
			setFirst("extra", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000))},
		{"nan", "not JSON", onAccounts, unreadable, setFirst("extra", "NaN")},
		{"duplicate-key", ambiguous, onAccounts, unreadable,
			editFirst(func(o *object) { *o = append(*o, field{"status", `"401"`}) })},
		{"duplicate-data", ambiguous, onAccounts, unreadable,
			editEnvelope(func(x *exchange) { x.reply.envelope = append(x.reply.envelope, field{"data", "[]"}) })},
	}
}

func envelopeFaults() []Fault {
	garbled, unsized := "an envelope that cannot be understood", "a list whose size nobody knows is not whole"
	either, sized := unreadable.or("mismatch"), unreadable.or("mismatch", "none")
	sized.ListIncomplete = false
	unknown := unreadable.or("mismatch", "none")
	return []Fault{
		{"data-text", garbled, onAccounts, either, setEnvelope("data", `"none"`)},
		{"data-number", garbled, onAccounts, either, setEnvelope("data", `7`)},
		{"data-null", garbled, onAccounts, either, setEnvelope("data", `null`)},
		{"data-missing", garbled, onAccounts, either, setEnvelope("data", "")},
		{"list-data-object", garbled, onList, either, setEnvelope("data", `{"id":"`+ID("one")+`"}`)},
		{"total-text", unsized, onList, unknown, setEnvelope("total_results", `"many"`)},
		{"total-negative", unsized, onList, unknown, setEnvelope("total_results", `-1`)},
		{"total-missing", unsized, onList, unknown, setEnvelope("total_results", "")},
		{"page-text", unsized, onList, sized, setEnvelope("page", `"one"`)},
		{"limit-zero", unsized, onList, sized, setEnvelope("limit", `0`)},
	}
}

func listFaults() []Fault {
	drifted, sums, ends := "the list drifted", "the counts do not add up", "the walk ends all the same"
	partial, walked := notWhole.or("mismatch"), Expect{Failure: "none", PartKept: true}.or("mismatch")
	return []Fault{
		{"warning", "the plan cuts the list: it concludes nothing", onList, notWhole, editEnvelope(cutList)},
		{"duplicate-account", drifted, onList, partial, editEnvelope(showTwice)},
		{"missing-account", sums, onList, partial, editEnvelope(dropLast)},
		{"total-moves", drifted, onList, partial, editEnvelope(func(x *exchange) { x.countMore(x.record.Page - 1) })},
		{"total-too-high", sums, onList, partial, editEnvelope(func(x *exchange) { x.countMore(3) })},
		{"empty-page", sums, onList, partial, editEnvelope(func(x *exchange) { x.reply.rows = nil })},
		{"wrong-page", "the answer is about another page than asked", onList,
			Expect{Failure: "mismatch", ListIncomplete: true}.or("decode"),
			editEnvelope(func(x *exchange) { x.reply.envelope.set("page", number(x.record.Page+6)) })},
		{"next-elsewhere", "refused, or unused by a client that counts pages itself", onList,
			walked.or("mismatch", "network", "http"), editEnvelope(nextElsewhere)},
		{"next-loop", ends, onList, walked, editEnvelope(func(x *exchange) {
			x.reply.envelope.set("next", quote(x.server.origin+x.request.URL.RequestURI()))
		})},
		{"endless-list", ends, onList, partial, editEnvelope(endlessList)},
	}
}

func detailFaults() []Fault {
	other := func(o *object) { o.set("id", quote(ID("somebody else"))) }
	return []Fault{
		{"bare-object", "some deployments do", onDetail, fine, editDetail(bareObject)},
		{"data-object", "as good as a list of one", onDetail, fine,
			editDetail(func(x *exchange) { x.reply.envelope.set("data", string(x.reply.rows[0])) })},
		{"two-accounts", "the answer is about more than asked", onDetail, mismatch.or("decode", "none"),
			editDetail(func(x *exchange) {
				x.reply.rows = append(x.reply.rows, x.reply.rows[0])
				x.editRow(1, other)
			})},
		{"no-account", "no 404: nobody said that it is gone", onDetail, mismatch.or("decode"),
			editDetail(func(x *exchange) { x.reply.rows = nil })},
		{"mismatched", "the answer is about another account than asked", onDetail, mismatch, editFirst(other)},
	}
}

func accountFaults() []Fault {
	secret, key := fine, fine
	secret.Secret, key.EchoesToken = SecretValue, true
	nobody, unnamed, kept := "no account", "an account that nobody can name", "unknown fields are kept as they are"
	squids, lock := "an unknown shape is an error, never \"no squids\"", "a lock in any spelling is one"
	return []Fault{
		{"account-number", nobody, onAccounts, oneUnknown, replaceFirst("42")},
		{"account-null", nobody, onAccounts, oneUnknown, replaceFirst("null")},
		{"account-text", nobody, onAccounts, oneUnknown, replaceFirst(`"account"`)},
		{"account-list", nobody, onAccounts, oneUnknown, replaceFirst("[]")},
		{"account-empty", nobody, onAccounts, oneUnknown, replaceFirst("{}")},
		{"id-missing", unnamed, onAccounts, oneUnknown, editFirst(func(o *object) { o.drop("id") })},
		{"id-null", unnamed, onAccounts, oneUnknown, setFirst("id", "null")},
		{"id-number", unnamed, onAccounts, oneUnknown, setFirst("id", "12345")},
		{"id-short", unnamed, onAccounts, oneUnknown, setFirst("id", `"d3e9"`)},
		{"id-upper", unnamed, onAccounts, oneUnknown, setFirst("id", `"D3E97F2CD33658F301BDBE807402AB30"`)},
		{"id-path", unnamed, onAccounts, oneUnknown, setFirst("id", `"../../../me"`)},
		{"squid-without-key", squids, onAccounts, oneKnown, setFirst("squids", `[{"name":"Nameless","uuid":"8d1f"}]`)},
		{"squid-text", squids, onAccounts, oneKnown, setFirst("squids", `["fcd3fff4053e444b8a98b3660bee8b03"]`)},
		{"squids-object", squids, onAccounts, oneKnown, setFirst("squids", `{"count":2}`)},
		{"squids-number", squids, onAccounts, oneKnown, setFirst("squids", `3`)},
		{"squid-key-id", "seen elsewhere for hash_value", onAccounts, fine, renameSquidKey("id")},
		{"squid-key-hash", "seen elsewhere for hash_value", onAccounts, fine, renameSquidKey("hash")},
		{"cookie-value", "a secret: withheld", onAccounts, secret, editEntries("cookies",
			func(entry *object) { entry.set("value", quote(SecretValue)) })},
		{"key-in-account", "the key is withheld", onAccounts, key, editEach(func(x *exchange, o *object) {
			o.set("debug", quote("sent with "+x.request.Header.Get("Authorization")))
		})},
		{"status-number", `200 and "200" are the same`, onAccounts, fine, editEach(numberStatus)},
		{"lock-iso", lock, onAccounts, fine, respellLock(LockISO)},
		{"lock-unix", lock, onAccounts, fine, respellLock(LockUnix)},
		{"only-id", "any field may be missing", onAccounts, fine.or("decode"), editEach(onlyID)},
		{"all-null", "any field may be null", onAccounts, fine.or("decode"), editEach(allNull)},
		{"millisecond-times", "the same instant is no change", onAccounts, fine, editEach(respellCreated)},
		{"extra-big_number", kept, onAccounts, fine, setEach("big_number", "123456789012345678901234567890.000000000000000000001")},
		{"extra-huge_exponent", kept, onAccounts, fine, setEach("huge_exponent", "1e999999")},
		{"extra-nul", kept, onAccounts, fine, setEach("nul", `"a\u0000b"`)},
		{"extra-escapes", kept, onAccounts, fine, setEach("escapes", `"\u001b[31mred\u001b[0m \u202e=HYPERLINK(\"x\") <script>"`)},
		{"extra-a/b~c", kept, onAccounts, fine, setEach("a/b~c", `{"":{"x y":[1,{"z":null}]}}`)},
	}
}
