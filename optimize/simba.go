package optimize

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
)

const (
	defaultSIMBABatch       = 32
	defaultSIMBACandidates  = 6
	defaultSIMBASteps       = 8
	defaultSIMBADemos       = 4
	defaultSIMBAInput       = 100_000
	defaultSIMBATemperature = 0.2
)

// SIMBA improves demos and instructions together, on one batch of training examples after
// the other, by looking at where the program's answers vary: it is DSPy's optimizer of that
// name (stochastic introspective mini-batch ascent). In each step Candidates rollouts at
// temperature 1 answer every example of a batch, each with a program that is drawn from the
// best so far. The examples whose answers differ most in score come first: from the best of
// them Candidates+1 new programs are made, each of a program that is drawn again, less some
// of its demos, in one of two ways. Either what the best run did becomes a demo of each
// predictor, or a language model ([PromptModel]) compares the best and the worst run and
// writes a rule for each predictor, which its instructions end with from then on. The new
// programs answer the same batch and join the others. In the end the program as it was and
// Candidates of the steps' winners, evenly spaced, are scored on the validation examples, and
// the best of them wins; of equals the first.
//
// It follows DSPy's decisions one by one: the program as it was counts with a score of 0
// when programs are drawn, and a program to which nothing could be added, because its
// example was not telling, is tried all the same with the demos that it has left. Python's
// random numbers are reproduced, but for how many demos are dropped (a Poisson number, which
// DSPy draws with numpy), so that runs differ from DSPy's. Four things are done otherwise.
// The last step runs on the validation examples, which are the training ones where [Val] is
// not given. A rule is asked for by predictor, and only for those that were called. Of an
// input that is too long for a demo only texts are cut. And with [By] a program's score on a
// batch is that objective, while the examples are ordered by the metric.
//
// With [Teacher] or [TeacherProgram] the first of the rollouts is the teacher's usual answer.
//
// The calls are at most Steps times (2*Candidates+1)*BatchSize of the program, 3,328 with the
// defaults, and Candidates+1 times the validation examples; the prompt model is asked for
// about Steps*(Candidates+1)/2 rules, times the predictors. Trials of a step were scored on
// training examples: their Rows are indexes of these.
type SIMBA struct {
	// BatchSize is the number of training examples of a step; 0 means 32. There must be at
	// least so many.
	BatchSize int
	// Candidates is the number of rollouts of each example, and one less than that of the
	// programs made in a step; 0 means 6.
	Candidates int
	// Steps is the number of steps; 0 means 8.
	Steps int
	// MaxDemos is the number of demos from which on at least one is dropped before another
	// is added; 0 means 4. With None only rules are made.
	MaxDemos int
	// MaxInput is the number of characters after which a text among a demo's inputs is cut;
	// 0 means 100,000, and None never.
	MaxInput int
	// SamplingTemperature and CandidateTemperature say how much better programs are
	// preferred when one is drawn to answer an example and to make a new program of: in
	// proportion to exp(score/temperature). 0 means 0.2.
	SamplingTemperature, CandidateTemperature float64
	// Seed starts the random numbers.
	Seed int64
}

// simbaConfig is a SIMBA with its defaults filled in.
type simbaConfig struct {
	batch, candidates, steps, demos, input int
	sampling, making                       float64
	seed                                   int64
}

func (o SIMBA) config() simbaConfig {
	return simbaConfig{
		batch:      count(o.BatchSize, defaultSIMBABatch),
		candidates: count(o.Candidates, defaultSIMBACandidates),
		steps:      count(o.Steps, defaultSIMBASteps),
		demos:      count(o.MaxDemos, defaultSIMBADemos),
		input:      count(o.MaxInput, defaultSIMBAInput),
		sampling:   cmp.Or(o.SamplingTemperature, defaultSIMBATemperature),
		making:     cmp.Or(o.CandidateTemperature, defaultSIMBATemperature),
		seed:       o.Seed,
	}
}

// String implements Optimizer.
func (o SIMBA) String() string {
	c := o.config()
	s := fmt.Sprintf("SIMBA(batch=%d, candidates=%d, steps=%d, demos=%d, temperatures=%g and %g, seed=%d", c.batch, c.candidates, c.steps, c.demos, c.sampling, c.making, c.seed)
	if c.input != defaultSIMBAInput {
		s += fmt.Sprintf(", input=%d", c.input)
	}
	return s + ")"
}

func (o SIMBA) check() error {
	c := o.config()
	for _, f := range []struct {
		name       string
		value, def int
	}{
		{"BatchSize", c.batch, defaultSIMBABatch},
		{"Candidates", c.candidates, defaultSIMBACandidates},
		{"Steps", c.steps, defaultSIMBASteps},
	} {
		if f.value < 1 {
			return fmt.Errorf("optimize: SIMBA: %s is %d: want at least 1; 0 means %d", f.name, f.value, f.def)
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"SamplingTemperature", c.sampling}, {"CandidateTemperature", c.making}} {
		if !(f.value > 0) || math.IsInf(f.value, 1) {
			return fmt.Errorf("optimize: SIMBA: %s is %v: want a finite number above 0; 0 means %g", f.name, f.value, defaultSIMBATemperature)
		}
	}
	return nil
}

// plan counts what a run takes in which every example has something to tell.
func (o SIMBA) plan(s *session) plan {
	c := o.config()
	rules := c.steps * (c.candidates + 1)
	if c.demos > 0 {
		rules = (rules + 1) / 2 // the other way is to add a demo
	}
	p := plan{
		proposing: rules * len(s.named),
		searching: c.steps*(2*c.candidates+1)*c.batch + len(simbaSpread(c.steps, c.candidates+1))*s.measuring(),
	}
	if s.options.teaches() {
		p.bootstrapping = c.steps * c.batch
		p.searching -= p.bootstrapping
	}
	return p
}

// teaches reports whether a teacher is given.
func (o options) teaches() bool { return o.teacher != nil || o.teacherProg != nil }

func (o SIMBA) search(ctx context.Context, s *session) error {
	cfg := o.config()
	if n := s.sizes[trainSet]; n < cfg.batch {
		return fmt.Errorf("SIMBA: %d training examples are fewer than the %d of a batch: give more, or set BatchSize", n, cfg.batch)
	}
	advise, err := simbaPrompt()
	if err != nil {
		return err
	}
	s.result.Seed = cfg.seed
	r := &simbaRun{
		session: s, cfg: cfg, advise: advise,
		rng:   pyrand.New(cfg.seed),
		drops: rand.New(rand.NewPCG(uint64(cfg.seed), 0)),
		order: identityOrder(s.sizes[trainSet]),
	}
	pyrand.Shuffle(r.rng, r.order)
	// DSPy scores the program as it is with the winners; first, it is there when the search
	// ends early.
	own, err := s.unbiased(ctx)
	if err != nil {
		return err
	}
	if err := s.measure(ctx, "the program as it is", 0, own, true); err != nil {
		return err
	}
	r.pool = []simbaProgram{{c: own}}
	r.winners = []int{0}
	for step := range cfg.steps {
		if err := r.step(ctx, step); err != nil {
			return fmt.Errorf("step %d of %d: %w", step+1, cfg.steps, err)
		}
	}
	return r.finish(ctx)
}

// simbaRun is the state of one search.
type simbaRun struct {
	*session
	cfg    simbaConfig
	advise *module.Dynamic
	rng    *pyrand.Rand // Python's draws
	drops  *rand.Rand   // numpy's
	order  []int        // of the training examples
	at     int          // in order

	pool    []simbaProgram
	winners []int // of the steps, indexes into pool; first the program as it is
	lost    int   // rules that could not be read
}

// simbaProgram is a program that others may be made of.
type simbaProgram struct {
	c     candidate
	score float64 // on the batch of its step; 0 for the program as it is, as in DSPy
	trial int
	step  int // in which it was made, from 1
}

// nextBatch returns the training examples of the next step, in another order each time that
// all were seen.
func (r *simbaRun) nextBatch() []int {
	if r.at+r.cfg.batch > len(r.order) {
		pyrand.Shuffle(r.rng, r.order)
		r.at = 0
	}
	batch := append([]int(nil), r.order[r.at:r.at+r.cfg.batch]...)
	r.at += r.cfg.batch
	return batch
}

// step makes new programs from one batch and scores them on it.
func (r *simbaRun) step(ctx context.Context, step int) error {
	batch := r.nextBatch()
	sampled, err := r.sample(ctx, batch)
	if err != nil {
		return err
	}
	made, err := r.build(ctx, sampled)
	if err != nil {
		return err
	}
	best := -1
	for i, m := range made {
		e, err := r.evaluateRows(ctx, m.c, trainSet, batch)
		if err != nil {
			return err
		}
		p := simbaProgram{c: m.c, score: e.score, trial: len(r.result.Trials), step: step + 1}
		r.note(Trial{
			Name:    fmt.Sprintf("step %d, candidate %d of %d", step+1, i+1, len(made)),
			Rows:    batch,
			Parents: []int{r.pool[m.source].trial},
			Note:    m.note,
		}, m.c, e)
		r.pool = append(r.pool, p)
		if best < 0 || p.score > r.pool[best].score {
			best = len(r.pool) - 1
		}
	}
	if best >= 0 {
		r.winners = append(r.winners, best)
	}
	return nil
}

// finish scores winners of the steps in full.
func (r *simbaRun) finish(ctx context.Context) error {
	scored := 0
	for _, i := range simbaSpread(len(r.winners)-1, r.cfg.candidates+1) {
		if i == 0 {
			continue // it was measured at the start
		}
		p := r.pool[r.winners[i]]
		t := Trial{Name: fmt.Sprintf("the best of step %d", p.step), Parents: []int{p.trial}}
		if _, err := r.measureTrial(ctx, t, p.c, false); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		scored++
	}
	r.why = fmt.Sprintf("all %d steps were made, and the winners of %d scored on all validation examples", r.cfg.steps, scored)
	if r.lost > 0 {
		r.why += fmt.Sprintf("; %d rules could not be read", r.lost)
	}
	if r.result.Winner == 0 && r.options.calibrate == nil {
		r.keepBaseline(r.why + "; none was better than the program as it was")
	}
	return nil
}

// simbaSpread returns n indexes from 0 to last, evenly spaced and each once.
func simbaSpread(last, n int) []int {
	var out []int
	for i := range n {
		k := 0
		if n > 1 {
			k = int(math.RoundToEven(float64(i*last) / float64(n-1))) // Python's round
		}
		if len(out) == 0 || k > out[len(out)-1] {
			out = append(out, k)
		}
	}
	return out
}
