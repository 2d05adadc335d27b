package lobstrtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// HTTPStatus answers with a status and an error body.
func HTTPStatus(status int, shape ErrorShape) Fault {
	return Fault{
		Name: fmt.Sprintf("http-%d-%s", status, shape), Expect: expectStatus(status),
		Note: "an error of the service, or of a proxy in front of it",
		apply: func(x *exchange) {
			x.reply.mangle, x.reply.send = nil, nil
			if status == http.StatusTooManyRequests {
				x.dropBudget()
			}
			x.fail(status, shape, "Something is wrong: "+http.StatusText(status)+".")
		},
	}
}

// dropBudget takes the X-RateLimit headers away: who refuses here stands in front
// of the service and knows nothing of its budget. (A refusal of the service itself
// is had by [Server.SetRateLimit].)
func (x *exchange) dropBudget() {
	for _, name := range []string{"Limit", "Remaining", "Reset"} {
		x.reply.header.Del("X-RateLimit-" + name)
	}
}

// expectStatus is what a list page of such a status means; on a detail call a
// 404 is an answer, see [NotFound].
func expectStatus(status int) Expect {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Expect{Failure: "auth", ListIncomplete: true, Stops: true}
	case status == http.StatusTooManyRequests:
		return Expect{Failure: "rate_limit", ListIncomplete: true, Retried: true}
	}
	return Expect{Failure: "http", ListIncomplete: true, Retried: status >= 500}
}

// NotFound answers detail calls with 404: the account is gone for this key (or,
// never seen, a failure not_found).
func NotFound() Fault {
	f := HTTPStatus(http.StatusNotFound, OlderShape)
	f.Name, f.On, f.Expect = "not-found", []Route{Detail}, Expect{Failure: "not_found"}
	f.Note = "the account is gone for this key; only one never seen is a failure"
	return f
}

// RetryAfter answers 429 with a Retry-After of this text; none when it is "".
func RetryAfter(value string) Fault {
	f := HTTPStatus(http.StatusTooManyRequests, FlatShape)
	f.Name, f.Note = "retry-after-"+value, "wait as told, then go on"
	refuse := f.apply
	f.apply = func(x *exchange) {
		refuse(x)
		if value != "" {
			x.reply.header.Set("Retry-After", value)
		}
	}
	return f
}

// RetryAfterDate answers 429 with an HTTP date that is so far ahead of the
// clock of the rate limit, which is the simulated one unless set.
func RetryAfterDate(ahead time.Duration) Fault {
	f := RetryAfter("")
	f.Name = "retry-after-date"
	refuse := f.apply
	f.apply = func(x *exchange) {
		refuse(x)
		x.reply.header.Set("Retry-After", secondUp(x.server.paceNow(x).Add(ahead)).UTC().Format(http.TimeFormat))
	}
	return f
}

func (s *Server) paceNow(x *exchange) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate.Now != nil {
		return s.rate.Now()
	}
	return x.record.At
}

// Remaining sends X-RateLimit headers that say how much is left of a budget of
// a hundred, and when it is reset.
func Remaining(left int, resets time.Duration) Fault {
	return Fault{
		Name: "remaining-" + strconv.Itoa(left), Expect: Expect{Failure: "none"},
		Note: "nothing more than is left is sent before the reset",
		apply: func(x *exchange) {
			x.reply.header.Set("X-RateLimit-Limit", "100")
			x.reply.header.Set("X-RateLimit-Remaining", strconv.Itoa(left))
			reset := secondUp(x.server.paceNow(x).Add(resets)).Unix()
			x.reply.header.Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
		},
	}
}

// RedirectElsewhere redirects to another origin, where no key may go.
func RedirectElsewhere() Fault {
	return Fault{
		Name: "redirect-elsewhere", Note: "refused: the key goes to the configured host only",
		Expect: Expect{Failure: "http", Also: []string{"network", "mismatch"}, ListIncomplete: true},
		apply: func(x *exchange) {
			x.redirect(x.server.Elsewhere().URL + strings.TrimPrefix(x.request.URL.RequestURI(), "/v1"))
		},
	}
}

// RedirectSame redirects to the same origin, once: the place it names answers.
func RedirectSame() Fault {
	return Fault{
		Name: "redirect-same", Note: "may be followed, key and all: it is the same origin",
		Expect: Expect{Failure: "none", Also: []string{"http"}},
		apply: func(x *exchange) {
			query := x.request.URL.Query()
			if query.Get("moved") == "" {
				query.Set("moved", "1")
				x.redirect(x.server.origin + x.request.URL.Path + "?" + query.Encode())
			}
		},
	}
}

// RedirectLoop redirects to where the request came from.
func RedirectLoop() Fault {
	return Fault{
		Name: "redirect-loop", Note: "given up after a bounded number of hops",
		Expect: Expect{Failure: "http", Also: []string{"network", "mismatch"}, ListIncomplete: true},
		apply:  func(x *exchange) { x.redirect(x.server.origin + x.request.URL.RequestURI()) },
	}
}

func (x *exchange) redirect(to string) {
	x.reply.status, x.reply.envelope, x.reply.body = http.StatusFound, nil, nil
	x.reply.header.Set("Location", to)
}

// EchoKey answers with an error whose body repeats the Authorization header.
func EchoKey(status int) Fault {
	f := HTTPStatus(status, CurrentShape)
	f.Name, f.Note = fmt.Sprintf("echo-key-%d", status), "the key must not be repeated in an error, a log or the store"
	f.Expect.EchoesToken = true
	f.apply = func(x *exchange) {
		x.fail(status, CurrentShape, "Cannot serve "+x.request.Header.Get("Authorization")+".")
	}
	return f
}

// NoDate takes the Date header away.
func NoDate() Fault {
	return Fault{
		Name: "no-date", Expect: Expect{Failure: "none"}, Note: "the client's own clock gives the instants",
		apply: func(x *exchange) { x.reply.header["Date"] = nil }, // which net/http takes for: send none
	}
}

// DateSkew sends a Date header that is wrong by this much.
func DateSkew(ahead time.Duration) Fault {
	return Fault{
		Name: "date-skew", Expect: Expect{Failure: "none"}, Note: "the client's own clock gives the instants",
		apply: func(x *exchange) { x.setDate(x.record.At.Add(ahead)) },
	}
}
