// Package impact says what would break if accounts were deleted, changed or
// re-synchronised, or squids stopped: the squids that would have no working account left,
// those that they start in turn, and the accounts that could stand in.
//
// It is pure: Of takes what the store and the API say, and returns the answer. Where
// the two differ, or something is not known, it assumes the worse and says so: to be
// told that nothing breaks when something does is the worst outcome.
package impact
