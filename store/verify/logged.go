package verify

import (
	"crypto/sha256"
	"fmt"

	"github.com/lobstrail/lobstrail/store/fold"
)

func (c *check) compareRuns(*fold.Workspace) error {
	next := int64(1)
	for row, err := range c.rows.Runs {
		if err != nil {
			return err
		}
		want, named := c.log.runs[row.Run]
		delete(c.log.runs, row.Run)
		switch {
		case !named || row.Run != next:
			c.find("run", row.Run, "no entry names it, or it is out of sequence")
		case want != sha256.Sum256([]byte(row.Text)):
			c.find("run", row.Run, "it is not what the last entry about it says: %q", row.Text)
		}
		next = row.Run + 1
	}
	for id := range c.log.runs {
		c.find("run", id, "it is missing: an entry names it")
	}
	return nil
}

func (c *check) compareFailures(*fold.Workspace) error {
	for row, err := range c.rows.Failures {
		if err != nil {
			return err
		}
		key := [2]int64{row.Run, row.N}
		want, named := c.log.failures[key]
		delete(c.log.failures, key)
		name := fmt.Sprintf("run %d, %d", row.Run, row.N)
		switch {
		case !named:
			c.find("failure", name, "no entry names it")
		case want != sha256.Sum256([]byte(row.Text)):
			c.find("failure", name, "it is not what its entry says: %q", row.Text)
		}
	}
	for key := range c.log.failures {
		c.find("failure", fmt.Sprintf("run %d, %d", key[0], key[1]), "it is missing: an entry names it")
	}
	return nil
}

func (c *check) compareAbsences(known *fold.Workspace) error {
	for row, err := range c.rows.Absences {
		if err != nil {
			return err
		}
		key := absence{row.ID, row.Since}
		run, named := c.log.absences[key]
		delete(c.log.absences, key)
		name := fmt.Sprintf("account %d since %d", row.Account, row.Since)
		if !named || run != row.Run {
			c.find("absence", name, "no entry of its run names it")
			continue
		}
		account := known.Accounts[row.ID]
		if account == nil || len(account.Salt) == 0 || c.options.WithoutDerived {
			continue
		}
		ended := c.derived.relisted[[2]int64{row.Account, row.Since}]
		if ended != row.Ended || ended == 0 && account.AbsentSince != row.Since {
			c.find("absence", name, "its end does not follow from the evidence: %s, and not %s", orNone(row.Ended), orNone(ended))
		}
	}
	for key := range c.log.absences {
		c.find("absence", fmt.Sprintf("account %s since %d", key.account, key.since), "it is missing: an entry names it")
	}
	return nil
}
