package oracle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
)

func TestEachEventHasItsTruths(t *testing.T) {
	leads, id := lobstrtest.ID("squid/Leads"), ada
	old, fresh := oracle.IconDigest(lobstrtest.NewIcon(1)), oracle.IconDigest(lobstrtest.NewIcon(2))
	for _, test := range []struct {
		name  string
		event lobstrtest.Event
		want  string // kind path old new; ...
	}{
		{"expire", lobstrtest.Expire(id), `status /status "200" "401"; ` +
			`status /status_code_description "Success!" "Cookies have expired."; status /status_code_info "synchronized" "cookies_expired"`},
		{"resync", lobstrtest.Resync(id), `synced /last_synchronization_time "2026-01-04T06:00:00Z" "2026-01-05T07:00:00Z"`},
		{"a dead lock", lobstrtest.Lock(id, start, lobstrtest.LockUnix), ``},
		{"a lock", lobstrtest.Lock(id, start.Add(9*time.Hour), lobstrtest.LockUnix), `locked /lock_time null 1767625200`},
		{"unlock", lobstrtest.Unlock(id), ``},
		{"assign", lobstrtest.Assign("Other", id), `squid_assigned /squids/` + lobstrtest.ID("squid/Other") + `  "Other"`},
		{"assign again", lobstrtest.Assign("Leads", id), ``},
		{"unassign", lobstrtest.Unassign("Leads", id), `squid_unassigned /squids/` + leads + ` "Leads" `},
		{"replace", lobstrtest.ReplaceAccounts("Leads"), `squid_unassigned /squids/` + leads + ` "Leads" `},
		{"rename a squid", lobstrtest.RenameSquid(leads, "L2"), `squid_renamed /squids/` + leads + ` "Leads" "L2"`},
		{"shuffle", lobstrtest.ShuffleSquids(id), ``},
		{"limit", lobstrtest.SetLimit(id, "profiles", 9), `limit /params/user/profiles/max 500 9`},
		{"new limit", lobstrtest.SetLimit(id, "likes", 9), `limit /params/user/likes/default  9; ` +
			`limit /params/user/likes/max  9; limit /params/user/likes/start_time  null`},
		{"work", lobstrtest.Work(id, "profiles", 9), ``},
		{"batch work", lobstrtest.Work(id, "batch", 9), ``},
		{"load", lobstrtest.SetLoad(id, 1), ``},
		{"username", lobstrtest.RenameAccount(id, "ada2"), `username /username "ada" "ada2"`},
		{"cookies", lobstrtest.SetCookies(id, "a"), `cookies /cookies [{"name":"auth_token","required":true},` +
			`{"name":"ct0","required":true}] [{"name":"a","required":true}]`},
		{"same cookies", lobstrtest.SetCookies(id, "ct0", "auth_token"), ``},
		{"cookies with values", lobstrtest.SetField(id, "cookies", []byte(`[{"required":true,"name":"ct0"},`+
			`{"name":"auth_token","required":true,"value":"secret"}]`)), ``},
		{"icon", lobstrtest.SetIcon(id, lobstrtest.NewIcon(2)), fmt.Sprintf(`icon /icon %q %q`, old, fresh)},
		{"touch", lobstrtest.Touch(id), `field /updated_at null "2026-01-05T07:00:00Z"`},
		{"a number in another spelling", lobstrtest.SetField(id, "score", []byte(`1.50e1`)), ``},
		{"an instant in another spelling", lobstrtest.SetField(id, "created_at", []byte(`"2025-10-07T08:00:00.0+02:00"`)), ``},
		{"a text in another spelling", lobstrtest.SetField(id, "username", []byte(`"\u0061da"`)), ``},
		{"field", lobstrtest.SetField(id, "score", []byte(`16`)), `field /score 15 16`},
		{"deep field", lobstrtest.SetField(id, "proxy", []byte(`{"a/b":{"c":2},"d":1}`)), `field /proxy/a~1b/c 1 2`},
		{"new field", lobstrtest.SetField(id, "x", []byte(`{}`)), `schema /x  {}`},
		{"dropped field", lobstrtest.DropField(id, "score"), `schema /score 15 `},
		{"dropped squids", lobstrtest.DropField(id, "squids"), `schema /squids [{"name":"Leads","hash_value":"` + leads + `"}] `},
		{"another type", lobstrtest.SetField(id, "score", []byte(`"15"`)), `schema /score 15 "15"`},
		{"null is no type", lobstrtest.SetField(id, "score", []byte(`null`)), `field /score 15 null`},
		{"status form", lobstrtest.SetStatusForm(id, lobstrtest.StatusNumber), `schema /status "200" 200`},
		{"an earlier sync", lobstrtest.SetField(id, "last_synchronization_time", []byte(`"2020-01-01T00:00:00Z"`)),
			`field /last_synchronization_time "2026-01-04T06:00:00Z" "2020-01-01T00:00:00Z"`},
		{"delete", lobstrtest.Delete(id), `gone   `},
		{"restore", lobstrtest.Restore(id), ``},
		{"create again", lobstrtest.Create(lobstrtest.Account{ID: id}), ``},
		{"create", lobstrtest.Create(lobstrtest.Account{Username: "bruno"}), `appeared   `},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := lines(truthsOf(test.event)); got != test.want {
				t.Errorf("%s\nwant\n%s", got, test.want)
			}
		})
	}
}

var ada = lobstrtest.ID("ada")

// truthsOf are what an event makes true in a world of one account.
func truthsOf(event lobstrtest.Event) []oracle.Truth {
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	w.Add(lobstrtest.Account{ID: ada, Username: "ada", Squids: []string{"Leads"}})
	before, at := start.Add(time.Minute), start.Add(time.Hour)
	w.At(before, lobstrtest.SetIcon(ada, lobstrtest.NewIcon(1)), lobstrtest.SetField(ada, "score", []byte("15")),
		lobstrtest.SetField(ada, "proxy", []byte(`{"d":1.0,"a/b":{"c":1}}`)))
	w.At(at, event)
	return oracle.Between(w, "", before, at)
}

func lines(truths []oracle.Truth) string {
	var all []string
	for _, t := range truths {
		all = append(all, fmt.Sprintf("%s %s %s %s", t.Kind, t.Path, t.Old, t.New))
	}
	return strings.Join(all, "; ")
}

func kinds(truths []oracle.Truth) (all []string) {
	for _, t := range truths {
		all = append(all, t.Kind)
	}
	return all
}

func TestLocksAreMovedEndedAndOutlived(t *testing.T) {
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	id := w.Add(lobstrtest.Account{Username: "ada"})
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	w.At(hour(1), lobstrtest.Lock(id, hour(3), lobstrtest.LockUnix)).
		At(hour(2), lobstrtest.Lock(id, hour(5), lobstrtest.LockUnix)).
		At(hour(4), lobstrtest.Lock(id, hour(3), lobstrtest.LockUnix)). // ends it: that time is over
		At(hour(6), lobstrtest.Unlock(id)).                             // of nothing
		At(hour(7), lobstrtest.Lock(id, hour(8), lobstrtest.LockUnix)).
		At(hour(8), lobstrtest.Lock(id, hour(9), lobstrtest.LockUnix)). // a new one: the old is over first
		At(hour(10), lobstrtest.Lock(id, hour(12), lobstrtest.LockUnix), lobstrtest.Delete(id)).
		At(hour(13), lobstrtest.Restore(id))
	want := []string{"locked", "field", "unlocked", "locked", "unlocked", "locked", "unlocked", "locked", "gone", "returned"}
	if got := kinds(oracle.Between(w, id, start, end)); !slices.Equal(got, want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
	if got := kinds(oracle.Net(w, id, hour(0), hour(4))); got != nil {
		t.Errorf("a lock that was over before the second look: %v", got)
	}
	if got := kinds(oracle.Net(w, id, hour(2), hour(8))); !slices.Equal(got, []string{"field"}) {
		t.Errorf("another lock at the second look: %v", got)
	}
	if got := w.HealthAt(id, hour(11)); got != "gone" {
		t.Errorf("deleted: %s", got)
	}
}

func TestALockTimeThatIsNoLongerSentIsAMatterOfSchema(t *testing.T) {
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	id := w.Add(lobstrtest.Account{Username: "ada"})
	w.At(start.Add(time.Hour), lobstrtest.Lock(id, start.Add(3*time.Hour), lobstrtest.LockUnix)).
		At(start.Add(2*time.Hour), lobstrtest.DropField(id, "lock_time"))
	if got := kinds(oracle.Between(w, id, start, end)); !slices.Equal(got, []string{"locked", "schema"}) {
		t.Errorf("%v", got)
	}
}
