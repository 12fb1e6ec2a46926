package optimize

import (
	"fmt"
	"io"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// Option configures [Compile].
type Option func(*options)

type options struct {
	val         any // []module.Example[In, Out]; nil is the training examples
	fresh       any // []module.Example[In, Out]; nil is no confirmation
	objective   any // metric.Objective[Out]; nil is the mean
	teacher     lm.LM
	promptModel lm.LM
	budget      Budget
	teacherProg any // module.Program[In, Out]; nil is the program itself
	progress    io.Writer
	concurrency int
	calibrate   *Calibrate
	through     []lm.Middleware
}

const defaultConcurrency = 8

func newOptions(opts []Option) (options, error) {
	o := options{concurrency: defaultConcurrency}
	for i, opt := range opts {
		if opt == nil {
			return o, fmt.Errorf("optimize: option number %d is nil; leave it out", i+1)
		}
		opt(&o)
	}
	if o.concurrency < 1 {
		return o, fmt.Errorf("optimize: concurrency %d: want at least 1", o.concurrency)
	}
	if err := o.budget.check(); err != nil {
		return o, err
	}
	if o.calibrate != nil {
		return o, o.calibrate.check()
	}
	return o, nil
}

// Val sets the examples on which candidates are scored. The default is the
// training examples, as in DSPy.
func Val[In, Out any](val []module.Example[In, Out]) Option {
	return func(o *options) { o.val = val }
}

// Confirm gives examples that no part of the search has seen. After the search
// the program as it was and the winner both run on them; unless the winner is
// better by a paired test at the 5 % level, two-sided (see [Confirmation]), the result is
// the program as it was: no gain, no change. A search that ended with an error
// was not confirmed, and its result is the best so far. Where the search itself
// kept the program as it was, nothing is run.
func Confirm[In, Out any](fresh []module.Example[In, Out]) Option {
	return func(o *options) { o.fresh = fresh }
}

// By makes the search maximise an objective, for example macro F1, in place of
// the mean of the metric:
//
//	optimize.By(metric.MacroF1(func(v Verdict) Label { return v.Label }))
//
// Whether a bootstrapped answer becomes a demo is still for the metric to say.
func By[Out any](objective metric.Objective[Out]) Option {
	return func(o *options) { o.objective = objective }
}

// Teacher sets the language model that bootstrapped demos are made with. The
// default is each predictor's own.
func Teacher(m lm.LM) Option { return func(o *options) { o.teacher = m } }

// PromptModel sets the language model that proposes instructions. The default is that of the
// program's first predictor. What it costs is [Result.Proposing].
func PromptModel(m lm.LM) Option { return func(o *options) { o.promptModel = m } }

// Within sets what a search may spend: see [Budget]. The default is no limit.
func Within(b Budget) Option { return func(o *options) { o.budget = b } }

// TeacherProgram sets the program that makes bootstrapped demos; the default is the one
// that is compiled. It must call the same predictors, such as that program behind
// assert.Wrap, so that the demos are self-corrected while the search scores the program
// without its assertions:
//
//	result, err := optimize.Compile(ctx, optimize.BootstrapFewShot{}, program, train, metric.Exact,
//		optimize.TeacherProgram(assert.Wrap(program)))
//
// Calls of predictors that the program does not have become no demos; a teacher that has none
// of the program's is an error.
func TeacherProgram[In, Out any](p module.Program[In, Out]) Option {
	return func(o *options) { o.teacherProg = p }
}

// Through sends each call that is not answered from the search's own memory through
// middleware, the first of which sees it first: an answer store on disk, so that a search
// that was killed ends, run again, with the identical program and pays only for what is
// not in the store; a budget, which ends the search with the best so far.
//
//	store, err := cache.Open(ctx, "answers.db")
//	limit := budget.New(budget.Limits{Money: 2 * lm.USD})
//	result, err := optimize.Compile(ctx, opt, program, train, metric.Exact,
//		optimize.Through(store.Wrap, limit.Wrap))
//
// The default is nothing.
func Through(wares ...lm.Middleware) Option {
	return func(o *options) { o.through = append(o.through, wares...) }
}

// Progress writes one line to w for each trial. The default is silence. Errors
// in writing are ignored.
func Progress(w io.Writer) Option { return func(o *options) { o.progress = w } }

// Concurrency sets how many examples are evaluated at once; the default is 8.
// Results do not depend on it, as long as an answer does not depend on what the
// model computes beside it. With weights of few bits that of lm/llamacpp does now
// and then, as do those of most servers: a close decision may fall otherwise, and
// with it another candidate win. The package's documentation says what repeats
// (section Repeatability).
func Concurrency(n int) Option { return func(o *options) { o.concurrency = n } }

// Calibrated makes a [Calibrate] the last step of every candidate: biases are
// fitted to it on the training examples, and it is scored with them. With
// [Calibrate] as the optimizer itself it has no effect.
func Calibrated(c Calibrate) Option { return func(o *options) { o.calibrate = &c } }
