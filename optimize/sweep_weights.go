package optimize

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// WeightFit is how often each member of a [module.Ensemble] was right.
type WeightFit struct {
	// Accuracies are the smoothed shares of right answers, (right+1)/(answers+2), so that
	// none is 0 or 1: see [WeightFit.Apply].
	Accuracies []float64
	// Weights are their log-odds, which the votes will weigh.
	Weights []float64
	// Right is the sum of the metric for each member, Failed the number of examples on
	// which it had an error; these do not count, as a member that fails has no vote.
	Right  []float64
	Failed []int
	// Rows is the number of examples, Classes that of possible answers.
	Rows, Classes int
	// Usage is what the fit has cost, the metric's calls included.
	Usage lm.Usage
}

// FitWeights runs each member of an ensemble over the examples and weighs its vote by the
// log-odds of being right: see module.LogOdds. The metric is 1 for a right answer and 0
// for a wrong one, or something between. The ensemble stays as it is: see
// [WeightFit.Apply]. It must know its number of classes (module.Voting). Members that err
// together are trusted too much, as log-odds are for independent ones: compare the
// ensembles with and without on other examples.
//
// Through, Progress and Concurrency are the options that it takes.
func FitWeights[In, Out any](ctx context.Context, e *module.Ensemble[In, Out], data []module.Example[In, Out], m metric.Metric[In, Out], opts ...Option) (*WeightFit, error) {
	switch {
	case e == nil:
		return nil, errors.New("optimize: the ensemble is nil")
	case e.Classes() == 0:
		return nil, errors.New("optimize: FitWeights: the ensemble does not know how many answers are possible: set Voting.Classes")
	}
	s, err := newSweep("FitWeights", e.Programs, data, m, opts)
	if err != nil {
		return nil, err
	}
	rows, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	f := &WeightFit{Rows: len(rows), Classes: e.Classes(), Right: make([]float64, len(e.Programs))}
	f.Usage, f.Failed = spent(rows)
	for i := range e.Programs {
		for _, row := range rows {
			f.Right[i] += row[i].quality
		}
		accuracy := (f.Right[i] + 1) / float64(len(rows)-f.Failed[i]+2)
		weight, err := module.LogOdds(accuracy, f.Classes)
		if err != nil {
			return nil, fmt.Errorf("optimize: FitWeights: member %d: %w", i, err)
		}
		f.Accuracies, f.Weights = append(f.Accuracies, accuracy), append(f.Weights, weight)
	}
	return f, nil
}

// Apply sets the accuracies of an ensemble.
func (f *WeightFit) Apply(p interface {
	SetAccuracies(accuracies []float64) error
},
) error {
	return p.SetAccuracies(f.Accuracies)
}

// String has a line for each member.
func (f *WeightFit) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d members on %d examples, %d classes\n", len(f.Weights), f.Rows, f.Classes)
	for i := range f.Weights {
		fmt.Fprintf(&b, "programs[%d]: accuracy %.4f, weight %.3f", i, f.Accuracies[i], f.Weights[i])
		if f.Failed[i] > 0 {
			fmt.Fprintf(&b, ", failed on %d", f.Failed[i])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d calls", f.Usage.Calls)
	return b.String()
}
