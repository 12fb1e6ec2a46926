package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// GEPA improves the instructions of a program by reflection: a language model reads what a
// predictor was given, what it answered and what the metric says of that in words
// (metric.Score.Feedback), and writes new instructions. It is DSPy's GEPA (Agrawal et al.,
// GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning,
// arXiv 2507.19457), draw by draw for the same answers of the models.
//
// The search keeps a pool of candidates, each scored on all validation examples. Of these,
// every example has the candidates that are best on it. A step of the search draws a
// candidate of these fronts, the more likely the more examples it leads, runs it on
// MinibatchSize training examples, has the instructions of one predictor rewritten, and
// runs the result on the same examples. If the sum of its scores is strictly greater, it is
// scored on the validation examples and joins the pool. After that, where two candidates of
// the fronts come from one ancestor and are not worse than it, a merge takes from each
// predictor's instructions the ones that were changed. The winner is the candidate with the
// best validation score, the first of equals.
//
// The model that reflects is that of [PromptModel]; it should be a strong one. A metric
// without feedback is read as the sentence that says the score: then the search is one
// by trial and error. Demos and biases of the program stay as they are.
//
// Give validation examples of their own ([Val]): without, the same examples propose and
// choose.
type GEPA struct {
	// Auto, MaxFullEvals and MaxMetricCalls are the budget, of which exactly one is to be
	// given. It is counted in metric calls: runs of the program on one example.
	// The search ends with the step that reaches it, which may exceed it by a full
	// evaluation. Auto is a budget by the size of program and data, as in DSPy. Not counted
	// are the runs by which a [Calibrated] search fits the biases of a candidate: on the
	// training examples, and on the validation examples once more.
	Auto Auto
	// MaxFullEvals is a budget of so many evaluations on all training and validation
	// examples.
	MaxFullEvals int
	// MaxMetricCalls is a budget of so many runs of the program.
	MaxMetricCalls int
	// MinibatchSize is the number of training examples of a step; 0 means 3.
	MinibatchSize int
	// Selection says how a step chooses the candidate that it changes.
	Selection Selection
	// Components says of which predictors a step rewrites the instructions.
	Components Components
	// KeepPerfect has a step reflect also where all of its examples have a score of
	// PerfectScore or more; the default is to go on to the next step.
	KeepPerfect bool
	// PerfectScore is the score that cannot be bettered; 0 means 1.
	PerfectScore float64
	// NoMerge leaves out merges. MaxMerges is the number of merges that may be accepted; 0
	// means 5, None none.
	NoMerge   bool
	MaxMerges int
	// FormatFeedback shows the model that reflects also replies that could not be read,
	// with what was wrong about them; the default is to leave such examples out.
	FormatFeedback bool
	// Seed is that of the draws.
	Seed int64
}

// Selection is how [GEPA] chooses the candidate that it changes.
type Selection int

const (
	// SelectPareto draws among the candidates that are best on some validation example, in
	// proportion to the number of examples.
	SelectPareto Selection = iota
	// SelectBest takes the candidate with the best validation score, the first of equals.
	SelectBest
)

// String returns what the selection is called in reports.
func (s Selection) String() string {
	switch s {
	case SelectPareto:
		return "pareto"
	case SelectBest:
		return "current best"
	}
	return fmt.Sprintf("selection %d", int(s))
}

// Components are the predictors whose instructions a step of [GEPA] rewrites.
type Components int

const (
	// RoundRobin takes one predictor after the other.
	RoundRobin Components = iota
	// AllComponents takes all in each step.
	AllComponents
)

// String returns what the components are called in reports.
func (c Components) String() string {
	switch c {
	case RoundRobin:
		return "round robin"
	case AllComponents:
		return "all"
	}
	return fmt.Sprintf("components %d", int(c))
}

// DSPy's defaults.
const (
	defaultGEPAMinibatch = 3
	defaultGEPAMerges    = 5
	// gepaAutoRows and gepaAutoFull are the sizes by which Auto's budget is reckoned: those
	// of MIPROv2, not those of this search.
	gepaAutoRows = 35
	gepaAutoFull = 5
)

// String implements Optimizer.
func (o GEPA) String() string {
	budget := fmt.Sprintf("auto=%s", o.Auto)
	switch {
	case o.MaxFullEvals != 0:
		budget = fmt.Sprintf("full evals=%d", o.MaxFullEvals)
	case o.MaxMetricCalls != 0:
		budget = fmt.Sprintf("metric calls=%d", o.MaxMetricCalls)
	}
	s := fmt.Sprintf("GEPA(%s, minibatch=%d, selection=%s, components=%s, merges=%d, seed=%d",
		budget, o.minibatch(), o.Selection, o.Components, o.merges(), o.Seed)
	if o.KeepPerfect {
		s += ", keep perfect"
	}
	if p := o.perfect(); p != 1 {
		s += fmt.Sprintf(", perfect=%g", p)
	}
	if o.FormatFeedback {
		s += ", format feedback"
	}
	return s + ")"
}

func (o GEPA) minibatch() int { return count(o.MinibatchSize, defaultGEPAMinibatch) }

func (o GEPA) merges() int {
	if o.NoMerge {
		return 0
	}
	return count(o.MaxMerges, defaultGEPAMerges)
}

func (o GEPA) perfect() float64 {
	if o.PerfectScore == 0 {
		return 1
	}
	return o.PerfectScore
}

func (o GEPA) check() error {
	given := 0
	for _, is := range []bool{o.Auto != 0, o.MaxFullEvals != 0, o.MaxMetricCalls != 0} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return fmt.Errorf("optimize: GEPA: %d of Auto, MaxFullEvals and MaxMetricCalls are given: want exactly one, for example Auto: optimize.AutoLight", given)
	case o.Auto != 0 && autoCandidates(o.Auto) == 0:
		return fmt.Errorf("optimize: GEPA: the budget Auto is %d: want one of optimize.AutoLight, AutoMedium and AutoHeavy", o.Auto)
	case o.MaxFullEvals < 0:
		return fmt.Errorf("optimize: GEPA: MaxFullEvals is %d: want at least 1", o.MaxFullEvals)
	case o.MaxMetricCalls < 0:
		return fmt.Errorf("optimize: GEPA: MaxMetricCalls is %d: want at least 1", o.MaxMetricCalls)
	case o.minibatch() < 1:
		return errors.New("optimize: GEPA: MinibatchSize is None: want at least 1, as a step reflects on examples")
	case o.Selection != SelectPareto && o.Selection != SelectBest:
		return fmt.Errorf("optimize: GEPA: Selection is %d: want SelectPareto or SelectBest", int(o.Selection))
	case o.Components != RoundRobin && o.Components != AllComponents:
		return fmt.Errorf("optimize: GEPA: Components is %d: want RoundRobin or AllComponents", int(o.Components))
	case math.IsNaN(o.PerfectScore) || math.IsInf(o.PerfectScore, 0):
		return fmt.Errorf("optimize: GEPA: PerfectScore is %v: want a finite number", o.PerfectScore)
	}
	return nil
}

// budget returns the number of metric calls that end the search.
func (o GEPA) budget(s *session) int {
	own := 0 // validation examples that are not the training examples
	if s.options.val != nil {
		own = s.sizes[valSet]
	}
	switch {
	case o.MaxMetricCalls != 0:
		return o.MaxMetricCalls
	case o.MaxFullEvals != 0:
		return o.MaxFullEvals * (s.sizes[trainSet] + own)
	}
	return autoMetricCalls(autoCandidates(o.Auto), len(s.named), s.sizes[valSet])
}

// autoMetricCalls is DSPy's budget: what MIPROv2 would run with n candidates per predictor.
func autoMetricCalls(n, predictors, val int) int {
	trials := int(max(2*float64(2*predictors)*math.Log2(float64(n)), 1.5*float64(n)))
	full := (trials+1)/gepaAutoFull + 1
	if trials < gepaAutoFull {
		full++
	}
	return val + 5*n + trials*gepaAutoRows + full*val
}

// plan is what the budget allows, where each step reflects: a step that finds all of its
// examples perfect does not. In a calibrated search at least one candidate has biases fitted.
func (o GEPA) plan(s *session) plan {
	calls := o.budget(s)
	texts := 1
	if o.Components == AllComponents {
		texts = len(s.named)
	}
	steps := max(0, calls-s.sizes[valSet]) / (2 * o.minibatch())
	fitting := s.measuring() - s.sizes[valSet]
	return plan{searching: max(calls, s.sizes[valSet]) + fitting, proposing: steps * texts}
}

func (o GEPA) search(ctx context.Context, s *session) error {
	s.result.Seed = o.Seed
	g, err := newEvolution(o, s)
	if err != nil {
		return err
	}
	if err := g.start(ctx); err != nil {
		return fmt.Errorf("the program as it is: %w", err)
	}
	for g.calls < g.budget {
		g.step++
		if err := g.advance(ctx); err != nil {
			return fmt.Errorf("step %d: %w", g.step, err)
		}
	}
	s.why = fmt.Sprintf("the budget of %d metric calls was used up: %d in %d steps, with %d candidates in the pool and %d merges", g.budget, g.calls, g.step, len(g.pool), g.merged)
	return nil
}
