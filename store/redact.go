package store

// Redacted is what a redaction erased.
type Redacted struct {
	Account string // id
	Name    string // that stands for the username from now on
	// Documents, Received, Failures and Icons are how many of each were erased; all
	// zero when the account had been redacted before.
	Documents, Received, Failures, Icons int64
	// Warnings are how many runs have a warning that has the username in it. Those
	// are part of the log, and stay.
	Warnings int64
}
