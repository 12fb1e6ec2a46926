package optimize

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/router"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Goal is what a threshold is to reach: [ForShare], [ForQuality] or [ForCost].
type Goal struct {
	text string
	pick func(c *router.Curve) (router.Point, error)
}

// String says what the goal is.
func (g Goal) String() string { return g.text }

// ForShare wishes for the share of the examples that the last program answers, 0 to 1, as
// near as the scores allow.
func ForShare(share float64) Goal {
	return Goal{fmt.Sprintf("a share of %g for the last program", share), func(c *router.Curve) (router.Point, error) { return c.ForShare(share) }}
}

// ForQuality wishes for the lowest cost with a mean of the metric of at least quality, by
// its one-sided lower bound (Wilson's) at a level of confidence, for example 0.95; at 0.5
// the mean itself counts.
func ForQuality(quality, level float64) Goal {
	return Goal{fmt.Sprintf("a quality of %g at level %g", quality, level), func(c *router.Curve) (router.Point, error) { return c.ForQuality(quality, level) }}
}

// ForCost wishes for the best mean of the metric with a mean cost of at most cost.
func ForCost(cost float64) Goal {
	return Goal{fmt.Sprintf("a cost of at most %g", cost), func(c *router.Curve) (router.Point, error) { return c.ForCost(cost) }}
}

// ThresholdFit is the threshold of a [module.Cascade] or a [module.Router] of two programs
// that was fitted to examples.
type ThresholdFit struct {
	// Thresholds are for SetThresholds: see [ThresholdFit.Apply].
	Thresholds []float64
	// Point is what they make of the examples, and Curve what every threshold makes. As the
	// examples chose the point, it looks better than it is: evaluate the program on others.
	// In a cascade the scores of the curve are 1 less the confidence, and so are its
	// thresholds.
	Point router.Point
	Curve *router.Curve
	// Goal is what was wished for.
	Goal Goal
	// Rows is the number of examples, and Failed that of the errors of each program, which
	// count as wrong answers.
	Rows   int
	Failed []int
	// Usage is what the fit has cost, the metric's calls included.
	Usage lm.Usage
}

// Apply sets the thresholds of a program.
func (f *ThresholdFit) Apply(p interface {
	SetThresholds(thresholds []float64) error
},
) error {
	return p.SetThresholds(f.Thresholds)
}

// String sums the fit up in a few lines.
func (f *ThresholdFit) String() string {
	var b strings.Builder
	line := func(name string, p router.Point) {
		fmt.Fprintf(&b, "%-7s share %.3f, quality %.4f, cost %.6g\n", name, p.Share, p.Quality, p.Cost)
	}
	fmt.Fprintf(&b, "%s on %d examples: threshold %.6g\n", f.Goal, f.Rows, f.Thresholds[0])
	line("first", f.Curve.Weak())
	line("fitted", f.Point)
	line("last", f.Curve.Strong())
	if apgr, err := f.Curve.APGR(); err != nil {
		b.WriteString("the last program is not better than the first\n")
	} else {
		pgr, _ := f.Curve.PGR(f.Point.Threshold)
		fmt.Fprintf(&b, "PGR %.3f, APGR %.3f", pgr, apgr)
		for _, q := range []float64{0.2, 0.5, 0.8} {
			if cpt, err := f.Curve.CPT(q); err == nil {
				fmt.Fprintf(&b, ", CPT(%.0f%%) %.3f", 100*q, cpt)
			}
		}
		b.WriteByte('\n')
	}
	for i, n := range f.Failed {
		if n > 0 {
			fmt.Fprintf(&b, "program %d failed on %d examples\n", i, n)
		}
	}
	fmt.Fprintf(&b, "%d calls", f.Usage.Calls)
	return b.String()
}

// FitCascade finds the threshold of a cascade of two programs: it runs both over all
// examples and chooses among all thresholds that differ. The metric is the quality of an
// answer, 0 to 1, and so must be the confidences. The cascade stays as it is: see
// [ThresholdFit.Apply].
//
// Through, Progress and Concurrency are the options that it takes. Nothing is kept in
// memory, as an answer from there has no cost: put a store before the models with Through
// and use [FixedCost] to pay once only. An example on which the first program fails counts
// for the last one where the cascade skips errors, and else as wrong.
func FitCascade[In, Out any](ctx context.Context, c *module.Cascade[In, Out], data []module.Example[In, Out], m metric.Metric[In, Out], goal Goal, cost Cost, opts ...Option) (*ThresholdFit, error) {
	if c == nil {
		return nil, errors.New("optimize: the cascade is nil")
	}
	s, err := newSweep("FitCascade", c.Programs, data, m, opts)
	if err != nil {
		return nil, err
	}
	s.confidence = func(ctx context.Context, program int, in In, got *module.Prediction[Out]) (float64, error) {
		if program == len(c.Programs)-1 {
			return 1, nil
		}
		return c.Confidence(ctx, in, got)
	}
	return fitThreshold(ctx, s, goal, cost, router.Cascade, func(rows [][]observation, outcomes []router.Outcome) error {
		for i, row := range rows {
			if row[0].err == nil {
				if c := row[0].confidence; !(c >= 0 && c <= 1) {
					return fmt.Errorf("optimize: FitCascade: example %s: the confidence is %v; want 0 to 1", exampleName(data[i].ID, i), c)
				}
			} else if o := &outcomes[i]; c.SkipsErrors() { // the last answers, whatever the threshold
				o.WeakQuality, o.WeakCost, o.StrongCost = o.StrongQuality, o.WeakCost+o.StrongCost, 0
			} else { // nobody does
				o.StrongQuality, o.StrongCost = 0, 0
			}
			outcomes[i].Score = 1 - row[0].confidence // a failed one has 0
		}
		return nil
	}, func(rows [][]observation, t float64) float64 {
		// Taken is what has at least the threshold: the least confidence that does not go on.
		taken := router.Never
		for _, row := range rows {
			if 1-row[0].confidence < t {
				taken = min(taken, row[0].confidence)
			}
		}
		if t >= router.Never {
			return 0
		}
		return taken
	})
}

// FitRouter finds the threshold of a router of two programs: it runs the scorer and both
// programs over all examples and chooses among all thresholds that differ. The metric is
// the quality of an answer, 0 to 1, and so must be the scores. The router stays as it is:
// see [ThresholdFit.Apply]. What the scorer costs is in Usage and not in the curve, as it is
// the same for every threshold. The options are those of [FitCascade].
func FitRouter[In, Out any](ctx context.Context, r *module.Router[In, Out], data []module.Example[In, Out], m metric.Metric[In, Out], goal Goal, cost Cost, opts ...Option) (*ThresholdFit, error) {
	if r == nil {
		return nil, errors.New("optimize: the router is nil")
	}
	s, err := newSweep("FitRouter", r.Programs, data, m, opts)
	if err != nil {
		return nil, err
	}
	scores := &sweep[In, float64]{
		what: "FitRouter, scorer", programs: []module.Program[In, float64]{r.Scorer}, options: s.options,
		metric: func(context.Context, module.Example[In, float64], float64, *trace.Trace) (metric.Score, error) {
			return metric.Score{}, nil
		},
		confidence: func(_ context.Context, _ int, _ In, got *module.Prediction[float64]) (float64, error) {
			return got.Out, nil
		},
	}
	for _, ex := range data {
		scores.data = append(scores.data, module.Example[In, float64]{In: ex.In, ID: ex.ID})
	}
	scored, err := scores.run(ctx)
	if err != nil {
		return nil, err
	}
	f, err := fitThreshold(ctx, s, goal, cost, router.Route, func(_ [][]observation, outcomes []router.Outcome) error {
		for i, row := range scored {
			if row[0].err != nil {
				return fmt.Errorf("optimize: FitRouter: example %s: the scorer: %w", exampleName(data[i].ID, i), row[0].err)
			}
			if v := row[0].confidence; !(v >= 0 && v <= 1) {
				return fmt.Errorf("optimize: FitRouter: example %s: the score is %v; want 0 to 1", exampleName(data[i].ID, i), v)
			}
			outcomes[i].Score = row[0].confidence
		}
		return nil
	}, func(_ [][]observation, t float64) float64 { return t })
	if err != nil {
		return nil, err
	}
	u, _ := spent(scored)
	f.Usage = f.Usage.Add(u)
	return f, nil
}

// fitThreshold runs a sweep and fits a threshold. score fills in the scores and what follows from
// errors; own makes of a curve's threshold one of the module.
func fitThreshold[In, Out any](ctx context.Context, s *sweep[In, Out], goal Goal, cost Cost, plan router.Plan, score func([][]observation, []router.Outcome) error, own func(rows [][]observation, t float64) float64) (*ThresholdFit, error) {
	switch {
	case len(s.programs) != 2:
		return nil, fmt.Errorf("optimize: %s: %d programs; thresholds are fitted for two", s.what, len(s.programs))
	case goal.pick == nil:
		return nil, fmt.Errorf("optimize: %s: no goal: give ForShare, ForQuality or ForCost", s.what)
	case cost == nil:
		return nil, fmt.Errorf("optimize: %s: no cost: give CostInTokens, CostInDollars, CostInCalls or FixedCost", s.what)
	}
	rows, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	outcomes := make([]router.Outcome, len(rows))
	for i, row := range rows {
		o := &outcomes[i]
		o.WeakQuality, o.StrongQuality = row[0].quality, row[1].quality
		for k, to := range []*float64{&o.WeakCost, &o.StrongCost} {
			if *to, err = cost(k, row[k].usage); err != nil {
				return nil, fmt.Errorf("optimize: %s: example %s: the cost of program %d: %w", s.what, exampleName(s.data[i].ID, i), k, err)
			}
		}
	}
	if err := score(rows, outcomes); err != nil {
		return nil, err
	}
	f := &ThresholdFit{Goal: goal, Rows: len(rows)}
	f.Usage, f.Failed = spent(rows)
	if f.Curve, err = router.Fit(outcomes, plan); err != nil {
		return nil, fmt.Errorf("optimize: %s: %w", s.what, err)
	}
	if f.Point, err = goal.pick(f.Curve); err != nil {
		return nil, fmt.Errorf("optimize: %s: %w", s.what, err)
	}
	f.Thresholds = []float64{own(rows, f.Point.Threshold)}
	return f, nil
}
