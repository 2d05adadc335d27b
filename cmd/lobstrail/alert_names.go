package main

import (
	"context"
	"math"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// subjects are the names of what alerts and silences are about.
type subjects struct {
	accounts map[string]store.Facts // by id
	squids   map[string]string      // by id
	names    names
}

// readSubjects reads the names of all accounts and squids of the workspace.
func (a *app) readSubjects(ctx context.Context, s store.Store) (n subjects, err error) {
	n = subjects{accounts: map[string]store.Facts{}, squids: map[string]string{}}
	if n.names, err = a.readNames(ctx, s); err != nil {
		return n, err
	}
	for account, err := range s.Accounts(ctx, store.AccountQuery{Workspace: a.workspace}) {
		if err != nil {
			return n, err
		}
		n.accounts[account.ID] = store.Facts{Username: account.Facts.Username, Type: account.Facts.Type}
	}
	squids, err := s.SquidNames(ctx, a.workspace, "", math.MaxInt)
	for _, squid := range squids {
		n.squids[squid.ID] = squid.Name
	}
	return n, err
}

// nameAlert adds the names to an alert.
func (n subjects) nameAlert(j *report.AlertJSON) {
	account := n.accounts[string(j.Account)]
	j.Username, j.Type = report.Text(account.Username), report.Text(account.Type)
	j.SquidName = report.Text(n.squids[string(j.Squid)])
}

// nameSilence adds the names to a silence.
func (n subjects) nameSilence(j *report.SilenceJSON) {
	j.Username = report.Text(n.accounts[string(j.Account)].Username)
	j.SquidName = report.Text(n.squids[string(j.Squid)])
}

// account and squid are what people call them.
func (n subjects) account(id string) string {
	return nameOf(n.names.accounts.Of(n.accounts[id].Username, id), id)
}

func (n subjects) squid(id string) string { return nameOf(n.names.squids.Of(n.squids[id], id), id) }

// what says in words what an alert is about; "" for the whole workspace.
func (n subjects) what(j report.AlertJSON) (text string) {
	switch {
	case j.Account != "":
		text = n.account(string(j.Account))
		if j.Squid != "" {
			text += ", squid " + n.squid(string(j.Squid))
		}
	case j.Squid != "":
		text = "squid " + n.squid(string(j.Squid))
	}
	if j.Limit != "" {
		text += ": " + string(j.Limit)
	}
	return text
}
