package store

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name is something that has an id and a name: an account or a squid.
type Name struct {
	ID   string
	Name string
}

// AmbiguousError means that several things go by the same reference.
type AmbiguousError struct {
	Reference  string
	Candidates []Name // at least two, by name
}

// Error counts the candidates.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q could be %d things", e.Reference, len(e.Candidates))
}

// Choose finds what goes by the reference: by its id, its name in any case, a prefix
// of the id, or a part of the name. The first of these that fits anything decides. It
// returns ErrNotFound when none does, and an [*AmbiguousError] when one fits several.
// What has several names that fit is one candidate.
func Choose(all []Name, reference string) (Name, error) {
	low := strings.ToLower(reference)
	return choose(all, reference, []naming{
		func(n Name) bool { return n.ID == low || n.ID == reference },
		wholeName(reference),
		func(n Name) bool { return strings.HasPrefix(strings.ToLower(n.ID), low) },
		partOfName(reference),
	})
}

// FindEver finds what goes by the reference, or did before. now finds it by the names
// of the moment, and returns what [Choose] does; ever lists all names there were until
// then. One that is called so comes first; a whole former name comes before a mere part
// of those of the moment, and parts of former ones come last. It also returns the former
// name that fits; "" when it is none.
func FindEver(reference string, now func(reference string) (Name, error), ever func() ([]Name, error)) (found Name, former string, err error) {
	found, err = now(reference)
	ways := []naming{wholeName(reference)}
	switch ambiguous := (*AmbiguousError)(nil); {
	case reference == "" || err == nil && namedWhole(found, reference):
		return found, "", err
	case errors.Is(err, ErrNotFound):
		ways = append(ways, partOfName(reference))
	case errors.As(err, &ambiguous):
		if namedWhole(ambiguous.Candidates[0], reference) {
			return found, "", err
		}
	case err != nil:
		return found, "", err
	}
	all, failed := ever()
	if failed != nil {
		return Name{}, "", failed
	}
	switch once, unclear := choose(all, reference, ways); {
	case unclear == nil:
		found, err = now(once.ID)
		return found, once.Name, err
	case errors.Is(err, ErrNotFound):
		return found, "", unclear
	}
	return found, "", err
}

// naming reports whether something is named by a reference.
type naming = func(Name) bool

func wholeName(reference string) naming {
	return func(n Name) bool { return strings.EqualFold(n.Name, reference) }
}

func partOfName(reference string) naming {
	low := strings.ToLower(reference)
	return func(n Name) bool { return strings.Contains(strings.ToLower(n.Name), low) }
}

// namedWhole reports whether something is named by the whole of its name, or by its id.
func namedWhole(n Name, reference string) bool {
	return wholeName(reference)(n) || strings.HasPrefix(strings.ToLower(n.ID), strings.ToLower(reference))
}

// choose tries the ways, the most exact first.
func choose(all []Name, reference string, ways []naming) (Name, error) {
	for _, fits := range ways {
		var candidates []Name
		for _, n := range all {
			sameID := func(c Name) bool { return c.ID == n.ID }
			if fits(n) && !slices.ContainsFunc(candidates, sameID) {
				candidates = append(candidates, n)
			}
		}
		switch len(candidates) {
		case 0:
			continue
		case 1:
			return candidates[0], nil
		}
		return Name{}, &AmbiguousError{Reference: reference, Candidates: candidates}
	}
	return Name{}, ErrNotFound
}

// CompareNames orders names without regard to the case of ASCII letters; all else is
// compared by bytes.
func CompareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(lower(a[i]), lower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
