package store

import (
	"context"
	"iter"
)

// Collect reads a sequence to its end. It returns the first error of the sequence, and
// then no values.
func Collect[T any](sequence iter.Seq2[T, error]) (all []T, err error) {
	for value, err := range sequence {
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, nil
}

// End finishes a run and returns it as it is stored. It does so also when ctx is done,
// so that a run which was stopped tells how far it came. The run is zero if that failed.
func End(ctx context.Context, s Reader, workspace string, w RunWriter, o Outcome) (Run, error) {
	ctx = context.WithoutCancel(ctx)
	if err := w.Finish(ctx, o); err != nil {
		return Run{}, err
	}
	return s.Run(ctx, workspace, w.ID())
}
