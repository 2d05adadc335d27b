package sqlite_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// knownOf is what had been told of an account by a moment: each field as it was told last
// since the account appeared or returned. doc is nil of one that is gone.
type knownOf struct {
	doc      map[string]json.RawMessage
	fields   map[string]json.RawMessage
	received int64 // of the last look
	resets   int64 // when resets_in was told last
	outdated bool  // the status: another status_code_info was told since, without a status
}

func (m *moments) known(at time.Time) map[string]*knownOf {
	all := map[string]*knownOf{}
	for _, l := range m.play.looks {
		if l.received > at.UnixMilli() {
			continue
		}
		k := all[l.account]
		if k == nil || k.doc == nil {
			k = &knownOf{fields: map[string]json.RawMessage{}}
			all[l.account] = k
		}
		info, had := k.fields["status_code_info"]
		k.outdated = l.doc["status"] == nil && (k.outdated || had && string(info) != string(l.doc["status_code_info"]))
		k.doc, k.received = l.doc, l.received
		maps.Copy(k.fields, l.doc)
		if l.doc["resets_in"] != nil {
			k.resets = l.received
		}
	}
	return all
}

func (k *knownOf) text(field string) string {
	if k == nil || k.doc == nil {
		return ""
	}
	if field == "status" && k.outdated {
		return ""
	}
	text := strings.Trim(string(k.fields[field]), `"`)
	return strings.Replace(text, "null", "", 1)
}

// health is written down anew from the words of the design.
func (k *knownOf) health() store.Health {
	switch status, info := k.text("status"), k.text("status_code_info"); {
	case k.doc == nil:
		return store.Gone
	case status == "401" || status == "429" || info == "cookies_expired":
		return store.Expired
	case status == "" && info == "synchronized":
		return store.Healthy
	case status == "" || len(status) == 3 && status[0] == '1':
		return store.Unknown
	case status != "200":
		return store.Failing
	case k.locked():
		return store.Locked
	}
	return store.Healthy
}

// locked reports whether lock_time or resets_in says so. A lock_time ends what an earlier
// response said in resets_in, since it is more exact.
func (k *knownOf) locked() bool {
	var seconds, left int64
	lock := k.text("lock_time")
	until, err := time.Parse(time.RFC3339, lock)
	if fmt.Sscan(lock, &seconds); err != nil {
		until = time.Unix(seconds, 0)
	}
	fmt.Sscan(k.text("resets_in"), &left)
	counting := (lock == "" || k.resets == k.received) && k.resets+left*1000 > k.received
	return counting || lock != "" && until.UnixMilli() > k.received
}

// squids are the names by id that the account's own document had last.
func (k *knownOf) squids() map[string]string {
	if k == nil || k.doc == nil {
		return map[string]string{}
	}
	squids, _ := store.ParseSquids(k.fields["squids"])
	names := map[string]string{}
	for _, s := range squids {
		names[s.ID] = s.Name
	}
	return names
}

// wholeFields are fields of which differences can be told apart by their values.
var wholeFields = []string{"username", "status", "status_code_info", "status_code_description", "primary_color"}

// differences are those between what was known of an account at two moments.
func differences(a, b *knownOf) (lines []string) {
	switch {
	case a == nil && b.doc == nil:
		return []string{"gone gone"}
	case a == nil:
		return []string{fmt.Sprintf("appeared %s", b.health())}
	case a.doc == nil && b.doc == nil:
		return nil
	case a.doc == nil:
		return []string{fmt.Sprintf("returned %s", b.health())}
	case b.doc == nil:
		return []string{"gone gone"}
	}
	for _, field := range wholeFields {
		x, y := a.fields[field], b.fields[field]
		if x == nil || y == nil || plain(x) == plain(y) {
			continue
		}
		health := ""
		if strings.HasPrefix(field, "status") {
			health = string(b.health())
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", field, plain(x), plain(y), health))
	}
	old, new := a.squids(), b.squids()
	for id, name := range old {
		switch now, still := new[id]; {
		case !still:
			lines = append(lines, fmt.Sprintf("squid_unassigned %s %q ", id, name))
		case now != name:
			lines = append(lines, fmt.Sprintf("squid_renamed %s %q %q", id, name, now))
		}
	}
	for id, name := range new {
		if _, had := old[id]; !had {
			lines = append(lines, fmt.Sprintf("squid_assigned %s  %q", id, name))
		}
	}
	slices.Sort(lines)
	return lines
}
