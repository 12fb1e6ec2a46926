package module

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Ensemble asks several programs and answers what most of them do: see [Voting]. Its
// programs are called at the same time and found as programs[0], programs[1] and so on.
// Run and Call are safe for concurrent use, also while weights are set. A panic of a program
// is raised in the caller's goroutine, once the others have ended.
//
// The answer, its Votes and the error depend on the programs' answers alone and not on
// which of them comes first; what an early exit or an error saves does. The prediction is
// that of the earliest member that voted for the winner, with the Usage of all calls. In
// the trace the calls of the members that voted otherwise are dropped.
//
// When more members fail than Voting.MaxErrors the error is a [*MemberError], that of the
// earliest of them; members behind it are cancelled.
type Ensemble[In, Out any] struct {
	// Programs are the members. They must not be changed.
	Programs []Program[In, Out]

	poll   *poll[Out]
	size   int
	weight atomic.Pointer[weighting]
}

// NewEnsemble makes an Ensemble of at least one program.
func NewEnsemble[In, Out any](programs []Program[In, Out], v Voting[Out]) (*Ensemble[In, Out], error) {
	if err := checkPrograms("Ensemble", programs); err != nil {
		return nil, err
	}
	poll, err := newPoll[In]("Ensemble", len(programs), v)
	if err != nil {
		return nil, err
	}
	e := &Ensemble[In, Out]{Programs: programs, poll: poll, size: v.Size}
	w := &weighting{}
	switch {
	case v.Weights != nil && v.Accuracies != nil:
		err = errors.New("both Weights and Accuracies are given")
	case v.LogProbs != "" && v.Accuracies != nil:
		err = errors.New("accuracies are for votes, and with LogProbs there are none; give Weights")
	case v.Weights != nil:
		w, err = newWeights(v.Weights, len(programs))
	case v.Accuracies != nil:
		w, err = newLogOdds(v.Accuracies, len(programs), poll.classes)
	}
	if err != nil {
		return nil, fmt.Errorf("module: Ensemble: %w", err)
	}
	e.weight.Store(w)
	return e, nil
}

// MustEnsemble is NewEnsemble for program start-up: it panics where NewEnsemble returns an
// error.
func MustEnsemble[In, Out any](programs []Program[In, Out], v Voting[Out]) *Ensemble[In, Out] {
	return must(NewEnsemble(programs, v))
}

// SetAccuracies weighs the votes of later calls by log-odds: see Voting.Accuracies.
func (e *Ensemble[In, Out]) SetAccuracies(accuracies []float64) error {
	if e.poll.field != "" {
		return errors.New("module: Ensemble: accuracies are for votes, and with LogProbs there are none; set weights")
	}
	w, err := newLogOdds(accuracies, len(e.Programs), e.poll.classes)
	if err != nil {
		return fmt.Errorf("module: Ensemble: %w", err)
	}
	e.weight.Store(w)
	return nil
}

// SetWeights sets the weights of later calls: see Voting.Weights.
func (e *Ensemble[In, Out]) SetWeights(weights []float64) error {
	w, err := newWeights(weights, len(e.Programs))
	if err != nil {
		return fmt.Errorf("module: Ensemble: %w", err)
	}
	e.weight.Store(w)
	return nil
}

// Weights returns what the members' votes weigh, log-odds where accuracies were given.
func (e *Ensemble[In, Out]) Weights() []float64 {
	out := make([]float64, len(e.Programs))
	for i := range out {
		out[i] = e.weight.Load().of(i)
	}
	return out
}

// Classes returns how many answers are possible; 0 where that is not known.
func (e *Ensemble[In, Out]) Classes() int { return e.poll.classes }

// Run returns the answer.
func (e *Ensemble[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(e.Call(ctx, in))
}

// Call returns the answer and how it came about.
func (e *Ensemble[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	chosen, err := sample(in, len(e.Programs), e.size)
	if err != nil {
		return nil, fmt.Errorf("module: Ensemble: %w", err)
	}
	w := e.weight.Load()
	members := make([]panelist[Out], len(chosen))
	for k, i := range chosen {
		members[k] = panelistOf(programName(i), i, e.Programs[i], in)
		members[k].weight = w.of(i)
	}
	return e.poll.call(ctx, members, w)
}

func programName(i int) string { return fmt.Sprintf("programs[%d]", i) }

// checkPrograms refuses a list that is empty or has a hole.
func checkPrograms[In, Out any](module string, programs []Program[In, Out]) error {
	if len(programs) == 0 {
		return fmt.Errorf("module: %s: it needs at least one program, got none", module)
	}
	for i, p := range programs {
		if p == nil {
			return fmt.Errorf("module: %s: %s is nil", module, programName(i))
		}
	}
	return nil
}
