// Package alert decides what somebody should be told.
//
// It works as the store does: Read loads where the alerts of a workspace stand and what
// its newest runs noticed, Evaluate is pure and says what begins, fires, is reminded of
// and ends, and [store.AlertWriter] writes that in one transaction, with the messages that
// are to be delivered. Package notify delivers them.
package alert
