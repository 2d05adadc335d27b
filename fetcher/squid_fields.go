package fetcher

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// fields reads the members of a squid, each in all of its known shapes. It notes those
// in an unknown shape: what cannot be read must not count as "none".
type fields struct {
	key    *secret
	unread []string
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// cannotRead notes a field in an unknown shape.
func (f *fields) cannotRead(name string) {
	if !slices.Contains(f.unread, name) {
		f.unread = append(f.unread, name)
	}
}

// text reads a string, as one short clean line.
func (f *fields) text(name string, raw json.RawMessage) string {
	var text string
	if isNull(raw) {
		return ""
	}
	if json.Unmarshal(raw, &text) != nil {
		f.cannotRead(name)
		return ""
	}
	return f.key.clean(text)
}

// id reads the first value that is an id; "" if none is.
func (f *fields) id(values ...json.RawMessage) string {
	for _, raw := range values {
		var id string
		if json.Unmarshal(raw, &id) == nil && squidID.MatchString(id) && !f.key.in([]byte(id)) {
			return id
		}
	}
	return ""
}

func (f *fields) flag(name string, raw json.RawMessage) *bool {
	var flag bool
	if isNull(raw) {
		return nil
	}
	if json.Unmarshal(raw, &flag) != nil {
		f.cannotRead(name)
		return nil
	}
	return &flag
}

func (f *fields) instant(name string, raw json.RawMessage) time.Time {
	if isNull(raw) || string(raw) == `""` {
		return time.Time{}
	}
	t, ok := store.ParseInstant(raw)
	if !ok {
		f.cannotRead(name)
	}
	return t
}

// schedule reads a cron expression: a text, an object with the expression and its time
// zone, or members of the squid itself.
func (f *fields) schedule(d squidDocument) (cron, zone string) {
	var nested struct {
		Expression json.RawMessage `json:"expression"`
		Cron       json.RawMessage `json:"cron_expression"`
		Zone       json.RawMessage `json:"timezone"`
	}
	if !isNull(d.Schedule) && d.Schedule[0] == '{' && json.Unmarshal(d.Schedule, &nested) == nil {
		if cron = f.text("schedule", nested.Expression); cron == "" {
			cron = f.text("schedule", nested.Cron)
		}
		return cron, f.text("timezone", nested.Zone)
	}
	if cron = f.text("schedule", d.Schedule); cron == "" {
		cron = f.text("cron_expression", d.Cron)
	}
	return cron, f.text("timezone", d.Zone)
}

// crawler reads the id of a crawler: a text, or an object that has it.
func (f *fields) crawler(raw json.RawMessage) string {
	var nested struct {
		ID   json.RawMessage `json:"id"`
		Hash json.RawMessage `json:"hash_value"`
	}
	if isNull(raw) {
		return ""
	}
	if id := f.id(raw); id != "" {
		return id
	}
	if json.Unmarshal(raw, &nested) == nil {
		if id := f.id(nested.ID, nested.Hash); id != "" {
			return id
		}
	}
	f.cannotRead("crawler")
	return ""
}

// accounts reads a list of ids, or of objects with an id and a status. One entry that
// cannot be read makes all unknown.
func (f *fields) accounts(raw json.RawMessage) []SquidAccount {
	if len(raw) == 0 {
		return nil
	}
	var entries []json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		f.cannotRead("accounts")
		return nil
	}
	all := make([]SquidAccount, 0, len(entries)) // null: none is attached
	for _, entry := range entries {
		account, ok := f.account(entry)
		if !ok {
			f.cannotRead("accounts")
			return nil
		}
		if !slices.ContainsFunc(all, func(a SquidAccount) bool { return a.ID == account.ID }) {
			all = append(all, account)
		}
	}
	return all
}

func (f *fields) account(raw json.RawMessage) (SquidAccount, bool) {
	if id := f.id(raw); store.IsAccountID(id) {
		return SquidAccount{ID: id}, true
	}
	var nested struct {
		ID     json.RawMessage `json:"id"`
		Hash   json.RawMessage `json:"hash_value"`
		Short  json.RawMessage `json:"hash"`
		Status json.RawMessage `json:"status"`
	}
	if json.Unmarshal(raw, &nested) != nil {
		return SquidAccount{}, false
	}
	id := f.id(nested.ID, nested.Hash, nested.Short)
	if !store.IsAccountID(id) {
		return SquidAccount{}, false
	}
	var status string
	if json.Unmarshal(nested.Status, &status) == nil {
		status = f.key.clean(status)
	}
	return SquidAccount{ID: id, Status: status}, true
}

// chain reads a link, or a list of links, of which each names the squid that it starts,
// and perhaps what that one starts.
func (f *fields) chain(raw json.RawMessage, depth int) []ChainLink {
	if len(raw) == 0 {
		return nil
	}
	entries := []json.RawMessage{raw}
	switch {
	case isNull(raw):
		return []ChainLink{}
	case raw[0] == '[' && json.Unmarshal(raw, &entries) != nil:
		f.cannotRead("chain")
		return nil
	}
	links := make([]ChainLink, 0, len(entries))
	for _, entry := range entries {
		link, ok := f.link(entry, depth)
		if !ok {
			f.cannotRead("chain")
			return nil
		}
		links = append(links, link)
	}
	return links
}

func (f *fields) link(raw json.RawMessage, depth int) (ChainLink, bool) {
	var d struct {
		Target json.RawMessage `json:"target_cluster"`
		Active json.RawMessage `json:"is_active"`
		Chain  json.RawMessage `json:"chain"`
	}
	if depth > maxChainDepth || json.Unmarshal(raw, &d) != nil || isNull(d.Target) {
		return ChainLink{}, false
	}
	var target struct {
		ID    json.RawMessage `json:"id"`
		Hash  json.RawMessage `json:"hash_value"`
		Name  json.RawMessage `json:"name"`
		Chain json.RawMessage `json:"chain"`
	}
	link := ChainLink{ID: f.id(d.Target), Active: true}
	if link.ID == "" && json.Unmarshal(d.Target, &target) == nil {
		link.ID, link.Name = f.id(target.ID, target.Hash), f.text("chain", target.Name)
	}
	if active := f.flag("chain", d.Active); active != nil {
		link.Active = *active
	}
	if len(d.Chain) == 0 {
		d.Chain = target.Chain
	}
	link.Chain = f.chain(d.Chain, depth+1)
	return link, link.ID != ""
}
