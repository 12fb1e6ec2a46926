package metric

import (
	"fmt"
	"math"
)

// Outcome is one scored row of a data set, as an [Objective] sees it.
type Outcome[Out any] struct {
	// ID names the row in errors.
	ID string
	// Truth is the example's answer and Got the program's. Got is the zero value
	// when the row failed.
	Truth, Got Out
	// Failed says that the program or the metric returned an error.
	Failed bool
	// Score is the example metric's value, or the failure score.
	Score float64
}

// Objective is the score of a program on a whole data set, where the mean of
// the rows' scores is not what is wanted: [MacroF1], [BalancedAccuracy], or any
// function over all outcomes. More is better; search optimises it.
//
// The zero Objective is not usable: [Mean] is the default one.
type Objective[Out any] struct {
	// Name is shown in reports, for example "macro F1".
	Name string
	// Score computes the score. It must be deterministic, must not change the
	// outcomes, must not depend on their order, and must accept any multiset of
	// them, as bootstrap intervals resample the rows. It must be safe for
	// concurrent use.
	Score func(outcomes []Outcome[Out]) (float64, error)

	// prepare is the fast way to score many resamples of the same rows.
	prepare func(outcomes []Outcome[Out]) (func(idx []int) float64, error)
	// mean says that it is Mean, of which more is known.
	mean bool
}

// Mean returns the default objective: the mean of the rows' scores, failed rows
// included with the failure score.
func Mean[Out any]() Objective[Out] {
	o := prepared("mean", func(outcomes []Outcome[Out]) (func([]int) float64, error) {
		return func(idx []int) float64 {
			sum := 0.0
			for _, i := range idx {
				sum += outcomes[i].Score
			}
			return sum / float64(len(idx))
		}, nil
	})
	o.mean = true
	return o
}

// MacroF1 returns the objective that is the mean of the classes' F1 over a fixed
// label set, each class counting the same however rare it is. label says which
// label an output carries. Labels are the label set; when none are given, they
// are the Enum() of L. A class that occurs neither in truth nor in answers has
// an F1 of 0. A failed row, or one whose answer is not in the label set, is a
// miss for its true class. A true label that is not in the set is a
// [*LabelError].
func MacroF1[Out any, L ~string](label func(Out) L, labels ...L) Objective[Out] {
	return confusionObjective("macro F1", label, labels, func(c *counts) float64 { return c.macroF1() })
}

// BalancedAccuracy returns the objective that is the mean of the classes' recall
// over those classes that occur in the truth, as scikit-learn's. Arguments and
// errors are those of [MacroF1].
func BalancedAccuracy[Out any, L ~string](label func(Out) L, labels ...L) Objective[Out] {
	return confusionObjective("balanced accuracy", label, labels, func(c *counts) float64 { return c.balancedAccuracy() })
}

// Accuracy returns the objective that is the share of rows whose label is right.
// Arguments and errors are those of [MacroF1].
func Accuracy[Out any, L ~string](label func(Out) L, labels ...L) Objective[Out] {
	return confusionObjective("accuracy", label, labels, func(c *counts) float64 { return c.accuracy() })
}

func prepared[Out any](name string, prepare func([]Outcome[Out]) (func([]int) float64, error)) Objective[Out] {
	return Objective[Out]{Name: name, prepare: prepare, Score: func(outcomes []Outcome[Out]) (float64, error) {
		if len(outcomes) == 0 {
			return 0, errNoOutcomes
		}
		stat, err := prepare(outcomes)
		if err != nil {
			return 0, err
		}
		return stat(all(len(outcomes))), nil
	}}
}

func confusionObjective[Out any, L ~string](name string, label func(Out) L, labels []L, f func(*counts) float64) Objective[Out] {
	return prepared(name, func(outcomes []Outcome[Out]) (func([]int) float64, error) {
		set, err := newLabelSet(labels)
		if err != nil {
			return nil, err
		}
		truth, got, err := indexes(set, outcomes, label)
		if err != nil {
			return nil, err
		}
		return func(idx []int) float64 {
			c := newCounts(len(set.labels))
			for _, i := range idx {
				c.add(truth[i], got[i])
			}
			return f(c)
		}, nil
	})
}

// Stat returns the objective as a function of row numbers into outcomes, as
// [PairedBootstrap] wants it: outcomes are checked and prepared once. Row numbers
// may repeat. The returned function gives NaN when Score returns an error; it is
// safe for concurrent use.
func (o Objective[Out]) Stat(outcomes []Outcome[Out]) (func(idx []int) float64, error) {
	switch {
	case len(outcomes) == 0:
		return nil, errNoOutcomes
	case o.prepare != nil:
		return o.prepare(outcomes)
	case o.Score == nil:
		return nil, fmt.Errorf("metric: the objective %q has no Score function", o.Name)
	}
	if _, err := o.Score(outcomes); err != nil {
		return nil, err
	}
	return func(idx []int) float64 {
		rows := make([]Outcome[Out], len(idx))
		for i, j := range idx {
			rows[i] = outcomes[j]
		}
		v, err := o.Score(rows)
		if err != nil {
			return math.NaN()
		}
		return v
	}, nil
}

// Validate reports what can be known to be wrong before any row has an answer: a
// missing Score function, a missing label set, or, for the objectives of this
// package, a true label that is not in the set. Of the outcomes it reads ID and
// Truth.
func (o Objective[Out]) Validate(outcomes []Outcome[Out]) error {
	if o.prepare == nil {
		if o.Score == nil {
			return fmt.Errorf("metric: the objective %q has no Score function", o.Name)
		}
		return nil
	}
	unanswered := make([]Outcome[Out], len(outcomes))
	for i, row := range outcomes {
		unanswered[i] = Outcome[Out]{ID: row.ID, Truth: row.Truth, Failed: true}
	}
	_, err := o.prepare(unanswered)
	return err
}

// Interval returns the bootstrap interval of the objective over the outcomes:
// see [PairedBootstrap].
func (o Objective[Out]) Interval(outcomes []Outcome[Out], r Resampling) (Interval, error) {
	stat, err := o.Stat(outcomes)
	if err != nil {
		return Interval{}, err
	}
	return PairedBootstrap(len(outcomes), r, stat)
}

// all returns 0 to n-1.
func all(n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}
