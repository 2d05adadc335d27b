package fold

import (
	"slices"

	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// bodyAfter is the document of an endpoint after facts that a response brought. gone:
// the endpoint was answered with 404.
func bodyAfter(known *Account, e Endpoint, facts []Fact) (body []byte, gone bool, err error) {
	var before, changed []document.Member
	for _, f := range facts {
		if f.Endpoint == e {
			changed = append(changed, f.Member)
		}
	}
	if known != nil {
		if len(changed) == 0 && known.Said[e].Body != nil {
			return known.Said[e].Body, false, nil
		}
		if before, err = document.Members(known.Said[e].Body); err != nil {
			return nil, false, err
		}
	}
	slices.SortFunc(changed, func(a, b document.Member) int { return a.Compare(b.Key) })
	after := document.Apply(before, changed)
	if len(after) == 0 {
		return nil, true, nil
	}
	body, err = document.FromMembers(after)
	return body, false, err
}

// countersAfter are the counters of an object with that document: those that moved,
// and the others as they stood.
func countersAfter(known *Account, body []byte, moved []Usage) (all []document.Counter, err error) {
	pointers, err := document.Counters(body)
	if err != nil {
		return nil, err
	}
	for _, pointer := range pointers {
		c := document.Counter{Pointer: pointer, Body: []byte("null")}
		if known != nil && known.Counters.Find(pointer).Body != nil {
			c = known.Counters.Find(pointer)
		}
		for _, u := range moved {
			if u.Pointer == pointer {
				c = u.Counter
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// leaf is the leaf of a snapshot of which only commitments are left.
func (o *opaque) leaf(id string, e Endpoint) *ledger.Hash {
	observed := ledger.Observed{Account: id}
	if o.documents[e] != (ledger.Hash{}) {
		observed.Document = &o.documents[e]
		if o.counters != (ledger.Hash{}) {
			observed.Counters = &o.counters
		}
	}
	leaf := observed.Leaf()
	return &leaf
}
