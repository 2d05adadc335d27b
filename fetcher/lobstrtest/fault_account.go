package lobstrtest

import (
	"encoding/json"
	"slices"
	"time"
)

// SecretValue is the secret that [CookieValue] sends.
const SecretValue = "s3cr3t-cookie-value-5f2d90"

// account is a fault of all accounts of an answer.
func account(name, note string, expect Expect, edit func(x *exchange, o *object)) Fault {
	return Fault{Name: name, Note: note, On: []Route{List, Detail}, Expect: expect, apply: func(x *exchange) {
		x.editRows(func(o *object) { edit(x, o) })
	}}
}

// first is a fault of the first account of an answer; the others are right.
func first(name, note string, expect Expect, edit func(o *object)) Fault {
	return Fault{Name: name, Note: note, On: []Route{List, Detail}, Expect: expect, apply: func(x *exchange) {
		x.editRow(0, edit)
	}}
}

// none is what is no fault at all to a right client.
func none() Expect { return Expect{Failure: "none"} }

// onePart is an entry that cannot be understood among others that can; whose
// it is, nobody can tell.
func onePart() Expect {
	return Expect{Failure: "decode", Also: []string{"mismatch"}, ListIncomplete: true, PartKept: true}
}

// EditAccounts changes every account object of lists and detail calls.
func EditAccounts(name string, edit func(account json.RawMessage) json.RawMessage) Fault {
	return Fault{Name: name, On: []Route{List, Detail}, Expect: none(), apply: func(x *exchange) {
		for i, row := range x.reply.rows {
			x.reply.rows[i] = edit(row)
		}
	}}
}

// FirstAccount sends raw in place of the first account.
func FirstAccount(name, raw string) Fault {
	return Fault{Name: name, Note: "no account", On: []Route{List, Detail}, Expect: onePart(), apply: func(x *exchange) {
		if len(x.reply.rows) > 0 {
			x.reply.rows[0] = []byte(raw)
		}
	}}
}

// IDMissing sends a first account without id.
func IDMissing() Fault {
	return first("id-missing", "an account that nobody can name", onePart(), func(o *object) { o.drop("id") })
}

// IDWrong sends a first account whose id is raw.
func IDWrong(name, raw string) Fault {
	return first(name, "an account that nobody can name", onePart(), func(o *object) { o.set("id", raw) })
}

// Mismatched answers a detail call with another account.
func Mismatched() Fault {
	f := first("mismatched", "the answer is about another account than asked", Expect{Failure: "mismatch"},
		func(o *object) { o.set("id", quote(ID("somebody else"))) })
	f.On = []Route{Detail}
	return f
}

// StatusAsNumber sends status as a number.
func StatusAsNumber() Fault {
	return account("status-number", `200 and "200" are the same`, none(), func(_ *exchange, o *object) {
		raw, _ := o.get("status")
		if text, ok := unquote(raw); ok && isNumber(text) {
			o.set("status", text)
		}
	})
}

// LockTimeAs sends lock_time in another spelling, where it is sent and not null.
func LockTimeAs(form LockForm) Fault {
	name := map[LockForm]string{LockUnix: "lock-unix", LockISO: "lock-iso", LockMillis: "lock-millis",
		LockDate: "lock-date", LockGarbage: "lock-garbage"}[form]
	return account(name, "a lock in any spelling is one; what is no time is a failure", none(), func(_ *exchange, o *object) {
		if t, ok := lockTime(*o); ok {
			o.set("lock_time", form.spell(t))
		}
	})
}

// SquidKey sends the key of squids under another name: "id" or "hash".
func SquidKey(key string) Fault {
	return account("squid-key-"+key, "seen elsewhere for hash_value", none(), func(_ *exchange, o *object) {
		editEntries(o, "squids", func(entry *object) {
			if i := entry.index("hash_value"); i >= 0 {
				(*entry)[i].name = key
			}
		})
	})
}

func editEntries(o *object, name string, edit func(entry *object)) {
	raw, _ := o.get(name)
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
	o.set(name, list(entries))
}

// SquidsUnknown sends raw as the squids of the first account.
func SquidsUnknown(name, raw string) Fault {
	return first(name, "an unknown shape is an error, never \"no squids\"",
		Expect{Failure: "decode", PartKept: true}, func(o *object) { o.set("squids", raw) })
}

// CookieValue sends cookies with values.
func CookieValue() Fault {
	expect := none()
	expect.Secret = SecretValue
	return account("cookie-value", "a secret: withheld", expect, func(_ *exchange, o *object) {
		editEntries(o, "cookies", func(entry *object) { entry.set("value", quote(SecretValue)) })
	})
}

// KeyInAccount sends the Authorization header in a field of every account.
func KeyInAccount() Fault {
	expect := none()
	expect.EchoesToken = true
	return account("key-in-account", "the key is withheld", expect, func(x *exchange, o *object) {
		o.set("debug", quote("sent with "+x.request.Header.Get("Authorization")))
	})
}

// ExtraField sends another field of every account.
func ExtraField(name, raw string) Fault {
	return account("extra-"+name, "unknown fields are kept as they are", none(), func(_ *exchange, o *object) {
		o.set(name, raw)
	})
}

// OnlyID sends accounts that are nothing but an id.
func OnlyID() Fault {
	expect := none()
	expect.Also = []string{"decode"}
	return account("only-id", "any field may be missing", expect, func(_ *exchange, o *object) {
		*o = slices.DeleteFunc(*o, func(f field) bool { return f.name != "id" })
	})
}

// AllNull sends accounts whose every field but id is null.
func AllNull() Fault {
	expect := none()
	expect.Also = []string{"decode"}
	return account("all-null", "any field may be null", expect, func(_ *exchange, o *object) {
		for i := range *o {
			if (*o)[i].name != "id" {
				(*o)[i].raw = "null"
			}
		}
	})
}

// MillisecondTimes sends created_at in another spelling of the same instant.
func MillisecondTimes() Fault {
	return account("millisecond-times", "the same instant is no change", none(), func(_ *exchange, o *object) {
		raw, _ := o.get("created_at")
		if t, ok := parseInstant(raw); ok {
			o.set("created_at", quote(t.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.000-07:00")))
		}
	})
}
