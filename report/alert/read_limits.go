package alert

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// limitKey names a limit of an account.
type limitKey struct{ account, limit string }

// readLimits finds the limits that may have come near to their end, or away from it: those
// whose counter moved, and those whose setting changed. What was before is read only of
// accounts that may have one that newly is near its end.
func (r *reader) readLimits() error {
	n := r.in.Run
	if n == nil || Silent(n.Run) {
		return nil
	}
	rule := r.in.Rules.rule(store.LimitNearlyUsed)
	since, err := r.since()
	if err != nil || since.IsZero() || !rule.Enabled {
		return err
	}
	near := map[limitKey]bool{} // with an alert
	for _, a := range r.in.Alerts {
		if a.Condition == store.LimitNearlyUsed {
			near[limitKey{a.Account, a.Limit}] = true
		}
	}
	look := map[string]bool{}
	for _, c := range n.Settings {
		look[c.Account] = true
	}
	q := store.PeriodQuery{Workspace: r.in.Workspace, Since: since, Until: r.end, Moved: true}
	uses, err := store.Collect(r.s.Usage(r.ctx, q))
	if err != nil {
		return err
	}
	for _, use := range lastUses(uses) {
		switch share := share(use.Value, use.Max); {
		case share == nil || near[limitKey{use.Account, use.Limit}] == (*share >= rule.Share):
		case *share >= rule.Share:
			look[use.Account] = true
		case !look[use.Account]:
			n.Limits = append(n.Limits, LimitUse{Account: use.Account, Limit: use.Limit, Share: share, Text: useText(use.Value, use.Max), Window: n.window()})
		}
	}
	q.Moved = false
	if len(look) > manyAccounts {
		return r.readUses(q, look)
	}
	for _, account := range slices.Sorted(maps.Keys(look)) {
		q.Account = account
		if err := r.readUses(q, look); err != nil {
			return err
		}
	}
	return nil
}

// manyAccounts is from how many accounts on the limits of all are read at once, which is
// then faster.
const manyAccounts = 100

// lastUses are the last movements of each limit. Those of one stand together.
func lastUses(uses []store.Use) (last []store.Use) {
	for i, use := range uses {
		if i+1 == len(uses) || uses[i+1].Account != use.Account || uses[i+1].Limit != use.Limit {
			last = append(last, use)
		}
	}
	return last
}

// readUses reads how much of their limits accounts used, before the run and after it.
func (r *reader) readUses(q store.PeriodQuery, accounts map[string]bool) error {
	uses, err := store.Collect(r.s.Usage(r.ctx, q))
	if err != nil {
		return err
	}
	settings := r.oldSettings()
	first := map[limitKey]store.Use{}
	for _, use := range uses {
		if key := (limitKey{use.Account, use.Limit}); first[key].Limit == "" {
			first[key] = use
		}
	}
	for _, use := range lastUses(uses) {
		if !accounts[use.Account] {
			continue
		}
		limit := use.Max
		if use.EditedMax != nil {
			limit = use.EditedMax
		}
		found := LimitUse{
			Account: use.Account, Limit: use.Limit, Share: share(use.Value, limit), Text: useText(use.Value, limit), Window: r.in.Run.window(),
		}
		key := limitKey{use.Account, use.Limit}
		if before := first[key]; !before.SeenAt.After(q.Since) { // else it is its first sight
			if old, changed := settings[key]; changed {
				limit = old
			}
			found.Before = share(before.Value, limit)
		}
		r.in.Run.Limits = append(r.in.Run.Limits, found)
	}
	return nil
}

// oldSettings are the maxima that the runs found changed, as they were before.
func (r *reader) oldSettings() map[limitKey]json.RawMessage {
	old := map[limitKey]json.RawMessage{}
	for _, c := range r.in.Run.Settings {
		name, isMax := strings.CutSuffix(strings.TrimPrefix(c.Path, "/params/user/"), "/max")
		key := limitKey{c.Account, document.UnescapePointer(name)}
		if _, known := old[key]; isMax && !known {
			old[key] = c.Old
		}
	}
	return old
}

// useText is how much of a limit was used, for people.
func useText(value, limit json.RawMessage) string { return string(value) + " of " + string(limit) }

// share is value / limit; nil where one of them is no number or the limit is not above
// zero.
func share(value, limit json.RawMessage) *float64 {
	used, err := strconv.ParseFloat(strings.Trim(string(value), `"`), 64)
	of, also := strconv.ParseFloat(strings.Trim(string(limit), `"`), 64)
	if err != nil || also != nil || of <= 0 || math.IsNaN(used/of) {
		return nil
	}
	s := used / of
	return &s
}
