package module

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/trace"
)

// ErrNoConfidence says that nothing tells how sure an answer of a [Cascade] is.
var ErrNoConfidence = errors.New("nothing tells how sure the answer is: name a field of choices that the backend scores (Field), ask several times (SelfConsistency), or give a Score")

// Cascade asks programs one after the other, the cheapest first, until one is sure enough of
// its answer; the last one always answers (Chen et al., FrugalGPT, arXiv 2305.05176).
// An answer is taken where its confidence is at least the threshold of its program.
// optimize.FitCascade finds thresholds.
//
// Prediction.Chosen says which program answered, and Usage is that of all calls. In the
// trace the calls for answers that were not taken are dropped. The programs are found as
// programs[0], programs[1] and so on. Run and Call are safe for concurrent use, also while
// thresholds are set. An error of a program is a [*MemberError].
type Cascade[In, Out any] struct {
	// Programs are in the order in which they are asked. They must not be changed.
	Programs []Program[In, Out]

	config     CascadeConfig[In, Out]
	thresholds atomic.Pointer[[]float64]
}

// CascadeConfig configures a [Cascade].
type CascadeConfig[In, Out any] struct {
	// Thresholds has one for each program but the last, and must be given: 0 takes every
	// answer, and more than 1 none.
	Thresholds []float64
	// Field is the output field of choices whose probability is the confidence: see
	// Prediction.Confidence. By default the confidence is the share of the votes
	// (Votes.Share) where the program votes, else the probability of the only field that
	// was scored. Anything else is [ErrNoConfidence].
	Field string
	// Score returns the confidence in place of that: any number but NaN, for
	// optimize.FitCascade 0 to 1. It must be safe for concurrent use; language model calls
	// that it makes with ctx are in the trace and in Usage.
	Score func(ctx context.Context, in In, got *Prediction[Out]) (float64, error)
	// SkipErrors lets the next program answer where one fails, but for an error of kind
	// lm.ErrBudget. The default is to return its error.
	SkipErrors bool
}

// NewCascade makes a Cascade of at least two programs.
func NewCascade[In, Out any](programs []Program[In, Out], c CascadeConfig[In, Out]) (*Cascade[In, Out], error) {
	if err := checkPrograms("Cascade", programs); err != nil {
		return nil, err
	}
	switch {
	case len(programs) < 2:
		return nil, errors.New("module: Cascade: one program alone is no cascade; want at least two")
	case c.Field != "" && c.Score != nil:
		return nil, errors.New("module: Cascade: both Field and Score are given")
	case c.Field != "":
		if types := outputsOf[In, Out](); types != nil && !types.closed(c.Field) {
			return nil, fmt.Errorf("module: Cascade: Field names %q, which is no output field of choices", c.Field)
		}
	}
	cascade := &Cascade[In, Out]{Programs: programs, config: c}
	if err := cascade.SetThresholds(c.Thresholds); err != nil {
		return nil, err
	}
	return cascade, nil
}

// MustCascade is NewCascade for program start-up: it panics where NewCascade returns an
// error.
func MustCascade[In, Out any](programs []Program[In, Out], c CascadeConfig[In, Out]) *Cascade[In, Out] {
	return must(NewCascade(programs, c))
}

// Thresholds returns the thresholds.
func (c *Cascade[In, Out]) Thresholds() []float64 { return slices.Clone(*c.thresholds.Load()) }

// SetThresholds sets the thresholds of later calls.
func (c *Cascade[In, Out]) SetThresholds(thresholds []float64) error {
	if err := checkThresholds("Cascade", thresholds, len(c.Programs)); err != nil {
		return err
	}
	thresholds = slices.Clone(thresholds)
	c.thresholds.Store(&thresholds)
	return nil
}

func checkThresholds(module string, thresholds []float64, programs int) error {
	if len(thresholds) != programs-1 {
		return fmt.Errorf("module: %s: %d thresholds for %d programs; want %d", module, len(thresholds), programs, programs-1)
	}
	for i, t := range thresholds {
		if math.IsNaN(t) {
			return fmt.Errorf("module: %s: threshold %d is NaN", module, i)
		}
	}
	return nil
}

// SkipsErrors reports whether the next program answers where one fails.
func (c *Cascade[In, Out]) SkipsErrors() bool { return c.config.SkipErrors }

// Confidence returns how sure an answer of one of the programs is, as the cascade sees it.
func (c *Cascade[In, Out]) Confidence(ctx context.Context, in In, got *Prediction[Out]) (float64, error) {
	if c.config.Score != nil {
		v, err := c.config.Score(ctx, in, got)
		if err == nil && math.IsNaN(v) {
			err = errors.New("the score is NaN")
		}
		return v, err
	}
	field := c.config.Field
	if field == "" {
		if got.Votes != nil {
			return got.Votes.Share(), nil
		}
		if len(got.Choices) != 1 {
			return 0, ErrNoConfidence
		}
		field = got.Choices[0].Name
	}
	v, ok := got.Confidence(field)
	if !ok || math.IsNaN(v) {
		return 0, fmt.Errorf("field %q: %w", field, ErrNoConfidence)
	}
	return v, nil
}

// Run returns the answer.
func (c *Cascade[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(c.Call(ctx, in))
}

// Call returns the answer and how it came about.
func (c *Cascade[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	thresholds := *c.thresholds.Load()
	var spent lm.Usage
	for i, p := range c.Programs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pred, taken, err := c.stage(ctx, i, p, in, thresholds, &spent)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && c.config.SkipErrors && i+1 < len(c.Programs) && !errors.Is(err, lm.ErrBudget):
			continue
		case err != nil:
			return nil, &MemberError{"Cascade", programName(i), err}
		case taken:
			answer := *pred
			answer.Usage, answer.Chosen = spent, i
			return &answer, nil
		}
	}
	return nil, errors.New("module: Cascade: no program answered") // the last is always taken
}

// stage asks one program, and reports whether its answer is taken.
func (c *Cascade[In, Out]) stage(ctx context.Context, i int, p Program[In, Out], in In, thresholds []float64, spent *lm.Usage) (pred *Prediction[Out], taken bool, err error) {
	branch, t, join := trace.Branch(ctx)
	defer func() { join(taken) }()
	pred, err = Call(branch, p, in)
	if err != nil {
		*spent = spent.Add(UsageOf(t))
		return nil, false, err
	}
	*spent = spent.Add(pred.Usage)
	if i == len(thresholds) {
		return pred, true, nil
	}
	// What a score asks stands before the answer in the trace, as the last call is that on
	// which the answer rests.
	judged, jt, joinScore := trace.Branch(ctx)
	defer func() { joinScore(err == nil) }()
	confidence, err := c.Confidence(judged, in, pred)
	*spent = spent.Add(UsageOf(jt))
	if err != nil {
		return nil, false, fmt.Errorf("its confidence: %w", err)
	}
	return pred, confidence >= thresholds[i], nil
}
