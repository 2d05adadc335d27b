package impact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// MaxChain is how many squids of a chain are followed.
const MaxChain = 10

// working is the status_code_info of an account that works.
const working = "synchronized"

// Of says what would break.
func Of(in Input) Impact {
	w := &work{
		Input: in, accounts: map[string]store.Facts{}, squids: map[string]Squid{}, users: map[string][]string{}, doubtful: map[string]bool{},
		out: Impact{Workspace: in.Workspace, Live: in.Live, Problems: []report.Text{}, Differences: []report.Text{}},
	}
	for _, problem := range in.Problems {
		w.problem(problem)
	}
	w.index()
	for _, squid := range in.Squids {
		w.concerns(squid)
	}
	w.followChains()
	w.finish()
	return w.out
}

// work is what Of works with.
type work struct {
	Input
	accounts map[string]store.Facts // of the store
	squids   map[string]Squid
	users    map[string][]string // by squid: the accounts that the store says it uses
	doubtful map[string]bool     // accounts that do not work, whatever the store says
	rows     []*SquidImpact
	out      Impact
}

func (w *work) index() {
	for _, a := range w.Input.Accounts {
		w.accounts[a.ID] = a.Facts
		if a.Facts.Health == store.Gone {
			continue
		}
		for _, s := range a.Facts.Squids {
			w.users[s.ID] = append(w.users[s.ID], a.ID)
		}
	}
	for _, s := range w.Input.Squids {
		w.squids[s.ID] = s
	}
	for _, id := range w.Named {
		w.compareAccount(id)
	}
}

func (w *work) differ(format string, args ...any) {
	w.out.Differences = append(w.out.Differences, report.Text(fmt.Sprintf(format, args...)))
}

// compareAccount notes where the store and the API disagree about a named account.
func (w *work) compareAccount(id string) {
	now, known := w.Facts[id]
	if was := w.accounts[id]; known && now.Health != was.Health && !(works(now.Health) && works(was.Health)) {
		w.differ("%s: the store says %s, the API says %s", w.account(id), was.Health, now.Health)
	}
}

// account and squid name things in sentences.
func (w *work) account(id string) string { return cmp.Or(w.accounts[id].Username, report.ShortID(id)) }

func (w *work) squid(s Squid) string { return cmp.Or(s.Name, report.ShortID(s.ID)) }

func works(h store.Health) bool { return h == store.Healthy || h == store.Locked }

// concerns adds a row if the squid is stopped, or uses an account that was named.
func (w *work) concerns(s Squid) {
	var uses []string
	for _, id := range w.Named {
		if w.uses(s, id) {
			uses = append(uses, id)
		}
	}
	stopped := slices.Contains(w.Stopped, s.ID)
	if !stopped && len(uses) == 0 {
		return
	}
	row := w.row(s, Uses)
	row.Uses = append(row.Uses, uses...)
	w.judge(s, row)
	if stopped {
		row.Why, row.Breaks = Stopped, !s.Deleted
	}
}

// uses reports whether a squid uses an account: if the account's own document or that of
// the squid says so. The store counts where the API said nothing.
func (w *work) uses(s Squid, account string) bool {
	stored := slices.Contains(w.users[s.ID], account)
	now, told := w.Facts[account]
	byAccount := slices.ContainsFunc(now.Squids, func(of store.Squid) bool { return of.ID == s.ID })
	bySquid := s.uses(account)
	uses := byAccount || bySquid
	switch {
	case s.Deleted:
		if stored {
			w.differ("%s: the store says that it uses %s, the API says that there is no such squid", w.squid(s), w.account(account))
		}
		return false
	case !told && s.Accounts == nil:
		return stored
	case told && s.Accounts != nil && byAccount != bySquid:
		w.differ("%s and %s: the API says of only one of them that it uses the other", w.account(account), w.squid(s))
	case stored && !uses:
		w.differ("%s: the store says that it uses %s, the API says that it does not", w.squid(s), w.account(account))
	case !stored && uses:
		w.differ("%s: the API says that it uses %s, the store does not know it yet", w.squid(s), w.account(account))
	}
	return uses
}

func (w *work) row(s Squid, why Why) *SquidImpact {
	row := &SquidImpact{
		ID: s.ID, Name: report.Text(s.Name), Why: why, Active: s.Active, Schedule: report.Text(s.Cron), Timezone: report.Text(s.Zone),
		NextLaunchAt: report.Time{Time: s.NextLaunch}, LastRunStatus: report.Text(s.LastRunStatus),
		LastRunDoneReason: report.Text(s.LastRunReason), Uses: []string{}, Others: []Other{},
	}
	if s.Needs != nil {
		row.AccountType, row.NeedsAccount = report.Text(*s.Needs), new(*s.Needs != "")
	}
	w.rows = append(w.rows, row)
	return row
}

// judge fills in the other accounts of a squid, and whether it breaks.
func (w *work) judge(s Squid, row *SquidImpact) {
	attached := s.Accounts
	if attached == nil {
		for _, id := range w.users[s.ID] {
			attached = append(attached, Attached{ID: id})
		}
	}
	for _, a := range attached {
		if slices.Contains(w.Named, a.ID) {
			if facts := w.now(a.ID); works(facts.Health) {
				row.WorkingNow++
			}
			continue
		}
		other := w.other(s, row.Uses, a)
		if row.Others = append(row.Others, other); other.Works {
			row.WorkingNow++
			row.WorkingAfter++
		}
	}
	slices.SortFunc(row.Others, func(a, b Other) int {
		return cmp.Or(cmp.Compare(a.Username, b.Username), cmp.Compare(a.ID, b.ID))
	})
	row.Breaks = len(row.Uses) > 0 && row.WorkingAfter == 0 && (s.Needs == nil || *s.Needs != "")
}

// now is the latest word on a named account.
func (w *work) now(id string) store.Facts {
	if facts, known := w.Facts[id]; known {
		return facts
	}
	return w.accounts[id]
}

// other is another account of a squid. It works if the store says so, the API does not
// contradict that, and it is of the right type.
func (w *work) other(s Squid, named []string, a Attached) Other {
	facts, known := w.accounts[a.ID]
	if !known {
		facts.Health = store.Unknown
		w.differ("%s: the API says that it uses account %s, which the store does not know", w.squid(s), a.ID)
	}
	o := Other{Account: newAccount(a.ID, facts), Status: report.Text(a.Status)}
	o.Works = known && works(facts.Health) || !known && a.Status == working
	if known && a.Status != "" && a.Status != facts.Info && works(facts.Health) != (a.Status == working) {
		w.differ("%s: the store says %s, the API says %s", w.account(a.ID), facts.Health, a.Status)
		o.Works, w.doubtful[a.ID] = false, true
	}
	o.Works = o.Works && (facts.Type == "" || w.fits(s, named, facts.Type))
	return o
}

// fits reports whether a squid can use accounts of the type. If it is not known which type it
// needs, that is the type of the accounts that were named.
func (w *work) fits(s Squid, named []string, accountType string) bool {
	if s.Needs != nil {
		return *s.Needs == accountType || *s.Needs == ""
	}
	return len(named) == 0 || slices.ContainsFunc(named, func(id string) bool { return w.accounts[id].Type == accountType })
}
