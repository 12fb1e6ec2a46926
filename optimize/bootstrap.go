package optimize

import (
	"context"
	"fmt"
	"slices"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// BootstrapFewShot makes demos of what a teacher does: the program runs on one
// training example after the other, and where the metric accepts the answer,
// what went in and out of each predictor becomes a demo for it, so that also the
// steps between get demos that no data set has (Khattab et al., DSPy,
// arXiv 2310.03714, section 4). The demos are filled up with labeled examples.
//
// It does what DSPy's does, draw by draw. The teacher is the program itself with
// MaxLabeled labeled demos (see [LabeledFewShot]); the example that it is to
// answer is never among them. Two things differ: where a predictor is called
// several times for one example, the last call becomes the demo (DSPy draws one
// by the hash of a Python object), and after an error the example in question
// returns to the teacher's demos (DSPy forgets it). The program is scored only
// where [Val] is given.
//
// Of a program with assertions (assert.Wrap) the demos come from the try that was the
// last, and so show what the model could mend. Whether the program asserts
// afterwards is another matter: the predictors are the same with and without the
// wrapper, and [TeacherProgram] has only the teacher assert.
type BootstrapFewShot struct {
	// MaxBootstrapped is the number of training examples to bootstrap; 0 means 4.
	MaxBootstrapped int
	// MaxLabeled is the number of demos up to which labeled examples are added, and
	// the teacher's number of demos; 0 means 16. With None the teacher is the
	// program as it is.
	MaxLabeled int
	// MaxRounds is how often an example is tried; 0 means once. Later rounds ask for
	// another rollout at temperature 1, with the request's seed plus the round (1, 2,
	// ...), or the round as the seed where it has none: so a search repeats.
	MaxRounds int
	// MaxErrors is the number of errors, of program or metric, that end the search;
	// 0 means 10, and None that the first one does.
	MaxErrors int
	// Threshold is the score from which on the metric accepts an answer; 0 means
	// that every score but 0 does.
	Threshold float64
	// CounterExamples makes demos of how to repair an answer: where package assert had a
	// step of the teacher answered again, its demo keeps the answer that was refused and
	// the feedback. They are shown in the prompt in which that predictor is asked again,
	// and in no other: a usual prompt is the same, to the letter, with them and without.
	CounterExamples bool
}

// String implements Optimizer.
func (o BootstrapFewShot) String() string {
	return "BootstrapFewShot(" + o.config().String() + ")"
}

func (o BootstrapFewShot) config() bootstrapConfig {
	return bootstrapConfig{
		bootstrapped: count(o.MaxBootstrapped, defaultBootstrapped),
		labeled:      count(o.MaxLabeled, defaultLabeled),
		rounds:       count(o.MaxRounds, defaultRounds),
		errors:       max(count(o.MaxErrors, defaultErrors), 1),
		threshold:    o.Threshold,
		counter:      o.CounterExamples,
	}
}

func (o BootstrapFewShot) search(ctx context.Context, s *session) error {
	cfg := o.config()
	c, err := bootstrap(ctx, s, cfg, identityOrder(len(s.train)))
	if err != nil {
		return err
	}
	return s.single(ctx, "bootstrapped demos", c)
}

// bootstrapConfig is a BootstrapFewShot with its defaults filled in.
type bootstrapConfig struct {
	bootstrapped, labeled, rounds, errors int
	threshold                             float64
	counter                               bool
}

// String lists the settings.
func (c bootstrapConfig) String() string {
	s := fmt.Sprintf("bootstrapped=%d, labeled=%d, rounds=%d", c.bootstrapped, c.labeled, c.rounds)
	if c.threshold != 0 {
		s += fmt.Sprintf(", threshold=%g", c.threshold)
	}
	if c.counter {
		s += ", counter-examples"
	}
	return s
}

func identityOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

// bootstrap returns the reset program with bootstrapped and labeled demos; the
// training examples are taken in the given order.
func bootstrap(ctx context.Context, s *session, cfg bootstrapConfig, order []int) (candidate, error) {
	ctx = inPhase(ctx, bootstrapping)
	b := bootstrapper{session: s, cfg: cfg, demos: make([][]module.Demo, len(s.named))}
	train := make([]signature.Record, len(order))
	for i, j := range order {
		train[i] = s.train[j]
	}
	b.teacher = slices.Clone(s.own)
	if cfg.labeled > 0 {
		b.teacher = labeled(s, cfg.labeled, train)
	}
	if m := s.options.teacher; m != nil {
		for i := range b.teacher {
			b.teacher[i].LM = m
		}
	}
	var rest []signature.Record
	found := 0
	for i, j := range order {
		ok := false
		for round := 0; round < cfg.rounds && found < cfg.bootstrapped && !ok; round++ {
			var err error
			if ok, err = b.try(ctx, j, round); err != nil {
				return nil, err
			}
		}
		if ok {
			found++
		} else {
			rest = append(rest, train[i])
		}
	}
	pyrand.Shuffle(pyrand.New(0), rest)
	rng := pyrand.New(0)
	c := s.reset()
	for i := range c {
		demos := b.demos[i]
		demos = demos[:min(len(demos), cfg.bootstrapped)]
		more := pyrand.Sample(rng, rest, max(0, cfg.labeled-len(demos)))
		c[i].Demos = append(slices.Clip(demos), demosOf(more)...)
	}
	return c, nil
}

type bootstrapper struct {
	*session
	cfg     bootstrapConfig
	teacher candidate
	demos   [][]module.Demo // by predictor
	errors  int
}

// try runs the teacher on one training example and reports whether its answer
// was accepted. It returns an error when the context ended or there were too
// many errors.
func (b *bootstrapper) try(ctx context.Context, example, round int) (bool, error) {
	steps, score, err := b.run(ctx, example, round)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if b.errors++; b.errors >= b.cfg.errors || hopeless(err) {
			return false, fmt.Errorf("bootstrapping: error %d of at most %d, at training example %s: %w", b.errors, b.cfg.errors, b.names[example], err)
		}
		return false, nil
	}
	accepted := score.Value != 0
	if b.cfg.threshold != 0 {
		accepted = score.Value >= b.cfg.threshold
	}
	if !accepted {
		return false, nil
	}
	last := make([]*module.Demo, len(b.named))
	repairs := map[*module.Prediction[signature.Record]]assert.Repair{}
	if b.cfg.counter {
		for _, r := range assert.Repairs(steps) {
			repairs[r.Step.Prediction] = r
		}
	}
	for _, st := range module.Steps(steps) {
		if i, ok := b.index[st.Predictor]; ok && st.Err == nil && !st.Dropped {
			fields := st.Inputs.Merge(st.Outputs)
			if r, ok := repairs[st.Prediction]; ok {
				fields = r.Demo()
			}
			last[i] = &module.Demo{Fields: fields, Augmented: true}
		}
	}
	for i, d := range last {
		if d != nil {
			b.demos[i] = append(b.demos[i], *d)
		}
	}
	return true, nil
}

func (b *bootstrapper) run(ctx context.Context, example, round int) (*trace.Trace, metric.Score, error) {
	c := slices.Clone(b.teacher)
	for i := range c {
		c[i].Demos = slices.DeleteFunc(slices.Clone(c[i].Demos), func(d module.Demo) bool {
			return d.Fields.Equal(b.train[example])
		})
	}
	states, err := b.states(c)
	if err != nil {
		return nil, metric.Score{}, err
	}
	return b.attempt(inRound(module.WithStates(ctx, states), round), ctx, example)
}

// inRound returns a context whose predictors draw the answers of a round. Those of the first
// are the usual ones, but rollouts of the program's own are other ones in each round.
func inRound(ctx context.Context, round int) context.Context {
	ctx = module.WithRollout(ctx, round)
	if round == 0 {
		return ctx
	}
	return lm.Wrap(module.WithTemperature(ctx, 1), func(m lm.LM) lm.LM { return seeded{m} })
}

// seeded gives a request without a seed that of its rollout.
type seeded struct{ model lm.LM }

// Unwrap implements lm.Wrapper.
func (s seeded) Unwrap() lm.LM { return s.model }

// Generate implements lm.LM.
func (s seeded) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if req.Seed == nil {
		req = req.Clone()
		req.Seed = lm.Seed(uint64(req.Rollout))
	}
	return s.model.Generate(ctx, req)
}
