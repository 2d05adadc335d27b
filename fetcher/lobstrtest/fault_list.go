package lobstrtest

import (
	"bytes"
	"net/http"
)

func cut(also ...string) Expect {
	return Expect{Failure: "none", Also: also, ListIncomplete: true, PartKept: true}
}

// onList is a fault of a list's envelope and entries.
func onList(name, note string, expect Expect, apply func(x *exchange)) Fault {
	return Fault{Name: name, Note: note, On: []Route{List}, Expect: expect, apply: func(x *exchange) {
		if x.reply.envelope != nil {
			apply(x)
		}
	}}
}

// Warning cuts the list after half of its first page, as on a free plan, and
// says so; total_results still counts all.
func Warning() Fault {
	return onList("warning", "the plan cuts the list: it concludes nothing", cut(), func(x *exchange) {
		keep := (len(x.reply.rows) + 1) / 2
		if x.record.Page > 1 {
			keep = 0
		}
		x.reply.rows = x.reply.rows[:keep]
		x.reply.envelope.set("next", "null")
		x.reply.envelope.set("warning", quote("Your plan shows a part of your accounts. Upgrade to see all."))
	})
}

// DuplicateAccount shows an account twice: the last one of a page again at the
// head of the next, as when an account is created meanwhile; on a list of one
// page, its first in the place of its last. The list needs two accounts.
func DuplicateAccount() Fault {
	return onList("duplicate-account", "the list drifted", cut("mismatch"), func(x *exchange) {
		rows := x.reply.rows
		next, _ := x.reply.envelope.get("next")
		if x.record.Page == 1 && next == "null" && len(rows) > 1 {
			rows[len(rows)-1] = rows[0]
		}
		if x.record.Page > 1 && len(rows) > 0 {
			_, before := x.world.page(x.record.At, x.record.Page-1, x.limit, accountFilter{})
			x.reply.rows = append([][]byte{before[len(before)-1]}, rows[:len(rows)-1]...)
		}
	})
}

// MissingAccount leaves the last account of each page out, but counts it.
func MissingAccount() Fault {
	return onList("missing-account", "the counts do not add up", cut("mismatch"), func(x *exchange) {
		x.reply.rows = x.reply.rows[:max(0, len(x.reply.rows)-1)]
	})
}

// TotalMoves counts one account more on each page.
func TotalMoves() Fault {
	f := onList("total-moves", "the list drifted", cut("mismatch"), func(x *exchange) {
		total, _ := integer(x.reply.envelope, "total_results")
		x.reply.envelope.set("total_results", number(total+x.record.Page-1))
	})
	f.Pages = 2
	return f
}

// TotalTooHigh counts more accounts than are shown.
func TotalTooHigh() Fault {
	return onList("total-too-high", "the counts do not add up", cut("mismatch"), func(x *exchange) {
		total, _ := integer(x.reply.envelope, "total_results")
		x.reply.envelope.set("total_results", number(total+3))
	})
}

// EmptyPage shows nobody on a page that has accounts.
func EmptyPage() Fault {
	return onList("empty-page", "the counts do not add up", cut("mismatch"), func(x *exchange) { x.reply.rows = nil })
}

// WrongPage echoes another page than asked.
func WrongPage() Fault {
	return onList("wrong-page", "the answer is about another page than asked",
		Expect{Failure: "mismatch", Also: []string{"decode"}, ListIncomplete: true}, func(x *exchange) {
			x.reply.envelope.set("page", number(x.record.Page+6))
		})
}

// NextElsewhere names a next page at another origin, where no key may go.
func NextElsewhere() Fault {
	expect := Expect{Failure: "none", Also: []string{"mismatch", "network", "http"}, PartKept: true}
	return onList("next-elsewhere", "refused, or unused by a client that counts pages itself", expect, func(x *exchange) {
		if raw, _ := x.reply.envelope.get("next"); raw != "null" {
			x.reply.envelope.set("next", quote(x.server.Elsewhere().URL+"/accounts?page="+number(x.record.Page+1)))
		}
	})
}

// NextLoop names the same page as the next one, for ever.
func NextLoop() Fault {
	expect := Expect{Failure: "none", Also: []string{"mismatch"}, PartKept: true}
	return onList("next-loop", "the walk ends all the same", expect, func(x *exchange) {
		x.reply.envelope.set("next", quote(x.server.origin+x.request.URL.RequestURI()))
	})
}

// EndlessList has always another page, which shows the first one's accounts.
func EndlessList() Fault {
	return onList("endless-list", "the walk ends all the same", cut("mismatch"), func(x *exchange) {
		_, x.reply.rows = x.world.page(x.record.At, 1, x.limit, accountFilter{})
		next := x.record.Page + 1
		x.reply.envelope.set("total_results", number(next*x.limit))
		x.reply.envelope.set("total_pages", number(next))
		x.reply.envelope.set("next", quote(x.server.origin+"/v1/accounts?page="+number(next)))
	})
}

// Envelope sets a member of the envelope of any call that has one; "" as raw
// leaves it out. Setting data replaces all entries.
func Envelope(name, member, raw string) Fault {
	return Fault{Name: name, Note: "an envelope that cannot be understood", Expect: unreadable(), apply: func(x *exchange) {
		switch {
		case x.reply.envelope == nil:
		case raw == "":
			x.reply.envelope.drop(member)
		default:
			x.reply.envelope.set(member, raw)
			if member == "data" && raw == "[]" {
				x.reply.rows = nil
			}
		}
	}}
}

// BareObject answers a detail call with the account alone.
func BareObject() Fault {
	return onDetail("bare-object", "some deployments do", none(), func(x *exchange) {
		x.reply.mangle = append(x.reply.mangle, func([]byte) []byte { return bytes.Join(x.reply.rows, nil) })
	})
}

// DataObject answers a detail call with an envelope whose data is the account,
// not a list.
func DataObject() Fault {
	return onDetail("data-object", "as good as a list of one", none(), func(x *exchange) {
		x.reply.envelope.set("data", string(x.reply.rows[0]))
	})
}

// TwoAccounts answers a detail call with another account as well.
func TwoAccounts() Fault {
	return onDetail("two-accounts", "the answer is about more than asked",
		Expect{Failure: "mismatch", Also: []string{"decode", "none"}}, func(x *exchange) {
			other, _ := parseObject(string(x.reply.rows[0]))
			other.set("id", quote(ID("somebody else")))
			x.reply.rows = append(x.reply.rows, other.append(nil))
		})
}

// NoAccount answers a detail call with an empty list.
func NoAccount() Fault {
	return onDetail("no-account", "no 404: nobody said that it is gone",
		Expect{Failure: "mismatch", Also: []string{"decode"}}, func(x *exchange) { x.reply.rows = nil })
}

func onDetail(name, note string, expect Expect, apply func(x *exchange)) Fault {
	return Fault{Name: name, Note: note, On: []Route{Detail}, Expect: expect, apply: func(x *exchange) {
		if x.reply.status == http.StatusOK && len(x.reply.rows) == 1 {
			apply(x)
		}
	}}
}
