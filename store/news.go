package store

import "crypto/sha256"

// news is an account object that was not the same as before, taken apart.
type news struct {
	separated
	digest   [sha256.Size]byte // of the document
	template *template         // nil when not known
	known    bool              // by its outline: body and icon are left out
	receipt  *receipt          // when only counters moved; nil: see movedOnly
	err      error             // why it cannot be understood
}

// readNews takes those objects apart that do not stand as they did, on all cores;
// the others stay nil.
func (p *page) readNews(accounts []Observed, digests [][]byte) []*news {
	all := make([]*news, len(accounts))
	var others []int
	for i := range accounts {
		if h := p.heads[i]; h == nil || !h.stands(p.source, digests[i], p.received) {
			others = append(others, i)
		}
	}
	found := make([]news, len(others))
	share(len(others), func(n int) {
		i := others[n]
		h := p.heads[i]
		if all[i] = &found[n]; !p.knownNews(h, &accounts[i], all[i]) {
			found[n] = readNews(&accounts[i])
		} else {
			found[n].receipt = p.movedOnly(h, digests[i], all[i])
		}
	})
	return all
}

func readNews(account *Observed) news {
	apart, err := separate(account.Raw)
	seen := news{separated: apart, digest: sha256.Sum256(apart.body), err: err}
	if account.Outline != nil && err == nil {
		seen.template = newTemplate(account.Raw, account.Outline, apart)
	}
	return seen
}

// knownNews reads an object with the outline of the one before; false: it has not.
func (p *page) knownNews(h *head, account *Observed, seen *news) bool {
	if h == nil || account.Outline == nil {
		return false
	}
	t := h.at(p.source).template
	if t == nil || t.outline != account.Outline.digest {
		return false
	}
	seen.usage, seen.digest, seen.template, seen.known = t.usageOf(account.Raw, account.Outline), t.document, t, true
	return true
}
