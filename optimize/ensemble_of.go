package optimize

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/whetgo/whet/module"
)

// EnsembleOf makes an ensemble of candidates of a search: of the trials with these indexes,
// such as EnsembleChoice.Members. build returns a new program each time that it is called, of
// the type that was compiled; each member is one of these with its trial's states. A trial
// that stands there several times is one member with as many votes, by Voting.Weights, and
// then v may have no weights of its own.
//
// The members have predictors of their own, programs[0] and so on, so the ensemble is saved
// and loaded as any program; votes are not in the file, so it is loaded into an ensemble
// that is made with the same members.
func EnsembleOf[In, Out any](build func() module.Program[In, Out], r *Result, members []int, v module.Voting[Out]) (*module.Ensemble[In, Out], error) {
	switch {
	case build == nil:
		return nil, errors.New("optimize: EnsembleOf: build is nil")
	case r == nil:
		return nil, errors.New("optimize: EnsembleOf: the result is nil")
	case len(members) == 0:
		return nil, errors.New("optimize: EnsembleOf: no members; want the index of at least one trial")
	}
	var programs []module.Program[In, Out]
	var trials []int
	var weights []float64
	var apply []module.States
	known := map[*module.Predictor]bool{}
	for _, m := range members {
		if m < 0 || m >= len(r.Trials) {
			return nil, fmt.Errorf("optimize: EnsembleOf: there is no trial %d; the result has %d", m, len(r.Trials))
		}
		if i := slices.Index(trials, m); i >= 0 {
			weights[i]++
			continue
		}
		p := build()
		if p == nil {
			return nil, errors.New("optimize: EnsembleOf: build returned nil")
		}
		named, err := module.Predictors(p)
		if err != nil {
			return nil, fmt.Errorf("optimize: EnsembleOf: %w", err)
		}
		for _, n := range named {
			if known[n.Predictor] {
				return nil, fmt.Errorf("optimize: EnsembleOf: build returned the predictor %q twice; want a new program from each call", n.Name)
			}
			known[n.Predictor] = true
		}
		states, err := trialStates(named, r.Trials[m].States, nil)
		if err != nil {
			return nil, fmt.Errorf("optimize: EnsembleOf: trial %d: %w", m, err)
		}
		programs, trials, weights = append(programs, p), append(trials, m), append(weights, 1)
		apply = append(apply, states)
	}
	if len(trials) < len(members) {
		if v.Weights != nil || v.Accuracies != nil {
			return nil, errors.New("optimize: EnsembleOf: some trials have several votes, and the Voting has Weights or Accuracies; want one or the other")
		}
		v.Weights = weights
	}
	e, err := module.NewEnsemble(programs, v)
	if err != nil {
		return nil, fmt.Errorf("optimize: EnsembleOf: %w", err)
	}
	for _, states := range apply {
		states.Apply()
	}
	return e, nil
}

// trialStates binds a trial's states to predictors: by identity where they are those of the
// program that was compiled, else by name.
func trialStates(named []module.Named, trial []NamedState, byPtr map[*module.Predictor]int) (module.States, error) {
	var states module.States
	if len(named) != len(trial) {
		return states, fmt.Errorf("the program has %d predictors and the trial states for %d; want a program of the type that was compiled", len(named), len(trial))
	}
	for _, n := range named {
		i, ok := byPtr[n.Predictor]
		if !ok {
			i = slices.IndexFunc(trial, func(s NamedState) bool { return s.Name == n.Name })
		}
		if i < 0 {
			return states, fmt.Errorf("the trial has no state for the predictor %q; want a program of the type that was compiled", n.Name)
		}
		var err error
		if states, err = states.With(n.Predictor, trial[i].State); err != nil {
			return states, fmt.Errorf("predictor %q: %w", n.Name, err)
		}
	}
	return states, nil
}

// ballots tells what answers vote for, by asking a module.Ensemble of one member for its
// count, so that there is one rule for it.
type ballots[In, Out any] struct{ of *module.Ensemble[In, Out] }

type ballotKey struct{}

func newBallots[In, Out any](key func(Out) string) (ballots[In, Out], error) {
	given := module.Func[In, Out](func(ctx context.Context, _ In) (Out, error) {
		out, ok := ctx.Value(ballotKey{}).(Out)
		if !ok {
			return out, errors.New("no answer was given")
		}
		return out, nil
	})
	e, err := module.NewEnsemble([]module.Program[In, Out]{given}, module.Voting[Out]{Key: key})
	return ballots[In, Out]{e}, err
}

// key returns what an answer votes for; "" is no vote.
func (b ballots[In, Out]) key(ctx context.Context, in In, out Out) (string, error) {
	pred, err := b.of.Call(context.WithValue(ctx, ballotKey{}, out), in)
	if err != nil || len(pred.Votes.Counts) == 0 {
		return "", err
	}
	return pred.Votes.Counts[0].Key, nil
}
