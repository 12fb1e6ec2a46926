package optimize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

const (
	defaultEnsembleSize  = 5
	defaultEnsembleFolds = 5
)

// Ensemble says how [SelectEnsemble] chooses, among the candidates of a search, those that
// vote best together: forward selection with replacement (Caruana, Niculescu-Mizil, Crew and
// Ksikes, Ensemble Selection from Libraries of Models, ICML 2004). DSPy's Ensemble, which
// takes programs and lets all or some of them vote, is module.NewEnsemble.
//
// The first member is the candidate with the best score; each further one is that with which
// the vote scores best, which may be one that is a member already and then has a vote more.
// An even vote decides as the earliest member did, so that a second one alone changes little:
// of equal scores counts whose members agree more on what is right, by the mean logarithm of
// the share of right votes, and then the earlier trial. Of the sequence those first members
// are chosen that score best, of equals the fewest, so that there may be only one.
type Ensemble[Out any] struct {
	// Size is how many votes there may be; 0 means 5.
	Size int
	// Best is how many of the candidates enter, those with the best scores; 0 means all.
	Best int
	// Folds is the number of parts of the examples for cross-validation, at least 2; 0 means
	// 5, and None that there is none.
	Folds int
	// Seed draws which examples are a part.
	Seed uint64
	// Voting says how members vote. It may have Key, EarlyExit, Batch and MaxErrors;
	// weights are what is chosen here, and of LogProbs and Size nothing is known beforehand.
	Voting module.Voting[Out]
}

func (e Ensemble[Out]) size() int  { return count(e.Size, defaultEnsembleSize) }
func (e Ensemble[Out]) folds() int { return count(e.Folds, defaultEnsembleFolds) }

// String names the settings.
func (e Ensemble[Out]) String() string {
	s := fmt.Sprintf("Ensemble(size=%d, folds=%d, seed=%d", e.size(), e.folds(), e.Seed)
	if e.Best > 0 {
		s += fmt.Sprintf(", best=%d", e.Best)
	}
	return s + ")"
}

func (e Ensemble[Out]) check(rows int) error {
	v := e.Voting
	switch {
	case e.size() < 1:
		return fmt.Errorf("a Size of %d: want at least 1; 0 means %d", e.Size, defaultEnsembleSize)
	case e.Best < 0:
		return fmt.Errorf("a Best of %d: want 0, for all candidates, or more", e.Best)
	case e.folds() == 1 || e.folds() > rows:
		return fmt.Errorf("%d folds of %d examples: want at least 2 folds and an example for each; with None there is no cross-validation", e.folds(), rows)
	case v.Weights != nil || v.Accuracies != nil || v.LogProbs != "" || v.Size != 0:
		return errors.New("the Voting has Weights, Accuracies, LogProbs or Size: leave them out")
	}
	return nil
}

// EnsembleChoice is what [SelectEnsemble] found.
type EnsembleChoice struct {
	// Members are the chosen trials' indexes in Result.Trials, in the order in which they
	// were chosen; one that has several votes stands there several times. See [EnsembleOf].
	Members []int
	// Objective names what was maximised. Score is its value for the vote on the examples
	// that chose the members, and so too good; SingleScore that of the best candidate alone,
	// the trial Single. Curve is the score of the first member, the first two, and so on,
	// also beyond Members.
	Objective          string
	Score, SingleScore float64
	Single             int
	Curve              []float64
	// CrossValidation compares what was chosen on the other parts of the examples, part by
	// part on those that did not choose: before is the best candidate, after the ensemble.
	// It is nil without Folds. The parts share most of what they choose by, so the test is an
	// approximation.
	CrossValidation *Confirmation
	// Trials are the candidates, as indexes in Result.Trials, Scores their scores on the
	// examples, and Failed the numbers of examples on which they had an error.
	Trials []int
	Scores []float64
	Failed []int
	// Rows is the number of examples.
	Rows int
	// Calls counts the calls of language models, and Usage what they cost, the metric's
	// included.
	Calls Calls
	Usage lm.Usage
}

// SelectEnsemble runs each candidate of a search once over examples, and chooses among them
// an ensemble by the settings e: see [Ensemble]. Candidates are the trials that were scored
// on all validation examples or not at all; where there are none, as of a [Race], the 16 that
// have answered most examples, of equals those with the best scores. p is the program that was compiled, or another
// one of its type, and stays as it is. [EnsembleOf] makes a program of the choice.
//
// The examples must not be training ones, whose answers candidates have seen; the search's
// validation examples will do, and on those the answers are known already where both were
// given the same store ([Through]). A candidate's answer that fails, or that the metric fails
// on, has no vote, and fails the ensemble where more than Voting.MaxErrors do. A metric that
// reads the trace sees that of the member whose answer won.
//
// [By], [Through], [Within], [Progress] and [Concurrency] are the options that it takes. It
// returns an error where an argument is missing or a setting out of range, no trial can be a
// candidate, all failed on every example, the context ended, or a budget is spent.
func SelectEnsemble[In, Out any](ctx context.Context, e Ensemble[Out], p module.Program[In, Out], r *Result, val []module.Example[In, Out], m metric.Metric[In, Out], opts ...Option) (*EnsembleChoice, error) {
	choice, err := selectEnsemble(ctx, e, p, r, val, m, opts)
	if err != nil {
		return nil, fmt.Errorf("optimize: SelectEnsemble: %w", err)
	}
	return choice, nil
}

func selectEnsemble[In, Out any](ctx context.Context, e Ensemble[Out], p module.Program[In, Out], r *Result, val []module.Example[In, Out], m metric.Metric[In, Out], opts []Option) (*EnsembleChoice, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case p == nil:
		return nil, errors.New("the program is nil")
	case r == nil:
		return nil, errors.New("the result is nil")
	case m == nil:
		return nil, errors.New("the metric is nil")
	case len(val) == 0:
		return nil, fmt.Errorf("no examples: %w", evaluate.ErrNoData)
	case o.val != nil || o.fresh != nil || o.teacher != nil || o.teacherProg != nil || o.promptModel != nil || o.calibrate != nil:
		return nil, errors.New("By, Through, Within, Progress and Concurrency are the options that it takes; leave the others out")
	}
	if err := e.check(len(val)); err != nil {
		return nil, err
	}
	v := ensembleVotes[Out]{objective: metric.Mean[Out](), maxErrors: e.Voting.MaxErrors}
	if o.objective != nil {
		objective, ok := o.objective.(metric.Objective[Out])
		if !ok {
			return nil, fmt.Errorf("the objective given to By is a %T, but the program's answers need a %T", o.objective, v.objective)
		}
		v.objective = objective
	}
	choice := &EnsembleChoice{Objective: v.objective.Name, Rows: len(val)}
	if err := runEnsemble(ctx, e, p, r, val, m, o, &v, choice); err != nil {
		return nil, err
	}
	v.keep(e.Best, choice)
	return choice, v.choose(e.size(), e.folds(), e.Seed, choice)
}

// runEnsemble fills in what each candidate answers.
func runEnsemble[In, Out any](ctx context.Context, e Ensemble[Out], p module.Program[In, Out], r *Result, val []module.Example[In, Out], m metric.Metric[In, Out], o options, v *ensembleVotes[Out], choice *EnsembleChoice) error {
	named, err := module.Predictors(p)
	if err != nil {
		return err
	}
	teller, err := newBallots[In](e.Voting.Key)
	if err != nil {
		return err
	}
	store := NewStore()
	through := append(slices.Clip(o.through), o.budget.middleware(time.Now())...)
	ctx = lm.Wrap(ctx, func(m lm.LM) lm.LM { return lm.Chain(m, through...) })
	ctx = lm.Wrap(ctx, store.Wrap)
	var failure error
	for _, i := range ensembleTrials(r) {
		t := r.Trials[i]
		states, err := trialStates(named, t.States, r.byPtr)
		if err != nil {
			return fmt.Errorf("trial %d (%s): %w", i, t.Name, err)
		}
		report, err := evaluate.Run(module.WithStates(ctx, states), p, val, m, evaluate.Concurrency(o.concurrency), evaluate.By(v.objective))
		if err != nil {
			return fmt.Errorf("trial %d (%s): %w", i, t.Name, err)
		}
		keys := make([]string, len(report.Rows))
		for k, row := range report.Rows {
			if row.Err != nil {
				if failure == nil {
					failure = fmt.Errorf("trial %d (%s): %s: %w", i, t.Name, row.Name(), row.Err)
				}
				continue
			}
			if keys[k], err = teller.key(ctx, row.Example.In, row.Out); err != nil {
				return fmt.Errorf("trial %d (%s): the vote of %s: %w", i, t.Name, row.Name(), err)
			}
		}
		v.add(report.Outcomes(), keys)
		choice.Trials = append(choice.Trials, i)
		choice.Scores = append(choice.Scores, report.Score)
		choice.Failed = append(choice.Failed, report.Failed)
		choice.Usage = choice.Usage.Add(report.Usage).Add(report.MetricUsage)
		if o.progress != nil {
			_, _ = fmt.Fprintf(o.progress, "optimize: SelectEnsemble: trial %d, %s: %s %.4f\n", i, t.Name, choice.Objective, report.Score)
		}
	}
	choice.Calls = store.Calls()
	switch {
	case len(choice.Trials) == 0:
		return errors.New("the result has no trial with states: want one of a search that ran")
	case !slices.ContainsFunc(choice.Failed, func(n int) bool { return n < len(val) }):
		return fmt.Errorf("every candidate failed on every example; the first error: %w", failure)
	}
	return nil
}

// String sums the choice up in a few lines.
func (c *EnsembleChoice) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d votes of the trials %v, chosen among %d: %s %.4f on the %d examples that chose them; the best alone, trial %d: %.4f\n",
		len(c.Members), c.Members, len(c.Trials), c.Objective, c.Score, c.Rows, c.Single, c.SingleScore)
	if c.CrossValidation != nil {
		fmt.Fprintf(&b, "cross-validated, from the best alone to the ensemble: %s\n", c.CrossValidation)
	} else {
		b.WriteString("not cross-validated\n")
	}
	fmt.Fprintf(&b, "%d calls requested, %d paid", c.Calls.Requested, c.Calls.Paid)
	return b.String()
}

// ensembleMost is how many candidates enter of a search that scored none in full.
const ensembleMost = 16

// ensembleTrials returns the indexes of the trials that may be members.
func ensembleTrials(r *Result) []int {
	var full, part []int
	for i, t := range r.Trials {
		switch {
		case len(t.States) == 0:
		case t.Rows == nil || r.Rows > 0 && len(t.Rows) >= r.Rows:
			full = append(full, i)
		default:
			part = append(part, i)
		}
	}
	if len(full) > 0 {
		return full
	}
	slices.SortStableFunc(part, func(a, b int) int {
		x, y := r.Trials[a], r.Trials[b]
		return cmp.Or(cmp.Compare(len(y.Rows), len(x.Rows)), cmp.Compare(y.Score, x.Score))
	})
	part = part[:min(len(part), ensembleMost)]
	slices.Sort(part)
	return part
}
