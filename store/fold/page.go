package fold

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store/ledger"
)

func (f *folding) slot() Slot { return Slot{f.answer.Source, f.answer.Slot} }

// page is that of the response, which is made when it is new.
func (f *folding) page() *Page {
	page := f.w.Pages[f.slot()]
	if page == nil {
		page = &Page{}
		f.w.Pages[f.slot()] = page
	}
	return page
}

// turnPage compares the accounts that the response shows with those that the last
// one of its slot showed, and works out the root of the tree over its snapshots.
func (f *folding) turnPage(page *Page) (err error) {
	switch {
	case f.answer.Rest:
		err = f.setSome(page)
	case f.sameMembers(page) && page.tree != nil:
		f.setLeaves(page)
	default:
		f.newMembers(f.slot(), page)
	}
	if err == nil {
		page.LastAt = f.at
		f.delta.Response.Root = page.tree.Root()
	}
	return err
}

// setSome sets the leaves of a page of which the response says only what is new.
func (f *folding) setSome(page *Page) error {
	for _, s := range f.delta.Shown {
		i, found := slices.BinarySearchFunc(page.Members, s.Account.Number, func(m Member, n int64) int { return cmp.Compare(m.Account, n) })
		if !found || page.Members[i].Endpoint != s.Endpoint {
			return fmt.Errorf("store: fold: the last response of the page did not show account %s", s.Account.ID)
		}
		if page.tree.Leaf(i) != s.Leaf {
			page.tree.Set(i, s.Leaf)
		}
	}
	return nil
}

func (f *folding) sameMembers(page *Page) bool {
	if len(page.Members) != len(f.delta.Shown) {
		return false
	}
	for i, s := range f.delta.Shown {
		if m := page.Members[i]; m.Account != s.Account.Number || m.Endpoint != s.Endpoint {
			return false
		}
	}
	return true
}

func (f *folding) setLeaves(page *Page) {
	for i, s := range f.delta.Shown {
		if page.tree.Leaf(i) != s.Leaf {
			page.tree.Set(i, s.Leaf)
		}
	}
}

// newMembers ends the stays of the accounts that the response lacks, and begins
// those of the accounts that are new on the page.
func (f *folding) newMembers(slot Slot, page *Page) {
	members, leaves := make([]Member, len(f.delta.Shown)), make([]ledger.Hash, len(f.delta.Shown))
	before := page.Members
	left := func(m Member) {
		f.delta.Left = append(f.delta.Left, Stay{m.Account, slot.Source, slot.Number, m.Endpoint, m.First, page.LastAt})
		f.newsOf(m.Account)
	}
	for i, s := range f.delta.Shown {
		for len(before) > 0 && before[0].Account < s.Account.Number {
			left(before[0])
			before = before[1:]
		}
		members[i], leaves[i] = Member{s.Account.Number, s.Endpoint, f.at}, s.Leaf
		if len(before) > 0 && before[0].Account == s.Account.Number {
			m := before[0]
			before = before[1:]
			if m.Endpoint == s.Endpoint {
				members[i] = m
				continue
			}
			left(m)
		}
		f.delta.Entered = append(f.delta.Entered, Stay{
			Account: s.Account.Number, Source: slot.Source, Slot: slot.Number, Endpoint: s.Endpoint, First: f.at,
		})
		f.isNews(s.Account)
	}
	for _, m := range before {
		left(m)
	}
	page.Members, page.tree = members, ledger.NewPageTree(leaves)
}
