package alert

import (
	"encoding/json"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// detail is what a store keeps of an alert in [store.Alert].Detail.
type detail struct {
	Username     string       `json:"username,omitempty"`
	Type         string       `json:"type,omitempty"` // of the account
	HealthBefore store.Health `json:"health_before,omitempty"`
	HealthAfter  store.Health `json:"health_after,omitempty"`
	Info         string       `json:"info,omitempty"`
	Squids       []squidName  `json:"squids,omitempty"` // of the account, or the one it is about
	// Down are the accounts of a squid that did not work when the alert was last evaluated.
	Down []member `json:"down,omitempty"`
	// Causes are the alerts of accounts that explain one about a squid. Because are the
	// conditions of those that were told with it: who gets their messages does not get this.
	Causes  []cause           `json:"causes,omitempty"`
	Because []store.Condition `json:"because,omitempty"`
	Reason  string            `json:"reason,omitempty"` // of a run, in words
	// Unclear says that the account is unknown at the moment: its polls are not counted.
	Unclear bool `json:"unclear,omitempty"`
	// Named says that the run was about named accounts only.
	Named bool `json:"named,omitempty"`
	// Owed says that it fired while it was silenced, or no sink wanted it: it is told when
	// that has changed.
	Owed   bool       `json:"owed,omitempty"`
	ToldAt *time.Time `json:"told_at,omitempty"` // when a message was last made of it
}

type squidName struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type cause struct {
	Account   string          `json:"account"`
	Condition store.Condition `json:"condition"`
}

type member struct {
	Account string `json:"account"`
	Type    string `json:"type,omitempty"`
}

// tracked is an alert while it is evaluated.
type tracked struct {
	store.Alert
	detail
	was      store.Alert  // as it is stored; zero: it is new
	over     store.Window // when it ended
	nowAfter store.Health // the health that ended it
	// usedAfter is how much of a limit was used when that ended it, such as "profiles 5 of 120".
	usedAfter string
}

func (t *tracked) isNew() bool { return t.ID == 0 }

func (t *tracked) pending() bool { return t.FiredAt.IsZero() }

func (t *tracked) holds() bool { return t.EndedAt.IsZero() }

// track reads a stored alert. A detail that cannot be read is an empty one.
func track(a store.Alert) *tracked {
	t := &tracked{Alert: a, was: a}
	if json.Unmarshal(a.Detail, &t.detail) != nil {
		t.detail = detail{}
	}
	return t
}

// stored is the alert as it is to be stored.
func (t *tracked) stored() store.Alert {
	a := t.Alert
	a.Detail, _ = json.Marshal(t.detail) // strings and times always can be
	return a
}

// changed reports whether the alert has to be stored again.
func (t *tracked) changed() bool {
	now, was := t.stored(), t.was
	return now.Polls != was.Polls || !now.FiredAt.Equal(was.FiredAt) || now.Told != was.Told || now.Silenced != was.Silenced ||
		now.Reminders != was.Reminders || !now.EndedAt.Equal(was.EndedAt) || string(now.Detail) != string(was.Detail)
}
