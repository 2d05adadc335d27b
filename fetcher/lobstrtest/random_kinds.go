package lobstrtest

import (
	"fmt"
	"sync"
	"time"
)

// randomKinds are the events of random scripts; some come up more often.
var randomKinds = []struct {
	name string
	make func(s *randomScript) Event
}{
	{"expire", func(s *randomScript) Event { return Expire(s.some()) }},
	{"fail", randomFail},
	{"resync", func(s *randomScript) Event { return Resync(s.some()) }},
	{"lock", func(s *randomScript) Event {
		until := s.at.Add(time.Minute + time.Duration(s.Int64N(int64(12*time.Hour))))
		return Lock(s.some(), until, s.opts.LockForm)
	}},
	{"unlock", func(s *randomScript) Event { return Unlock(s.some()) }},
	{"assign", func(s *randomScript) Event { return Assign(pick(s, s.squids), s.some()) }},
	{"unassign", func(s *randomScript) Event { return Unassign(pick(s, s.squids), s.some()) }},
	{"replace", func(s *randomScript) Event { return ReplaceAccounts(pick(s, s.squids), s.some(), s.some()) }},
	{"rename_squid", func(s *randomScript) Event {
		return RenameSquid(pick(s, s.squids), fmt.Sprintf("%s [%d]", pick(s, squidNouns), s.IntN(1000)))
	}},
	{"shuffle", func(s *randomScript) Event { return ShuffleSquids(s.some()) }},
	{"limit", func(s *randomScript) Event {
		return SetLimit(s.some(), pick(s, []string{"profiles", "searches", "messages", "batch", "comments"}), 10*s.IntN(50))
	}},
	{"work", func(s *randomScript) Event {
		return Work(s.some(), pick(s, []string{"profiles", "searches", "messages", "batch"}), 1+s.IntN(20))
	}},
	{"username", func(s *randomScript) Event { return RenameAccount(s.some(), s.name()) }},
	{"cookies", func(s *randomScript) Event {
		return SetCookies(s.some(), "session", fmt.Sprintf("c%d", s.IntN(5)))
	}},
	{"icon", func(s *randomScript) Event { return SetIcon(s.some(), someIcons()[s.IntN(4)]) }},
	{"touch", func(s *randomScript) Event { return Touch(s.some()) }},
	{"field", randomField},
	{"drop", func(s *randomScript) Event {
		return DropField(s.some(), pick(s, []string{"proxy_country", "score", "tags"}))
	}},
	{"create", randomCreate},
	{"delete", func(s *randomScript) Event { return Delete(s.some()) }},
	{"restore", func(s *randomScript) Event { return Restore(s.some()) }},
	{"status_form", func(s *randomScript) Event { return SetStatusForm(s.some(), StatusForm(s.IntN(2))) }},
}

// someIcons are made once; drawing them takes longer than all the rest.
var someIcons = sync.OnceValue(func() []string {
	return []string{NewIcon(1), NewIcon(2), NewIcon(3), NewIcon(4)}
})

func randomFail(s *randomScript) Event {
	failures := []struct {
		status int
		info   string
	}{
		{403, "account_blocked"}, {429, "account_too_many_requests"}, {400, "wrong_credentials"},
		{401, "logged_out"}, {403, "checkpoint_reached"}, {403, "challenge_required"}, {402, "non_premium"},
		{402, "sales_seat_required"}, {500, "limit_exceeded"}, {200, "cookies_expired"}, {418, "something_new"},
	}
	f := pick(s, failures)
	return Fail(s.some(), f.status, f.info, fmt.Sprintf("The platform says: %s.", f.info))
}

// randomField sets a field that no document knows, to a value of one type.
func randomField(s *randomScript) Event {
	switch s.IntN(4) {
	case 0:
		return SetField(s.some(), "proxy_country", []byte(quote(pick(s, []string{"DE", "FR", "US", "JP"}))))
	case 1:
		return SetField(s.some(), "score", []byte(number(s.IntN(9))))
	case 2:
		return SetField(s.some(), "primary_color", []byte(pick(s, []string{`"#112233"`, `"#FF9900"`, `null`})))
	}
	return SetField(s.some(), "proxy", fmt.Appendf(nil, `{"pool":"p%d","sticky":true}`, s.IntN(3)))
}

func randomCreate(s *randomScript) Event {
	a := s.account()
	s.accounts = append(s.accounts, a.ID)
	return Create(a)
}
