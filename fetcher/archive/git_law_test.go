package archive_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// made is a commit of a random history.
type made struct {
	at      time.Time
	parents []int // by number; commits are numbered from 1 on
	content string
	counts  bool // the content is none of the parents'
}

// randomDAG makes a history of branches and merges, many of them at one instant.
func randomDAG(rng *rand.Rand, r *repo) (all []made) {
	all = append(all, made{}) // number 0 is none
	branches := []int{}
	for n := 1; n <= 30; n++ {
		c := made{at: start}
		branch := rng.IntN(4)
		for i := range 1 + rng.IntN(4)/2 { // the branch, and what is merged into it
			if from := (branch + i) % 4; from < len(branches) && !slices.Contains(c.parents, branches[from]) {
				c.parents = append(c.parents, branches[from])
			}
		}
		var theirs []string
		for _, parent := range c.parents {
			theirs = append(theirs, all[parent].content)
			if all[parent].at.After(c.at) {
				c.at = all[parent].at
			}
		}
		c.at = c.at.Add(time.Duration(rng.IntN(2)) * time.Second)
		c.content = object(0, fmt.Sprint(n))
		if len(theirs) > 0 && rng.IntN(3) == 0 {
			c.content = theirs[rng.IntN(len(theirs))]
		}
		c.counts = !slices.Contains(theirs, c.content)
		name := fmt.Sprint("b", n) // a branch of its own, so that nothing is its parent by itself
		r.commitTo(name, c.at, map[string]string{"f": c.content, "n": fmt.Sprint(n)}, c.parents...)
		all = append(all, c)
		if branch < len(branches) {
			branches[branch] = n
		} else {
			branches = append(branches, n)
		}
	}
	r.commitTo("main", all[30].at.Add(time.Hour), map[string]string{"f": object(0, "31")}, branches...)
	return append(all, made{at: all[30].at.Add(time.Hour), parents: branches, content: object(0, "31"), counts: true})
}

// TestRandomHistoriesInGit: each commit whose content is none of its parents' is
// stored once, in the order of dates, and none before a parent.
func TestRandomHistoriesInGit(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(16) {
		rng := rand.New(rand.NewPCG(seed, 0xda6))
		r := newRepo(t)
		all := randomDAG(rng, r)
		r.write()
		s := openStore(t)
		history := r.find(t, "f", "main")
		done := importInto(t, s, archive.Git(t.Context(), history), archive.Options{})
		place := map[string]int{}
		last := ""
		for i, line := range strings.Split(strings.TrimSpace(stored(t, s)), "\n") {
			fields := strings.Fields(line)
			if place[fields[2]]++; place[fields[2]] > 1 {
				t.Errorf("seed %d: %s is there twice", seed, fields[2])
			}
			place[fields[2]] = i + 1
			if at := fmt.Sprintf("%9s", fields[1]); at < last {
				t.Errorf("seed %d: %s after %s", seed, at, last)
			} else {
				last = at
			}
		}
		for n, c := range all[1:] {
			n++
			at := place[fmt.Sprint(n)]
			if c.counts != (at > 0) {
				t.Errorf("seed %d: commit %d of %v counts: %v, place %d", seed, n, c.parents, c.counts, at)
			}
			for _, parent := range c.parents {
				if before := place[fmt.Sprint(parent)]; c.counts && before > at {
					t.Errorf("seed %d: commit %d comes before its parent %d", seed, n, parent)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("go test -seed %d: %+v", seed, done)
		}
		again := importInto(t, s, archive.Git(t.Context(), history), archive.Options{})
		if done.run.State != store.Complete || again.run.State != store.Complete || again.run.Captured() != 0 {
			t.Fatalf("seed %d: %+v %+v", seed, done, again)
		}
		checkStore(t, s)
	}
}
