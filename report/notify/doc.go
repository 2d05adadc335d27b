// Package notify delivers the messages of alerts: it takes those that wait in the store,
// sends each to its sink, and stores how that ended. A message that a sink did not take is
// tried again later; a sink may get a message twice, then with the same id.
package notify
