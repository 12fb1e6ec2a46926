package optimize

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// question is one run of a candidate on one example.
type question struct {
	c   candidate
	set dataset
	row int
	// rollout asks every predictor for another answer than the usual one, at this
	// temperature; 0 is the usual one. A temperature of 0 is the program's own.
	rollout     int
	temperature float64
	// model takes the place of each predictor's own, where it is not nil.
	model lm.LM
	// teacher runs the program of [TeacherProgram] in place of the one that is compiled.
	teacher bool
}

// answer is what came of a question.
type answer struct {
	score metric.Score // zero where err is not nil
	err   error        // of program or metric; never the context's or a budget's
	trace *trace.Trace
	steps []module.Step // also those of a run that failed
	// in and truth are the example's, out is the program's answer, without fields where it failed.
	in, truth, out signature.Record
	name           string // of the example
}

// ask runs questions, at most the search's concurrency at once, and returns their answers in
// order. It returns an error instead when the context ended, a budget was spent, or every
// question failed by an error that no candidate can help.
func (s *session) ask(ctx context.Context, qs []question) ([]answer, error) {
	answers := make([]answer, len(qs))
	if lm.QueueOf(ctx) == nil {
		ctx = lm.WithQueue(ctx) // so that the questions do not hold up others of the same model
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.options.concurrency)
	for i, q := range qs {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			program, judge, err := s.contextOf(ctx, q)
			if err != nil {
				return err
			}
			a := s.task.ask(program, judge, q)
			if a.err != nil && (errors.Is(a.err, lm.ErrBudget) || ctx.Err() != nil) {
				return fmt.Errorf("%s example %s: %w", q.set, a.name, a.err)
			}
			answers[i] = a
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	failed := 0
	for _, a := range answers {
		if a.err != nil && hopeless(a.err) {
			failed++
		}
	}
	if failed > 0 && failed == len(answers) {
		return nil, fmt.Errorf("example %s: %w", answers[0].name, answers[0].err)
	}
	return answers, nil
}

// contextOf returns the contexts in which the program answers a question and in which the
// metric scores the answer: both have the candidate's states, as in an evaluation, and the
// program's alone another rollout or model.
func (s *session) contextOf(ctx context.Context, q question) (program, judge context.Context, err error) {
	states, err := s.states(q.c)
	if err != nil {
		return nil, nil, err
	}
	judge = module.WithStates(ctx, states)
	if q.model != nil {
		c := q.c.clone()
		for i := range c {
			c[i].LM = q.model
		}
		if states, err = s.states(c); err != nil {
			return nil, nil, err
		}
	}
	program = module.WithStates(ctx, states)
	if q.rollout == 0 {
		return program, judge, nil
	}
	program = module.WithRollout(program, q.rollout)
	if q.temperature != 0 {
		program = module.WithTemperature(program, q.temperature)
	}
	return lm.Wrap(program, func(m lm.LM) lm.LM { return seeded{m} }), judge, nil
}

// evaluateOn scores a candidate on a whole set. An error ends the search: the context's,
// or one that every further call would meet too.
func (s *session) evaluateOn(ctx context.Context, c candidate, set dataset) (*evaluation, error) {
	return s.evaluateRows(ctx, c, set, nil)
}

// evaluateRows scores a candidate on some rows of a set, in their order; a row may repeat.
// Nil rows are all of them.
func (s *session) evaluateRows(ctx context.Context, c candidate, set dataset, rows []int) (*evaluation, error) {
	states, err := s.states(c)
	if err != nil {
		return nil, err
	}
	e, err := s.evaluate(module.WithStates(ctx, states), set, rows)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.failed == len(e.subscores) && hopeless(e.err) {
		return nil, e.err
	}
	return e, nil
}

// hopeless reports an error that does not depend on the candidate.
func hopeless(err error) bool {
	for _, kind := range []error{lm.ErrUnavailable, lm.ErrModel, lm.ErrAuth, lm.ErrQuota, lm.ErrBudget, module.ErrNoLM} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
