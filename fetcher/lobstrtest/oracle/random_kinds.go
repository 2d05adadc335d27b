package oracle

import (
	"fmt"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// randomKinds are the events of random scripts; some come up more often.
var randomKinds = []struct {
	name string
	make func(s *randomScript) lobstrtest.Event
}{
	{"expire", func(s *randomScript) lobstrtest.Event { return lobstrtest.Expire(s.some()) }},
	{"fail", randomFail},
	{"resync", func(s *randomScript) lobstrtest.Event { return lobstrtest.Resync(s.some()) }},
	{"lock", func(s *randomScript) lobstrtest.Event {
		until := s.at.Add(time.Minute + time.Duration(s.Int64N(int64(12*time.Hour))))
		return lobstrtest.Lock(s.some(), until, s.opts.LockForm)
	}},
	{"unlock", func(s *randomScript) lobstrtest.Event { return lobstrtest.Unlock(s.some()) }},
	{"assign", func(s *randomScript) lobstrtest.Event { return lobstrtest.Assign(pick(s, s.squids), s.some()) }},
	{"unassign", func(s *randomScript) lobstrtest.Event { return lobstrtest.Unassign(pick(s, s.squids), s.some()) }},
	{"replace", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.ReplaceAccounts(pick(s, s.squids), s.some(), s.some())
	}},
	{"rename_squid", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.RenameSquid(pick(s, s.squids), fmt.Sprintf("%s [%d]", pick(s, squidNouns), s.IntN(1000)))
	}},
	{"shuffle", func(s *randomScript) lobstrtest.Event { return lobstrtest.ShuffleSquids(s.some()) }},
	{"limit", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.SetLimit(s.some(), pick(s, []string{"profiles", "searches", "messages", "batch", "comments"}), 10*s.IntN(50))
	}},
	{"work", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.Work(s.some(), pick(s, []string{"profiles", "searches", "messages", "batch"}), 1+s.IntN(20))
	}},
	{"username", func(s *randomScript) lobstrtest.Event { return lobstrtest.RenameAccount(s.some(), s.name()) }},
	{"cookies", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.SetCookies(s.some(), "session", fmt.Sprintf("c%d", s.IntN(5)))
	}},
	{"icon", func(s *randomScript) lobstrtest.Event { return lobstrtest.SetIcon(s.some(), someIcons()[s.IntN(4)]) }},
	{"touch", func(s *randomScript) lobstrtest.Event { return lobstrtest.Touch(s.some()) }},
	{"field", randomField},
	{"drop", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.DropField(s.some(), pick(s, []string{"proxy_country", "score", "tags"}))
	}},
	{"create", randomCreate},
	{"delete", func(s *randomScript) lobstrtest.Event { return lobstrtest.Delete(s.some()) }},
	{"restore", func(s *randomScript) lobstrtest.Event { return lobstrtest.Restore(s.some()) }},
	{"status_form", func(s *randomScript) lobstrtest.Event {
		return lobstrtest.SetStatusForm(s.some(), lobstrtest.StatusForm(s.IntN(2)))
	}},
}

// someIcons are made once; drawing them takes longer than all the rest.
var someIcons = sync.OnceValue(func() []string {
	return []string{lobstrtest.NewIcon(1), lobstrtest.NewIcon(2), lobstrtest.NewIcon(3), lobstrtest.NewIcon(4)}
})

func randomFail(s *randomScript) lobstrtest.Event {
	failures := []struct {
		status int
		info   string
	}{
		{403, "account_blocked"}, {429, "account_too_many_requests"}, {400, "wrong_credentials"},
		{401, "logged_out"}, {403, "checkpoint_reached"}, {403, "challenge_required"}, {402, "non_premium"},
		{402, "sales_seat_required"}, {500, "limit_exceeded"}, {200, "cookies_expired"}, {418, "something_new"},
	}
	f := pick(s, failures)
	return lobstrtest.Fail(s.some(), f.status, f.info, fmt.Sprintf("The platform says: %s.", f.info))
}

// randomField sets a field that no document knows, to a value of one type.
func randomField(s *randomScript) lobstrtest.Event {
	switch s.IntN(4) {
	case 0:
		return lobstrtest.SetField(s.some(), "proxy_country", fmt.Appendf(nil, "%q", pick(s, []string{"DE", "FR", "US", "JP"})))
	case 1:
		return lobstrtest.SetField(s.some(), "score", fmt.Append(nil, s.IntN(9)))
	case 2:
		return lobstrtest.SetField(s.some(), "primary_color", []byte(pick(s, []string{`"#112233"`, `"#FF9900"`, `null`})))
	}
	return lobstrtest.SetField(s.some(), "proxy", fmt.Appendf(nil, `{"pool":"p%d","sticky":true}`, s.IntN(3)))
}

func randomCreate(s *randomScript) lobstrtest.Event {
	a := s.account()
	s.accounts = append(s.accounts, a.ID)
	return lobstrtest.Create(a)
}
