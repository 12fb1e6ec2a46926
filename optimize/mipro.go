package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/whetgo/whet/internal/pyrand"
)

// MIPROv2 searches for instructions and demos at once, for all predictors: DSPy's MIPROv2
// (Opsahl-Ong et al., Optimizing Instructions and Demonstrations for Multi-Stage Language
// Model Programs, arXiv 2406.11695). It has three steps.
//
//  1. It makes sets of demos: none, labeled ones, and several of [BootstrapFewShot].
//  2. A language model ([PromptModel]) proposes instructions. It is told what the data are
//     like, which calls the program makes, some bootstrapped demos, the instructions so far
//     and a tip at a style. The first instructions are always those that the predictor has.
//  3. A Tree-structured Parzen Estimator chooses instructions and demos for each trial, by
//     the scores of those before. A trial is scored on a minibatch of the validation
//     examples, drawn anew; after each FullEvalEvery trials, and at the end, the choice with
//     the best mean of these that was not yet scored on all examples is. The winner has the
//     best score on all, the first of equals, the program as it was included.
//
// Without [Val] the last four fifths of the training examples, at most 1000, are the
// validation examples, and demos and summary come from the rest.
//
// Demo sets, rows of minibatches, tips and the schedule are drawn as DSPy draws them. What
// differs: the estimator's random numbers (its distribution is Optuna's), the wording of the
// prompts, and that the prompt model is shown the predictors' fields and instructions where
// DSPy shows Python source code. A proposal that cannot be read is left out; DSPy gives up.
// When every choice of the trials has been scored on all examples, that step is left out;
// DSPy fails. With [Calibrated] there are no minibatches, as biases are fitted to whole sets.
type MIPROv2 struct {
	// Auto sizes the search; 0 means AutoLight, unless Candidates or Trials are given, and
	// giving both is an error. With Auto the trials are as many as DSPy has for the number
	// of predictors (10, 18 and 27 for one), the instructions half as many as the
	// candidates unless there are no demos, the validation examples a random part if there
	// are more than the size says, and minibatches are for more than 50 of them.
	Auto Auto
	// Candidates is the number of demo sets, and of instructions per predictor.
	Candidates int
	// Trials is the number of trials that the estimator chooses; 0 means as many as Auto
	// would have for so many Candidates.
	Trials int
	// MaxBootstrapped, MaxLabeled, MaxRounds, MaxErrors and Threshold are those of
	// BootstrapFewShot, but that MaxLabeled 0 means 4. With None for both of the first two
	// the program keeps its demos, and only instructions are searched; then three
	// bootstrapped demos a set are made for proposing.
	MaxBootstrapped, MaxLabeled, MaxRounds, MaxErrors int
	Threshold                                         float64
	// MinibatchSize is the number of validation examples of a trial; 0 means 35. More than
	// there are is an error. NoMinibatch scores every trial on all of them.
	MinibatchSize int
	NoMinibatch   bool
	// FullEvalEvery is the number of trials after which one choice is scored on all
	// validation examples; 0 means 5.
	FullEvalEvery int
	// ViewData is the number of training examples that are read at once, to sum the data
	// up; 0 means 10. No more than ten times as many are read.
	ViewData int
	// Without leaves out some of what the prompt model is told.
	Without Aids
	// Temperature is that of the proposals; 0 means 1.
	Temperature float64
	// Seed is that of all draws; 0 means 9.
	Seed int64
	// Space holds choices that are to be searched in place of those that the first two
	// steps would make. What it has no choices of is made.
	Space Space
}

// Aids are what the model that proposes instructions is told beside the instructions so far.
type Aids uint

const (
	// AidData is a summary of the training examples.
	AidData Aids = 1 << iota
	// AidProgram is a description of the program and of the predictor.
	AidProgram
	// AidTip is a tip at a style, drawn for each proposal.
	AidTip
	// AidDemos is some bootstrapped demos.
	AidDemos
	allAids = 1<<iota - 1
)

// String lists the aids.
func (a Aids) String() string {
	var names []string
	for i, name := range []string{"data", "program", "tip", "demos"} {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

const (
	defaultMIPROLabeled  = 4
	defaultMinibatch     = 35
	defaultFullEvalEvery = 5
	defaultViewData      = 10
	defaultMIPROSeed     = 9
	// zeroShotBootstrapped is the number of demos that are made for proposing alone.
	zeroShotBootstrapped = 3
	// minibatchAbove is the number of validation examples above which Auto has minibatches.
	minibatchAbove = 50
	// splitShare and splitMost say how much of the training examples are validation ones
	// where none are given.
	splitShare = 0.8
	splitMost  = 1000
)

// String implements Optimizer.
func (o MIPROv2) String() string {
	size := "auto=" + o.auto().String()
	if o.auto() == 0 {
		size = fmt.Sprintf("candidates=%d", o.Candidates)
		if o.Trials != 0 {
			size += fmt.Sprintf(", trials=%d", o.Trials)
		}
	}
	batch := "no minibatch"
	if !o.NoMinibatch {
		batch = fmt.Sprintf("minibatch=%d, full every %d", count(o.MinibatchSize, defaultMinibatch), count(o.FullEvalEvery, defaultFullEvalEvery))
	}
	s := fmt.Sprintf("MIPROv2(%s, %s, %s, view=%d, temperature=%g, seed=%d", size, o.config(), batch, count(o.ViewData, defaultViewData), o.temperature(), o.seed())
	if o.Without != 0 {
		s += ", without " + o.Without.String()
	}
	if len(o.Space) > 0 {
		s += fmt.Sprintf(", choices given for %d predictors", len(o.Space))
	}
	return s + ")"
}

func (o MIPROv2) check() error {
	for _, f := range []struct {
		name string
		n    int
	}{{"Candidates", o.Candidates}, {"Trials", o.Trials}, {"MinibatchSize", o.MinibatchSize}, {"FullEvalEvery", o.FullEvalEvery}, {"ViewData", o.ViewData}} {
		if f.n < 0 {
			return fmt.Errorf("optimize: MIPROv2: %s is %d: want 1 or more, or 0 for the default", f.name, f.n)
		}
	}
	switch {
	case o.Auto != 0 && autoCandidates(o.Auto) == 0:
		return fmt.Errorf("optimize: MIPROv2: Auto is %d: want one of optimize.AutoLight, AutoMedium and AutoHeavy", o.Auto)
	case o.Auto != 0 && (o.Candidates != 0 || o.Trials != 0):
		return errors.New("optimize: MIPROv2: both Auto and Candidates or Trials are given, which Auto sets: leave one of them out")
	case o.Trials != 0 && o.Candidates == 0 && len(o.Space) == 0:
		return errors.New("optimize: MIPROv2: Trials is given without Candidates: give both, or Auto")
	case o.NoMinibatch && o.MinibatchSize != 0:
		return errors.New("optimize: MIPROv2: both NoMinibatch and MinibatchSize are given: leave one of them out")
	case math.IsNaN(o.Temperature) || o.Temperature < 0:
		return fmt.Errorf("optimize: MIPROv2: Temperature is %v: want 0 (which means 1) or more", o.Temperature)
	case o.Without&^allAids != 0:
		return fmt.Errorf("optimize: MIPROv2: Without is %#x: want optimize.AidData, AidProgram, AidTip and AidDemos, joined by |", uint(o.Without))
	}
	return nil
}

// auto returns the size, 0 where single numbers are given.
func (o MIPROv2) auto() Auto {
	if o.Auto == 0 && o.Candidates == 0 && o.Trials == 0 {
		return AutoLight
	}
	return o.Auto
}

// candidates returns the number of demo sets.
func (o MIPROv2) candidates() int {
	if a := o.auto(); a != 0 {
		return autoCandidates(a)
	}
	return max(1, o.Candidates)
}

func (o MIPROv2) config() bootstrapConfig {
	c := BootstrapFewShot{MaxBootstrapped: o.MaxBootstrapped, MaxRounds: o.MaxRounds, MaxErrors: o.MaxErrors, Threshold: o.Threshold}.config()
	c.labeled = count(o.MaxLabeled, defaultMIPROLabeled)
	return c
}

// zeroShot reports a search for instructions alone.
func (o MIPROv2) zeroShot() bool {
	c := o.config()
	return c.bootstrapped == 0 && c.labeled == 0
}

func (o MIPROv2) temperature() float64 {
	if o.Temperature == 0 {
		return 1
	}
	return o.Temperature
}

func (o MIPROv2) seed() int64 {
	if o.Seed == 0 {
		return defaultMIPROSeed
	}
	return o.Seed
}

// miproTrials returns how many trials there are for a number of candidates and predictors: DSPy's
// formula, of the number of choices per trial and of its logarithm.
func miproTrials(candidates, predictors int, zeroShot bool) int {
	choices := predictors
	if !zeroShot {
		choices *= 2
	}
	return int(max(2*float64(choices)*math.Log2(float64(candidates)), 1.5*float64(candidates)))
}

func (o MIPROv2) search(ctx context.Context, s *session) error {
	m, err := o.start(s)
	if err != nil {
		return err
	}
	if err := m.choices(ctx); err != nil {
		return err
	}
	return m.run(ctx)
}

// start sets the sizes and the data.
func (o MIPROv2) start(s *session) (*mipro, error) {
	m := &mipro{session: s, o: o, rng: pyrand.New(o.seed()), miproSizes: o.sizes(s)}
	s.result.Seed = o.seed()
	var err error
	if m.space, err = s.space(o.Space); err != nil {
		return nil, err
	}
	if s.options.val == nil {
		if len(s.train) < 2 {
			return nil, errors.New("optimize: MIPROv2: one training example and no validation examples: want at least two, or give some with optimize.Val")
		}
		all := identityOrder(len(s.train))
		s.resplit(all[:m.train], all[m.train:])
	}
	m.pool = identityOrder(s.sizes[valSet])
	if o.auto() != 0 {
		m.pool = pyrand.Sample(m.rng, m.pool, m.val)
		if m.val < s.sizes[valSet] {
			m.rows = m.pool
			s.result.Rows = len(m.rows)
		}
	}
	if m.minibatch > m.val {
		return nil, fmt.Errorf("optimize: MIPROv2: minibatches of %d of %d validation examples: give more of these, a smaller MinibatchSize, or NoMinibatch", m.minibatch, m.val)
	}
	return m, nil
}

// miproSizes are the sizes of a search.
type miproSizes struct {
	train, val         int // examples
	minibatch          int // 0 where there are none
	sets, instructions int // per predictor, where they are made
	trials, every      int
}

func (o MIPROv2) sizes(s *session) miproSizes {
	z := miproSizes{
		train: s.sizes[trainSet], val: s.sizes[valSet],
		sets: o.candidates(), instructions: o.candidates(),
		trials: o.Trials, every: count(o.FullEvalEvery, defaultFullEvalEvery),
	}
	if s.options.val == nil {
		z.val = min(splitMost, max(1, int(splitShare*float64(z.train))))
		z.train -= z.val
	}
	if z.trials == 0 {
		z.trials = miproTrials(o.candidates(), len(s.named), o.zeroShot())
	}
	mayBatch := !o.NoMinibatch
	if a := o.auto(); a != 0 {
		z.val = min(z.val, autoRows(a))
		mayBatch = mayBatch && z.val > minibatchAbove
		if !o.zeroShot() {
			z.instructions /= 2
		}
	}
	if mayBatch && s.options.calibrate == nil {
		z.minibatch = count(o.MinibatchSize, defaultMinibatch)
	}
	return z
}
