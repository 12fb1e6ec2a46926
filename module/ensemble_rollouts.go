package module

import (
	"context"
	"fmt"
	"math"
)

// SelfConsistency asks one program several times at a temperature and answers what it
// says most often (Wang et al., arXiv 2203.11171). Each of its calls is a rollout of its
// own: see [WithRollout]. It behaves as an [Ensemble] of so many members, which [Votes]
// counts from 0. Its program is found as program. Run and Call are safe for concurrent use.
type SelfConsistency[In, Out any] struct {
	// Program is asked. It must not be changed.
	Program Program[In, Out]

	poll        *poll[Out]
	n           int
	temperature float64
}

// defaultSampling is the temperature at which the answers of one program differ, as usual
// in the papers.
const defaultSampling = 0.7

// NewSelfConsistency makes a SelfConsistency of n rollouts, at least 1. A temperature of 0,
// at which all would be alike, means 0.7. Weights, Accuracies and Size of the Voting are for
// several programs and not allowed.
func NewSelfConsistency[In, Out any](program Program[In, Out], n int, temperature float64, v Voting[Out]) (*SelfConsistency[In, Out], error) {
	switch {
	case program == nil:
		return nil, fmt.Errorf("module: SelfConsistency: the program is nil")
	case n < 1:
		return nil, fmt.Errorf("module: SelfConsistency: %d rollouts: want at least 1", n)
	case v.Weights != nil || v.Accuracies != nil || v.Size != 0:
		return nil, fmt.Errorf("module: SelfConsistency: Weights, Accuracies and Size are for several programs: leave them out")
	}
	temperature, err := samplingTemperature("SelfConsistency", temperature)
	if err != nil {
		return nil, err
	}
	poll, err := newPoll[In]("SelfConsistency", n, v)
	if err != nil {
		return nil, err
	}
	return &SelfConsistency[In, Out]{Program: program, poll: poll, n: n, temperature: temperature}, nil
}

// samplingTemperature checks a temperature, of which 0 is the default.
func samplingTemperature(module string, t float64) (float64, error) {
	switch {
	case t == 0:
		return defaultSampling, nil
	case !(t > 0) || math.IsInf(t, 1):
		return 0, fmt.Errorf("module: %s: the temperature is %v; want more than 0, or 0 for %v", module, t, defaultSampling)
	}
	return t, nil
}

// MustSelfConsistency is NewSelfConsistency for program start-up: it panics where that
// returns an error.
func MustSelfConsistency[In, Out any](program Program[In, Out], n int, temperature float64, v Voting[Out]) *SelfConsistency[In, Out] {
	return must(NewSelfConsistency(program, n, temperature, v))
}

// Run returns the answer.
func (s *SelfConsistency[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(s.Call(ctx, in))
}

// Call returns the answer and how it came about.
func (s *SelfConsistency[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	members := make([]panelist[Out], s.n)
	for i := range members {
		members[i] = rolloutOf(panelistOf(fmt.Sprintf("program, rollout %d", i), i, s.Program, in), i, s.temperature)
	}
	return s.poll.call(ctx, members, &weighting{})
}

// rolloutOf makes a member's call the n-th rollout at a temperature.
func rolloutOf[Out any](m panelist[Out], n int, temperature float64) panelist[Out] {
	call := m.call
	m.call = func(ctx context.Context) (*Prediction[Out], error) {
		return call(WithRollout(WithTemperature(ctx, temperature), n))
	}
	return m
}
