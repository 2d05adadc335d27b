package relational

import "errors"

// placedError is an error of a store, which is named.
type placedError struct {
	path string
	err  error
}

func (e *placedError) Error() string { return "store " + e.path + ": " + e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// Place names the store in an error, once; nil stays nil.
func Place(path string, err error) error {
	if _, placed := errors.AsType[*placedError](err); placed || err == nil {
		return err
	}
	return &placedError{path, err}
}
