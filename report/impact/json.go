package impact

import (
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// Impact is the answer of the command impact. Lists are never nil.
type Impact struct {
	Workspace string `json:"workspace"`
	Live      bool   `json:"live"`
	// Complete is false if the API did not tell everything: more may break. Problems say
	// what is not known.
	Complete bool          `json:"complete"`
	Problems []report.Text `json:"problems"`
	// Differences say where the store and the API do not agree.
	Differences []report.Text `json:"differences"`
	Breaks      bool          `json:"breaks"`   // at least one squid would break
	Breaking    int           `json:"breaking"` // how many would
	// NextLaunchAt is the first launch of a squid that would break.
	NextLaunchAt report.Time   `json:"next_launch_at"`
	Accounts     []Account     `json:"accounts"`     // those named
	Squids       []SquidImpact `json:"squids"`       // those that break first, then by next launch
	Replacements []Replacement `json:"replacements"` // those that serve the fewest squids first
	// IdleAccounts are those that no squid would use any more because theirs are stopped.
	IdleAccounts []Account `json:"idle_accounts"`
}

// Account is an account in question.
type Account struct {
	report.AccountRefJSON
	Type report.Text `json:"type"`
}

// Why says why a squid is in the answer.
type Why string

// The reasons. Of several the first one counts.
const (
	Stopped Why = "stopped"      // it was named itself
	Uses    Why = "uses_account" // it uses an account that was named
	Chained Why = "chain"        // a squid that breaks starts it
)

// SquidImpact is a squid that is concerned, and what becomes of it.
type SquidImpact struct {
	ID                string      `json:"id"`
	Name              report.Text `json:"name"`
	Why               Why         `json:"why"`
	Breaks            bool        `json:"breaks"`
	StartedBy         report.Text `json:"started_by"` // the id of the squid that breaks and starts it
	Active            *bool       `json:"is_active"`
	Schedule          report.Text `json:"schedule"`
	Timezone          report.Text `json:"timezone"`
	NextLaunchAt      report.Time `json:"next_launch_at"`
	LastRunStatus     report.Text `json:"last_run_status"`
	LastRunDoneReason report.Text `json:"last_run_done_reason"`
	AccountType       report.Text `json:"account_type"`  // that it needs; null: not known, or none
	NeedsAccount      *bool       `json:"needs_account"` // null: not known
	Uses              []string    `json:"uses"`          // the ids of the named accounts that it uses
	Others            []Other     `json:"others"`        // its other accounts
	WorkingNow        int         `json:"working_now"`   // of all its accounts
	WorkingAfter      int         `json:"working_after"` // without those that were named
}

// Other is another account of a squid.
type Other struct {
	Account
	Status report.Text `json:"status_code_info"` // as the API says; null: it does not
	Works  bool        `json:"works"`
}

// Replacement is a healthy account of a type that is needed.
type Replacement struct {
	Account
	Squids int `json:"squids"` // how many squids it serves already
}

func newAccount(id string, f store.Facts) Account {
	return Account{report.AccountRefJSON{ID: id, Username: report.Text(f.Username), Health: f.Health}, report.Text(f.Type)}
}
