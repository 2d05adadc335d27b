package lobstrtest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
)

// ExpiredCookie is the value of a cookie that the platform does not accept: a
// synchronisation with such a cookie ends with 401.
const ExpiredCookie = "expired"

// syncRequest is the body of POST /accounts/cookies.
type syncRequest struct {
	Account string // to refresh; "": a new account
	Type    string
	Cookies map[string]any // values are texts; the vendor's tool sends "1" as a number
}

// syncTask is a synchronisation under way. It moves on each time that somebody
// asks for it: 120, then 200 or 401.
type syncTask struct {
	id, account string
	done        Event // happens when it ends well
	refused     bool  // by the platform
	asked       int
}

// sync begins a synchronisation. The values of cookies are not kept.
func (x *exchange) sync(string) {
	var body syncRequest
	if err := json.NewDecoder(io.LimitReader(x.request.Body, 1<<20)).Decode(&body); err != nil {
		x.fail(http.StatusBadRequest, olderShape, "JSON parse error.")
		return
	}
	task, status, message := x.world.beginSync(body)
	if status != http.StatusOK {
		x.fail(status, olderShape, message)
		return
	}
	x.object(object{{"id", quote(task)}, {"object", `"synchronize-cookies"`}, {"status_code", "100"},
		{"status_text", `"created"`}}.append(nil), true)
}

// beginSync returns the id of the task, or a status other than 200 with a message.
func (w *World) beginSync(r syncRequest) (task string, status int, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.types, func(t *AccountType) bool { return t.Type == r.Type })
	if i < 0 || slices.ContainsFunc(w.types[i].Cookies, func(name string) bool { return r.Cookies[name] == nil || r.Cookies[name] == "" }) {
		return "", http.StatusBadRequest, "Invalid account type or missing required cookies."
	}
	t := &syncTask{id: ID("sync/" + number(len(w.syncs))), account: r.Account}
	for _, value := range r.Cookies {
		t.refused = t.refused || value == ExpiredCookie
	}
	if r.Account == "" {
		fresh := Account{Username: "synced-" + t.id[:8], Type: w.types[i]}.filled(time.Time{}, time.Time{})
		t.account, t.done = fresh.ID, Create(fresh)
	} else {
		fields := w.fieldsAt(r.Account, w.clock.Now())
		if fields == nil {
			return "", http.StatusNotFound, "Account not found."
		}
		if typeName, _ := fields.get("type"); typeName != quote(r.Type) {
			return "", http.StatusBadRequest, "Invalid cookies or account type mismatch."
		}
		t.done = Resync(r.Account)
	}
	w.syncs[t.id] = t
	return t.id, http.StatusOK, ""
}

// syncStatus tells how far a synchronisation is.
func (x *exchange) syncStatus(id string) {
	status, text, account := x.world.moveSync(id)
	if status == http.StatusNotFound {
		x.notFound("Synchronization task not found.")
		return
	}
	x.object(object{{"id", quote(id)}, {"object", `"synchronize-cookies"`}, {"status_code", number(status)},
		{"status_text", quote(text)}, {"account_hash", quote(account)}}.append(nil), true)
}

// moveSync moves a task on and returns its state. When it ends well, the account
// is synchronised a moment after the request.
func (w *World) moveSync(id string) (status int, text, account string) {
	w.mu.Lock()
	t := w.syncs[id]
	if t == nil {
		w.mu.Unlock()
		return http.StatusNotFound, "", ""
	}
	t.asked++
	asked := t.asked
	w.mu.Unlock()
	switch {
	case asked == 1:
		return 120, "synchronizing", t.account
	case t.refused:
		return http.StatusUnauthorized, "cookies_expired", t.account
	case asked == 2:
		w.Apply(t.done)
	}
	return http.StatusOK, "synchronized", t.account
}
