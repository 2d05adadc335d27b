package lobstrtest

import (
	"bytes"
	"net/http"
	"strings"
)

// unreadable is an answer of status 200 that nobody can understand.
func unreadable() Expect {
	return Expect{Failure: "decode", ListIncomplete: true, Retried: true}
}

// Body answers with just this.
func Body(name string, status int, contentType, body string) Fault {
	f := Fault{Name: name, Note: "bytes that cannot be understood", Expect: unreadable()}
	if status != http.StatusOK {
		f.Expect = expectStatus(status)
	}
	f.apply = func(x *exchange) {
		x.reply.status, x.reply.envelope, x.reply.body = status, nil, []byte(body)
		x.reply.header.Set("Content-Type", contentType)
	}
	return f
}

// HTML answers with a page, as a proxy or a captive portal does.
func HTML(status int) Fault {
	if status != http.StatusOK {
		return HTTPStatus(status, HTMLShape)
	}
	f := Body("html-200", status, "text/html", "<!DOCTYPE html><title>Welcome</title><p>Please log in.")
	f.Note = "a portal answered, not the API"
	return f
}

// Empty answers with a status and no body.
func Empty(status int) Fault {
	if status != http.StatusOK {
		return HTTPStatus(status, EmptyShape)
	}
	return Body("empty-200", status, "application/json", "")
}

// Mangle changes the bytes of the right answer.
func Mangle(name string, mangle func([]byte) []byte) Fault {
	return Fault{Name: name, Note: "bytes that cannot be understood", Expect: unreadable(),
		apply: func(x *exchange) { x.reply.mangle = append(x.reply.mangle, mangle) }}
}

// TrailingBytes sends something after the end of the envelope.
func TrailingBytes(trail string) Fault {
	return Mangle("trailing-bytes", func(b []byte) []byte { return append(bytes.Clone(b), trail...) })
}

// ByteOrderMark begins the answer with one, which JSON does not allow.
func ByteOrderMark() Fault {
	f := Mangle("byte-order-mark", func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) })
	f.Expect.Also = []string{"none"}
	return f
}

// textual is a fault that puts text into the first account, as a member of its
// own or in place of an existing one.
func textual(name, note, member, raw string) Fault {
	f := Fault{Name: name, Note: note, On: []Route{List, Detail}, Expect: unreadable()}
	f.apply = func(x *exchange) {
		x.editRow(0, func(o *object) { o.set(member, raw) })
	}
	return f
}

// InvalidUTF8 sends a username that is not UTF-8.
func InvalidUTF8() Fault {
	return textual("invalid-utf8", "to replace the bad bytes would record a lie", "username", "\"caf\xe9\"")
}

// LoneSurrogate sends a username with half a character.
func LoneSurrogate() Fault {
	f := textual("lone-surrogate", "to replace the half character would record a lie", "username", `"half \ud83d"`)
	f.Expect.Also = []string{"none"} // the account's bytes can be kept as they are
	return f
}

// DeepNesting sends a field of so many nested arrays.
func DeepNesting(depth int) Fault {
	return textual("deep-nesting", "refused, without a crash", "extra",
		strings.Repeat("[", depth)+strings.Repeat("]", depth))
}

// NaN sends a number that JSON does not have.
func NaN() Fault {
	return textual("nan", "not JSON", "extra", "NaN")
}

// DuplicateKey sends a member of the first account twice.
func DuplicateKey() Fault {
	f := textual("duplicate-key", "nobody can say which one counts", "", "")
	f.apply = func(x *exchange) {
		x.editRow(0, func(o *object) { *o = append(*o, field{"status", `"401"`}) })
	}
	return f
}

// DuplicateData sends the envelope's data twice.
func DuplicateData() Fault {
	f := Fault{Name: "duplicate-data", Note: "nobody can say which one counts", On: []Route{List, Detail},
		Expect: unreadable()}
	f.apply = func(x *exchange) {
		if x.reply.envelope != nil {
			x.reply.envelope = append(x.reply.envelope, field{"data", "[]"})
		}
	}
	return f
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

// editRows edits all accounts of the answer.
func (x *exchange) editRows(edit func(o *object)) {
	for i := range x.reply.rows {
		x.editRow(i, edit)
	}
}
