package optimize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// Compile searches, by the optimizer opt, for states of the program's predictors
// that score better, and returns the best. The program itself is not changed
// and may be used meanwhile: [Result.Apply] changes it. Candidates run on the
// one program under module.WithStates, so the program and the metric must be
// safe for concurrent use; a metric that calls language models is not touched by
// the candidate unless it uses the program's own predictors.
//
// The score of a candidate is the mean of the metric over the validation
// examples ([Val], else the training ones), or the objective given by [By].
//
// The result depends on nothing but the arguments and the models' answers: not
// on concurrency, time or map order. The answers of some models depend on these:
// see [Concurrency]. Every identical request to a model is paid once: see [Calls].
//
// When the context ends first, Compile returns the best so far, which may be the
// program as it was, and an error that wraps the context's; the same holds for an
// error in the middle of the search, such as a budget that is spent ([Within]). The result is nil only when the arguments are wrong: no training
// examples (evaluate.ErrNoData), no predictors (module.ErrNoPredictors), a
// predictor without a language model (module.ErrNoLM), examples or an objective
// of another type, an example whose values its type does not allow, settings out
// of range.
func Compile[In, Out any](ctx context.Context, opt Optimizer, p module.Program[In, Out], train []module.Example[In, Out], m metric.Metric[In, Out], opts ...Option) (*Result, error) {
	s, err := begin(ctx, opt, p, train, m, opts)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	through := append(slices.Clip(s.options.through), s.options.budget.middleware(start)...)
	ctx = lm.Wrap(ctx, func(m lm.LM) lm.LM { return lm.Chain(m, through...) })
	ctx = lm.Wrap(ctx, s.store.wrap)
	err = opt.search(ctx, s)
	if err == nil {
		err = s.finish(ctx)
	}
	if err != nil {
		s.stopped()
	}
	r, closeErr := s.close(opt)
	err = errors.Join(err, closeErr)
	r.Wall = time.Since(start)
	if err != nil {
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			err = errors.Join(err, ctx.Err())
		}
		return r, fmt.Errorf("optimize: after %d trials: %w", len(r.Trials), err)
	}
	return r, nil
}

// begin checks the arguments of a search and returns what it works on.
func begin[In, Out any](ctx context.Context, opt Optimizer, p module.Program[In, Out], train []module.Example[In, Out], m metric.Metric[In, Out], opts []Option) (*session, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case opt == nil:
		return nil, errors.New("optimize: the optimizer is nil")
	case p == nil:
		return nil, errors.New("optimize: the program is nil")
	case m == nil:
		return nil, errors.New("optimize: the metric is nil")
	case len(train) == 0:
		return nil, fmt.Errorf("optimize: no training examples: %w", evaluate.ErrNoData)
	}
	if c, ok := opt.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return nil, err
		}
	}
	if err := module.Validate(ctx, p); err != nil {
		return nil, err
	}
	t, err := newTask(p, train, m, o)
	if err != nil {
		return nil, err
	}
	return newSession(ctx, p, t, o)
}
