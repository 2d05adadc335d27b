package impact

import (
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Input is what is known of a workspace.
type Input struct {
	Workspace string
	Live      bool                 // the API was asked; else nothing is known of launches and chains
	Accounts  []store.AccountState // all that the store knows, gone ones included
	Named     []string             // the ids of the accounts in question, each once
	Stopped   []string             // the ids of squids that would be stopped, each once
	// Facts are what the API says of the named accounts now; of those that are missing it
	// said nothing.
	Facts    map[string]store.Facts
	Squids   []Squid  // all that are known, each once
	Problems []string // what the API did not tell, each a sentence without a full stop
}

// Squid is what is known of a squid.
type Squid struct {
	ID, Name                     string
	Deleted                      bool  // the API says that there is no such squid
	Active                       *bool // nil: not known
	Cron, Zone                   string
	NextLaunch                   time.Time // zero: none, or not known
	LastRunStatus, LastRunReason string
	// Needs is the type of account that the squid needs, "" if it needs none; nil: not
	// known.
	Needs    *string
	Accounts []Attached // as the API says; nil: not known
	Chain    []Link     // what it starts; nil: not known
}

// Attached is an account that a squid uses, as the API says.
type Attached struct {
	ID     string
	Status string // its status_code_info; "" when the API does not say
}

// Link is a squid that another one starts.
type Link struct {
	ID, Name string
	Active   bool
	Chain    []Link // what that one starts; nil: not known
}

func (s Squid) uses(account string) bool {
	return slices.ContainsFunc(s.Accounts, func(a Attached) bool { return a.ID == account })
}
