package module

import (
	"context"
	"errors"
	"fmt"
)

// Validate reports early what would fail at the first call: a program without
// predictors, and each predictor without a language model ([ErrNoLM], with the
// predictor's name). A [Live] is looked at with the states that run now.
func Validate(ctx context.Context, program any) error {
	var named []Named
	if l, ok := program.(interface {
		within(ctx context.Context) (context.Context, []Named)
	}); ok {
		ctx, named = l.within(ctx)
	} else {
		var err error
		if named, err = Predictors(program); err != nil {
			return err
		}
	}
	var errs []error
	for _, n := range named {
		if _, err := n.Predictor.model(ctx, n.Predictor.StateIn(ctx)); err != nil {
			errs = append(errs, fmt.Errorf("module: predictor %q (%s): %w", n.Name, n.Predictor.sig, err))
		}
	}
	return errors.Join(errs...)
}
