package main

import (
	"context"
	"math"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// names are those of the accounts and squids of a workspace, as people read them.
type names struct{ accounts, squids report.Names }

// readNames reads which names are shared. Programs get names as they are.
func (a *app) readNames(ctx context.Context, s store.Store) (n names, err error) {
	if format := render.Format(a.format); !format.ForPeople() && !format.Pictures() {
		return n, nil
	}
	accounts, err := s.AccountNames(ctx, a.workspace, "", math.MaxInt)
	if err != nil {
		return n, err
	}
	squids, err := s.SquidNames(ctx, a.workspace, "", math.MaxInt)
	if err != nil {
		return n, err
	}
	kind := func(id string) (kind string) {
		for account, failed := range s.Accounts(ctx, store.AccountQuery{Workspace: a.workspace, Account: id}) {
			if kind = account.Facts.Type; failed != nil {
				err = failed
			}
		}
		return kind
	}
	n.accounts, n.squids = report.NewNames(accounts, kind), report.NewNames(squids, nil)
	return n, err
}

// assignment is an assignment with names that tell apart.
func (n names) assignment(use store.Assignment) store.Assignment {
	use.Username = n.accounts.Of(use.Username, use.Account)
	use.SquidName = n.squids.Of(use.SquidName, use.Squid)
	return use
}
