// Package watch is the daemon without the work that it does: a [Loop] that begins the work
// of each workspace when it is due, and never two at once; a [Pulse] that tells whether the
// loop goes on; [Health], the answer to "is it alive, and are its data fresh?"; the HTTP
// server of metrics and health; the log; and what systemd is told.
package watch
