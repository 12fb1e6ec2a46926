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

// Router chooses the program that answers by a score of the input alone, how much it needs
// a stronger program (Ong et al., RouteLLM, arXiv 2406.18665). lm/router chooses a language
// model; a Router chooses a whole program. optimize.FitRouter finds thresholds.
//
// Prediction.Chosen says which program answered, and Usage is that of its calls and the
// scorer's. The predictors are found under scorer and programs[0], programs[1] and so on.
// Run and Call are safe for concurrent use, also while thresholds are set. An error of the
// scorer or of a program is a [*MemberError].
type Router[In, Out any] struct {
	// Scorer returns the score: any number but NaN, for optimize.FitRouter 0 to 1. None of
	// the fields must be changed.
	Scorer Program[In, float64]
	// Programs are in the order of their strength, the weakest first.
	Programs []Program[In, Out]

	thresholds atomic.Pointer[[]float64]
}

// NewRouter makes a Router of at least two programs. There is one threshold for each program
// but the first, none smaller than the one before: an input goes to the last program whose
// threshold its score reaches, or else to the first.
func NewRouter[In, Out any](scorer Program[In, float64], programs []Program[In, Out], thresholds []float64) (*Router[In, Out], error) {
	if err := checkPrograms("Router", programs); err != nil {
		return nil, err
	}
	switch {
	case scorer == nil:
		return nil, errors.New("module: Router: the scorer is nil")
	case len(programs) < 2:
		return nil, errors.New("module: Router: with one program there is no choice; want at least two")
	}
	r := &Router[In, Out]{Scorer: scorer, Programs: programs}
	if err := r.SetThresholds(thresholds); err != nil {
		return nil, err
	}
	return r, nil
}

// MustRouter is NewRouter for program start-up: it panics where NewRouter returns an error.
func MustRouter[In, Out any](scorer Program[In, float64], programs []Program[In, Out], thresholds []float64) *Router[In, Out] {
	return must(NewRouter(scorer, programs, thresholds))
}

// Thresholds returns the thresholds.
func (r *Router[In, Out]) Thresholds() []float64 { return slices.Clone(*r.thresholds.Load()) }

// SetThresholds sets the thresholds of later calls.
func (r *Router[In, Out]) SetThresholds(thresholds []float64) error {
	if err := checkThresholds("Router", thresholds, len(r.Programs)); err != nil {
		return err
	}
	if !slices.IsSorted(thresholds) {
		return fmt.Errorf("module: Router: the thresholds %v fall; want them to grow from program to program", thresholds)
	}
	thresholds = slices.Clone(thresholds)
	r.thresholds.Store(&thresholds)
	return nil
}

// Score returns the score of an input.
func (r *Router[In, Out]) Score(ctx context.Context, in In) (float64, error) {
	v, err := r.Scorer.Run(ctx, in)
	if err == nil && math.IsNaN(v) {
		err = errors.New("the score is NaN")
	}
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, &MemberError{"Router", "scorer", err}
	}
	return v, nil
}

// Run returns the answer.
func (r *Router[In, Out]) Run(ctx context.Context, in In) (Out, error) { return outOf(r.Call(ctx, in)) }

// Call returns the answer and how it came about.
func (r *Router[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	thresholds := *r.thresholds.Load()
	score, usage, err := r.scored(ctx, in)
	if err != nil {
		return nil, err
	}
	chosen := 0
	for chosen < len(thresholds) && score >= thresholds[chosen] {
		chosen++
	}
	got, err := Call(ctx, r.Programs[chosen], in)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &MemberError{"Router", programName(chosen), err}
	}
	pred := *got
	pred.Usage, pred.Chosen = pred.Usage.Add(usage), chosen
	return &pred, nil
}

// scored is Score whose calls stand together in the trace, before the answer's, and that
// says what they cost.
func (r *Router[In, Out]) scored(ctx context.Context, in In) (score float64, u lm.Usage, err error) {
	branch, t, join := trace.Branch(ctx)
	defer func() { join(err == nil) }()
	score, err = r.Score(branch, in)
	return score, UsageOf(t), err
}
