// Package verify checks the history of a workspace, on any engine: the log against the
// evidence, and everything that is derived against what follows from the evidence.
//
// [Check] sweeps each kind of rows once, from the first to the last, whatever their
// numbers: a row that was put in anywhere belongs to no response, or to a response
// that the log does not name. It takes every response through package fold again, and
// compares what that says with what is stored: the root of the response with the line
// in the log, versions, changes, steps and assignments with their rows.
package verify
