package store

// Statement is one statement of the SQL of a user. The engine takes scripts apart: what
// ends a statement differs.
type Statement struct {
	// Text is the statement with its semicolon, and the spaces and comments before it.
	Text string
	// Params are the names of its parameters, without the sign before them, each once.
	Params []string
	// Blank reports whether it is nothing but spaces and comments.
	Blank bool
	// Verb is the first word, in lower case.
	Verb string
}
