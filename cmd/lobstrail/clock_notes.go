package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// What of a clock is worth a word. The server's counts whole seconds, and answers
// that arrived at once are stored one after the other.
const (
	notableSkew = 2 * time.Second
	notableHeld = time.Second
)

// clockNotes says what was wrong with the clock of a run, in sentences without a
// period; nil when nothing was.
func clockNotes(run store.Run) (notes []string) {
	if skewed(run) {
		notes = append(notes, fmt.Sprintf("this machine's clock was %s the server's; the times of this run are wrong by as much", aheadOf(*run.Skew)))
	}
	if run.Held >= notableHeld && len(run.Warnings) == 0 { // it did not get to say it
		notes = append(notes, heldWarning(run))
	}
	return notes
}

func skewed(run store.Run) bool { return run.Skew != nil && run.Skew.Abs() >= notableSkew }

func aheadOf(skew time.Duration) string {
	if skew < 0 {
		return render.Duration(-skew) + " behind"
	}
	return render.Duration(skew) + " ahead of"
}

// heldWarning is for a run whose clock was behind the newest snapshot of its
// workspace: by how much, what that means for its times, and what to do.
func heldWarning(run store.Run) string {
	held := render.Duration(run.Held)
	next := "set the clock if it is wrong"
	switch {
	case skewed(run):
		next = "the clock is " + aheadOf(*run.Skew) + " the server's: set it"
	case run.Skew != nil:
		next = "the clock agrees with the server's, so it was ahead when that snapshot was taken: nothing to do, times are exact again in " + held
	}
	return fmt.Sprintf("the clock was %s behind the newest snapshot of the workspace, and the times of this run are held there: "+
		"their order is right, the instants are later than they were; %s", held, next)
}

// skewCell is empty when the server told no time.
func skewCell(run store.Run) render.Cell {
	if run.Skew == nil {
		return render.Cell{}
	}
	return render.TextCell(strconv.FormatFloat(run.Skew.Seconds(), 'f', -1, 64))
}
