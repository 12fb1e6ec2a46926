package optimize

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// LabeledFewShot gives every predictor K training examples as demos, drawn as
// DSPy draws them: one random.Random(0) for all predictors. It calls no model,
// except to score the program before and after where [Val] is given.
//
// An output that an example does not know (an empty text, an absent value) is
// left out of the demo.
type LabeledFewShot struct {
	// K is the number of demos; 0 means 16, and None no demos.
	K int
}

// String implements Optimizer.
func (o LabeledFewShot) String() string { return fmt.Sprintf("LabeledFewShot(k=%d)", o.k()) }

func (o LabeledFewShot) k() int { return count(o.K, defaultLabeled) }

func (o LabeledFewShot) search(ctx context.Context, s *session) error {
	return s.single(ctx, fmt.Sprintf("%d labeled demos", min(o.k(), len(s.train))), labeled(s, o.k(), s.train))
}

// labeled returns the reset program with k examples as demos.
func labeled(s *session, k int, train []signature.Record) candidate {
	rng := pyrand.New(0)
	c := s.reset()
	for i := range c {
		c[i].Demos = demosOf(pyrand.Sample(rng, train, k))
	}
	return c
}

func demosOf(records []signature.Record) []module.Demo {
	if len(records) == 0 {
		return nil
	}
	demos := make([]module.Demo, len(records))
	for i, r := range records {
		demos[i] = module.Demo{Fields: r}
	}
	return demos
}

// single ends a search of one candidate. It is scored only where validation
// examples are given, or biases are to be fitted.
func (s *session) single(ctx context.Context, name string, c candidate) error {
	if s.options.val == nil && s.options.calibrate == nil {
		if _, err := s.states(c); err != nil {
			return err
		}
		s.winner = c
		s.result.Trials = append(s.result.Trials, Trial{Name: name, States: s.describe(c)})
		s.result.Winner = 0
		s.why = "the one candidate was made"
		return nil
	}
	if err := s.measureBaseline(ctx); err != nil {
		return err
	}
	if err := s.measure(ctx, name, 0, c, false); err != nil {
		return err
	}
	s.why = "the one candidate was made"
	return nil
}
