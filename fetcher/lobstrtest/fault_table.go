package lobstrtest

import (
	"net/http"
	"slices"
	"time"
)

// HangBound is the longest that a fault of [AllFaults] hangs.
const HangBound = 20 * time.Second

// hugeBytes is how much the floods of AllFaults send.
const hugeBytes = 256 << 20

// AllFaults returns one fault of each sort, each with what a right client must
// record when it befalls every request that it is meant for. The faults that
// take real time: hang and hang-within (up to [HangBound], or the client's own
// timeout), drip (about 50 ms), huge-body and gzip-bomb (256 MiB, or the
// client's limit).
func AllFaults() []Fault {
	return slices.Concat(statusFaults(), rateFaults(), transportFaults(), bodyFaults(), envelopeFaults(),
		listFaults(), detailFaults(), accountFaults())
}

func statusFaults() []Fault {
	faults := []Fault{
		on(HTTPStatus(http.StatusNotFound, OlderShape), List), NotFound(),
		HTTPStatus(http.StatusBadRequest, CurrentShape), HTTPStatus(http.StatusTeapot, FlatShape),
		EchoKey(http.StatusInternalServerError), EchoKey(http.StatusUnauthorized), EchoKey(http.StatusBadRequest),
		RedirectElsewhere(), RedirectSame(), RedirectLoop(),
		DateSkew(-26 * time.Hour), NoDate(),
	}
	for _, status := range []int{401, 403, 500, 502, 503, 504} {
		for shape := CurrentShape; shape <= EmptyShape; shape++ {
			faults = append(faults, HTTPStatus(status, shape))
		}
	}
	return faults
}

func on(f Fault, routes ...Route) Fault {
	f.On = routes
	return f
}

func rateFaults() []Fault {
	huge := RetryAfter("86400")
	huge.Note, huge.Expect.Stops, huge.Expect.Retried = "longer than anyone waits: the job stops, incomplete", true, false
	farDate := RetryAfterDate(24 * time.Hour)
	farDate.Name, farDate.Note = "retry-after-far-date", huge.Note
	farDate.Expect = huge.Expect
	endless := RetryAfter("99999999999999999999999")
	endless.Expect.Also = []string{"http"}
	missing := RetryAfter("")
	missing.Name, missing.Note = "retry-after-missing", "wait by one's own back-off"
	garbage, negative := RetryAfter("soon"), RetryAfter("-5")
	garbage.Note, negative.Note, endless.Note = missing.Note, missing.Note, "not believed, or the job stops"
	past := RetryAfterDate(-time.Hour)
	past.Name, past.Note = "retry-after-past-date", "wait by one's own back-off, or not at all"
	faults := []Fault{
		RetryAfter("1"), RetryAfter("0"), RetryAfterDate(time.Second), huge, farDate, endless, missing, garbage,
		negative, past,
	}
	for shape := CurrentShape; shape <= EmptyShape; shape++ {
		faults = append(faults, HTTPStatus(http.StatusTooManyRequests, shape))
	}
	return faults
}

func transportFaults() []Fault {
	return []Fault{
		Truncated(), ResetBefore(), ResetWithin(), Hang(HangBound), HangWithin(HangBound),
		Drip(10, 5*time.Millisecond), Gzip(), GzipBomb(hugeBytes), HugeBody(hugeBytes),
	}
}

func bodyFaults() []Fault {
	return []Fault{
		HTML(http.StatusOK), Empty(http.StatusOK),
		noContent(),
		Body("garbage", http.StatusOK, "application/json", `{"total_results": 1, "data": [{"id": `+"\x00\x01"),
		Body("not-an-object", http.StatusOK, "application/json", `["total_results"]`),
		Body("json-null", http.StatusOK, "application/json", `null`),
		Body("json-text", http.StatusOK, "application/json", `"ok"`),
		Body("error-in-200", http.StatusOK, "application/json",
			`{"errors":{"message":"Internal error.","type":"ServerError","code":500}}`),
		Mangle("half-json", func(b []byte) []byte { return b[:len(b)/2] }),
		TrailingBytes(`{"data":[]}`), ByteOrderMark(),
		InvalidUTF8(), LoneSurrogate(), DeepNesting(100_000), NaN(), DuplicateKey(), DuplicateData(),
	}
}

func noContent() Fault {
	f := Body("no-content", http.StatusNoContent, "application/json", "")
	f.Expect = unreadable()
	f.Expect.Also = []string{"http"}
	return f
}

func envelopeFaults() []Fault {
	faults := []Fault{
		Envelope("data-text", "data", `"none"`), Envelope("data-number", "data", `7`),
		Envelope("data-null", "data", `null`), Envelope("data-missing", "data", ""),
	}
	for i := range faults {
		faults[i].On = []Route{List, Detail}
		faults[i].Expect.Also = []string{"mismatch"}
	}
	object := on(Envelope("list-data-object", "data", `{"id":"`+ID("one")+`"}`), List)
	object.Expect.Also = []string{"mismatch"}
	faults = append(faults, object)
	for _, f := range []Fault{
		Envelope("total-text", "total_results", `"many"`), Envelope("total-negative", "total_results", `-1`),
		Envelope("total-missing", "total_results", ""), Envelope("page-text", "page", `"one"`),
		Envelope("limit-zero", "limit", `0`),
	} {
		f.On, f.Expect.Also = []Route{List}, []string{"mismatch", "none"}
		f.Note = "a list whose size nobody knows is not whole"
		f.Expect.ListIncomplete = f.Name == "total-text" || f.Name == "total-negative" || f.Name == "total-missing"
		faults = append(faults, f)
	}
	return faults
}

func listFaults() []Fault {
	return []Fault{
		Warning(), DuplicateAccount(), MissingAccount(), TotalMoves(), TotalTooHigh(), EmptyPage(), WrongPage(),
		NextElsewhere(), NextLoop(), EndlessList(),
	}
}

func detailFaults() []Fault {
	return []Fault{BareObject(), DataObject(), TwoAccounts(), NoAccount(), Mismatched()}
}

func accountFaults() []Fault {
	return []Fault{
		FirstAccount("account-number", "42"), FirstAccount("account-null", "null"),
		FirstAccount("account-text", `"account"`), FirstAccount("account-list", "[]"), FirstAccount("account-empty", "{}"),
		IDMissing(), IDWrong("id-null", "null"), IDWrong("id-number", "12345"), IDWrong("id-short", `"d3e9"`),
		IDWrong("id-upper", `"D3E97F2CD33658F301BDBE807402AB30"`), IDWrong("id-path", `"../../../me"`),
		SquidsUnknown("squid-without-key", `[{"name":"Nameless","uuid":"8d1f"}]`),
		SquidsUnknown("squid-text", `["fcd3fff4053e444b8a98b3660bee8b03"]`),
		SquidsUnknown("squids-object", `{"count":2}`), SquidsUnknown("squids-number", `3`),
		SquidKey("id"), SquidKey("hash"), CookieValue(), KeyInAccount(), StatusAsNumber(),
		LockTimeAs(LockISO), LockTimeAs(LockUnix), OnlyID(), AllNull(), MillisecondTimes(),
		ExtraField("big_number", "123456789012345678901234567890.000000000000000000001"),
		ExtraField("huge_exponent", "1e999999"), ExtraField("nul", `"a\u0000b"`),
		ExtraField("escapes", `"\u001b[31mred\u001b[0m \u202e=HYPERLINK(\"x\") <script>"`),
		ExtraField("a/b~c", `{"":{"x y":[1,{"z":null}]}}`),
	}
}
