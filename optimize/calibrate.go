package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/whetgo/whet/module"
)

// ErrNoChoices says that there is nothing to calibrate: no reply came with the
// log-probabilities of a choice.
var ErrNoChoices = errors.New("optimize: no reply holds the log-probabilities of a choice; Calibrate needs an output field that is an enum or a bool, and a backend that scores choices, such as lm/llamacpp")

// ErrNoReference says that choices were scored, but that no example tells which
// is right: none of their fields is a field of the program's output.
var ErrNoReference = errors.New("optimize: no field that is a choice is also a field of the program's output, so nothing tells which choice is right")

// errNoAnswers says that there is nothing to calibrate, as no example has an
// answer.
var errNoAnswers = errors.New("every training example failed")

// Method is how [Calibrate] fits biases.
type Method int

// The methods.
const (
	// MaxObjective maximises the search's objective over the training examples: on
	// a grid of biases, averaged over a neighbourhood, so that a bias in the middle
	// of a good region wins over a lone peak.
	MaxObjective Method = iota
	// MaxLikelihood maximises the likelihood of the right choices under a logistic
	// model of one bias for each choice and one scale. It suits the share of right
	// answers, less so objectives in which a rare label counts as much as any.
	MaxLikelihood
)

// String returns the method's name.
func (m Method) String() string {
	switch m {
	case MaxObjective:
		return "objective"
	case MaxLikelihood:
		return "likelihood"
	}
	return fmt.Sprintf("Method(%d)", int(m))
}

// Calibrate fits one bias, in nats, to each choice of each output field that is
// an enum or a bool. The bias is added to the choice's log-probability before
// the most likely one is taken: a small model that prefers one label whatever
// the input is so corrected (Zhao et al., Calibrate Before Use, arXiv 2102.09690,
// section 4, who set the bias by an input without content; here it is fitted to
// training examples). It is an optimizer of its own, for the program as it is,
// and with [Calibrated] the last step of another.
//
// A field is calibrated when the program's output has a field of its name, whose
// value in the example is the right choice; of several predictors with such a
// field it is the one that is called last. Training examples that failed, or
// whose input is that of one of the predictor's demos, so that the model has
// seen the answer, do not count. Several fields are fitted one by one.
//
// Fitting calls the metric for each training example, each choice as the answer
// and, with Softening, each choice as the right one. It calls no language model
// beyond the one run over the training examples; scoring the program under the
// biases pays none either as long as the choice is the last thing in the reply and
// temperature is unset or 0.
//
// As an optimizer of its own it keeps the program as it is, unless its score
// grows, also when it ends early. [ErrNoChoices] and [ErrNoReference] are its
// errors. Biases that the program has are taken off first. As the last step of
// another optimizer it gives no biases to a candidate that fails on every training
// example.
type Calibrate struct {
	// Method is how biases are fitted; the default is MaxObjective.
	Method Method
	// Smoothing is the width of MaxObjective's neighbourhood, as a share of the
	// spread of the log-probabilities (their median absolute deviation); 0 means
	// 0.2, and None that there is none.
	Smoothing float64
	// Softening is the share of each training label's weight, from 0 to 1, that
	// MaxObjective gives to MaxLikelihood's probabilities of the labels in place of
	// the label itself, so that a few rows of a rare label do not decide alone; 0
	// means 0.75, and None that there is none. Weights are counted in copies of a
	// row: in twentieths for up to 200 examples, in quarters from 1,000 on.
	Softening float64
}

// The defaults are the best of a cross-validation, see docs/decisions/0003.
const (
	defaultSmoothing = 0.2
	defaultSoftening = 0.75
)

// String implements Optimizer.
func (o Calibrate) String() string {
	if o.Method != MaxObjective {
		return fmt.Sprintf("Calibrate(%s)", o.Method)
	}
	return fmt.Sprintf("Calibrate(%s, smoothing=%g, softening=%g)", o.Method, o.smoothing(), o.softening())
}

func (o Calibrate) smoothing() float64 { return share(o.Smoothing, defaultSmoothing) }
func (o Calibrate) softening() float64 { return share(o.Softening, defaultSoftening) }

// share is count for fractions.
func share(v, def float64) float64 {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	}
	return v
}

// check reports settings that cannot be meant.
func (o Calibrate) check() error {
	if o.Method != MaxObjective && o.Method != MaxLikelihood {
		return fmt.Errorf("optimize: Calibrate: there is no %v", o.Method)
	}
	for _, v := range []float64{o.Smoothing, o.Softening} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("optimize: Calibrate: Smoothing %v, Softening %v: want finite numbers", o.Smoothing, o.Softening)
		}
	}
	if o.Softening > 1 {
		return fmt.Errorf("optimize: Calibrate: Softening %v: want a share from 0 to 1", o.Softening)
	}
	return nil
}

func (o Calibrate) search(ctx context.Context, s *session) error {
	s.options.calibrate = nil
	err := o.measure(ctx, s)
	switch {
	case s.winner == nil: // nothing was measured, or every example failed
	case s.result.Score > s.result.Baseline:
		if err == nil {
			s.why = "biases were fitted"
			if s.result.Winner == 0 {
				s.why = "the program is better without its biases than with fitted ones"
			}
		}
	case err != nil:
		s.keepBaseline(s.why)
	default:
		s.keepBaseline("the fitted biases gained nothing, so the program stays as it was")
	}
	return err
}

// measure scores the program as it is, without biases, and with fitted ones.
func (o Calibrate) measure(ctx context.Context, s *session) error {
	if err := s.measureBaseline(ctx); err != nil {
		return err
	}
	base := slices.Clone(s.own)
	hadBiases := false
	for i := range base {
		hadBiases = hadBiases || len(base[i].Biases) > 0
		base[i].Biases = nil
	}
	raw := s.baseline
	if hadBiases {
		var err error
		if raw, err = s.evaluateOn(ctx, base, valSet); err != nil {
			return err
		}
	}
	s.record(Trial{Name: "without biases", Raw: raw.score}, base, raw)
	c, err := o.fit(ctx, s, base, raw)
	if err != nil {
		return err
	}
	e, err := s.evaluateOn(ctx, c, valSet)
	if err != nil {
		return err
	}
	s.record(Trial{Name: "calibrated", Raw: raw.score}, c, e)
	return nil
}

// fit returns the candidate, which must have no biases, with biases. onVal is
// its evaluation on the validation examples. When every training example fails,
// the error is errNoAnswers.
func (o Calibrate) fit(ctx context.Context, s *session, c candidate, onVal *evaluation) (candidate, error) {
	e := onVal
	if s.apart {
		var err error
		if e, err = s.evaluateOn(ctx, c, trainSet); err != nil {
			return nil, err
		}
	}
	if e.failed == len(e.subscores) {
		return nil, fmt.Errorf("%w; the first error: %w", errNoAnswers, e.err)
	}
	fields, err := s.choiceFields(e, c)
	if err != nil {
		return nil, err
	}
	c = slices.Clone(c)
	for _, f := range fields {
		biases, err := o.fitField(ctx, e, f)
		if err != nil {
			return nil, fmt.Errorf("calibrating %s: %w", f.name, err)
		}
		if biases == nil {
			s.progress(fmt.Sprintf("no biases of %s.%s, from %d examples", s.named[f.predictor].Name, f.name, len(f.rows)))
			continue
		}
		m := map[string]map[string]float64{}
		for k, v := range c[f.predictor].Biases {
			m[k] = v
		}
		m[f.name] = biases
		c[f.predictor].Biases = m
		var b strings.Builder
		for _, l := range f.labels {
			fmt.Fprintf(&b, " %s %+.3f", l, biases[l])
		}
		s.progress(fmt.Sprintf("biases of %s.%s, from %d examples:%s", s.named[f.predictor].Name, f.name, len(f.rows), b.String()))
	}
	return c, nil
}

func (o Calibrate) fitField(ctx context.Context, e *evaluation, f *choiceField) (map[string]float64, error) {
	if !f.varied() {
		return nil, nil // with one label in the data there is nothing to tell apart
	}
	model := fitLogistic(f.logProbs, f.truth)
	if o.Method == MaxLikelihood {
		return f.biases(model.biases()), nil
	}
	cells, copies := softCopies(f.rows, f.truth, model.posterior(), o.softening(), e.mayRelabel)
	stat, err := e.relabel(ctx, cells, f.name, f.values)
	if err != nil {
		return nil, err
	}
	b, err := fitObjective(ctx, f.logProbs, copies, stat, model.biases(), o.smoothing())
	if err != nil {
		return nil, err
	}
	return f.biases(b), nil
}

// demoKeys are the inputs of a predictor's demos.
func demoKeys(p *module.Predictor, demos []module.Demo) map[string]bool {
	keys := map[string]bool{}
	for _, d := range demos {
		if k, ok := inputKey(p, d.Fields); ok {
			keys[k] = true
		}
	}
	return keys
}
