package lobstrtest

import (
	"slices"
	"strings"
	"time"
)

// Squids are named by id or by the name they had first; a name not known yet
// makes a squid.

// Assign lets the squid use the account.
func Assign(squid, account string) Event {
	return Event{name: "Assign", account: account, detail: " " + squid, apply: func(m moment) {
		m.edit(account, func(v *version) { m.assign(v, squid) })
	}}
}

func (m moment) assign(v *version, ref string) {
	s := m.w.squid(ref)
	entries := v.squidsOf()
	if !slices.ContainsFunc(entries, func(e string) bool { return squidID(e) == s.id }) {
		v.fields.set("squids", list(append(entries, s.entry(m.at))))
	}
}

// Unassign lets the squid use the account no longer.
func Unassign(squid, account string) Event {
	return Event{name: "Unassign", account: account, detail: " " + squid, apply: func(m moment) {
		m.edit(account, func(v *version) { m.unassign(v, squid) })
	}}
}

func (m moment) unassign(v *version, ref string) {
	id := m.w.squid(ref).id
	if mentions(v.fields, id) {
		v.fields.set("squids", list(slices.DeleteFunc(v.squidsOf(), func(e string) bool { return squidID(e) == id })))
	}
}

// ReplaceAccounts is the write of the vendor's API: from now on the squid uses
// exactly these accounts. Two of them at about the same time drop one another's
// account.
func ReplaceAccounts(squid string, accounts ...string) Event {
	detail := " " + squid + " " + strings.Join(accounts, " ")
	return Event{name: "ReplaceAccounts", detail: detail, others: accounts, apply: func(m moment) {
		for _, h := range m.w.usersOf(m.w.squid(squid).id) {
			if !slices.Contains(accounts, h.id) {
				m.edit(h.id, func(v *version) { m.unassign(v, squid) })
			}
		}
		for _, account := range accounts {
			m.edit(account, func(v *version) { m.assign(v, squid) })
		}
	}}
}

// RenameSquid gives the squid another name, in every account that it uses.
func RenameSquid(squid, name string) Event {
	return Event{name: "RenameSquid", detail: " " + squid + " to " + name, apply: func(m moment) {
		s := m.w.squid(squid)
		s.rename(m.at, name)
		for _, h := range m.w.usersOf(s.id) {
			m.edit(h.id, func(v *version) { v.renameSquid(s.id, name) })
		}
	}}
}

func (v *version) renameSquid(id, name string) {
	entries := v.squidsOf()
	for i, raw := range entries {
		if entry, ok := parseObject(raw); ok && squidID(raw) == id {
			entry.set("name", quote(name))
			entries[i] = entry.String()
		}
	}
	v.fields.set("squids", list(entries))
}

// ShuffleSquids turns the order of the account's squids and cookies around,
// which means nothing.
func ShuffleSquids(account string) Event {
	return change("ShuffleSquids", account, "", func(_ time.Time, v *version) {
		for _, name := range []string{"squids", "cookies"} {
			raw, _ := v.fields.get(name)
			if entries, ok := parseList(raw); ok {
				slices.Reverse(entries)
				v.fields.set(name, list(entries))
			}
		}
	})
}
