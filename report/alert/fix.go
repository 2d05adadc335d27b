package alert

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// nameCauses adds to the item of a squid what is known of the accounts that it lost and
// that are still lost: the account, if it is one, and a command that repairs one of them.
func (e *evaluation) nameCauses(item *Item, t *tracked) {
	for _, c := range t.Causes {
		facts := e.Accounts[c.Account].Facts
		assigned := slices.ContainsFunc(facts.Squids, func(s store.Squid) bool { return s.ID == t.Squid })
		if assigned && !isDown(facts.Health) {
			continue // it is back
		}
		if len(t.Causes) == 1 {
			item.Account, item.Username, item.Type, item.Info = c.Account, facts.Username, facts.Type, facts.Info
		}
		item.Fix = cmp.Or(item.Fix, fix(c.Condition, facts.Type, c.Account, t.Squid))
	}
}

// fix is the vendor's command that repairs what a condition is about; "" if there is none.
func fix(condition store.Condition, accountType, account, squid string) string {
	switch condition {
	case store.AccountExpired, store.AccountFailing:
		return report.ResyncCommand(accountType, account)
	case store.AssignmentLost:
		if strings.ContainsFunc(squid, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') }) {
			return "" // no id that a shell takes as a word
		}
		return "lobstr squid update " + squid + " --account " + account
	}
	return ""
}
