package optimize

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// KNNFewShot runs a program with demos that are bootstrapped anew for each input: the K
// training examples that are nearest to it are the whole training set of a
// [BootstrapFewShot], the nearest first, and the program answers with the demos which that
// makes. It is DSPy's optimizer of that name. It is a program itself and no [Optimizer], as
// its demos are known only with the input; module.KNNDemos is the same with labeled demos
// alone, which asks no teacher.
//
// An answer takes one embedding, a run of the teacher for up to K examples, and the program's
// own run. Nothing is kept between calls. Of inputs with the same neighbours, or with
// BootstrapFewShot.MaxLabeled None with some in common, the teacher's requests are the same:
// give an answer store to [Through], and they are paid once.
//
//	store := cache.Memory()
//	p, err := optimize.NewKNNFewShot(ctx, program, train, metric.Exact, 3, embedder,
//		optimize.BootstrapFewShot{MaxLabeled: optimize.None}, optimize.Through(store.Wrap))
//
// A training example whose inputs equal the question is a neighbour like any other, and shows
// the answer: leave the rows that you measure on out of the training examples.
//
// Its predictors are the program's, under the same names, so that its file is that of the
// program, and instructions that a search finds for the one serve the other. The program is
// neither copied nor changed. Run and Call are safe for concurrent use, where the program,
// the metric and the embedder are.
type KNNFewShot[In, Out any] struct {
	// Program is what is run.
	module.Program[In, Out]

	knn    *module.KNN[In, Out]
	metric metric.Metric[In, Out]
	few    BootstrapFewShot
	opts   options
}

// NewKNNFewShot embeds the training examples. k is how many of them are a question's
// neighbours, all where there are fewer. The options that it takes are [Teacher] and
// [TeacherProgram], and [Through], which is for the calls of bootstrapping and of its metric
// and not for the program's answer. It returns an error where an argument is missing, no
// predictor is found (module.ErrNoPredictors), an example has values that its type does not
// allow, or the embedder fails.
func NewKNNFewShot[In, Out any](ctx context.Context, program module.Program[In, Out], train []module.Example[In, Out], m metric.Metric[In, Out], k int, e lm.Embedder, few BootstrapFewShot, opts ...Option) (*KNNFewShot[In, Out], error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case program == nil:
		return nil, errors.New("optimize: KNNFewShot: the program is nil")
	case m == nil:
		return nil, errors.New("optimize: KNNFewShot: the metric is nil")
	case o.val != nil || o.fresh != nil || o.objective != nil || o.promptModel != nil || o.calibrate != nil || o.progress != nil || o.budget != Budget{}:
		return nil, errors.New("optimize: KNNFewShot takes Teacher, TeacherProgram and Through; leave the other options out, and put a lm/budget into Through")
	}
	if _, err := module.Predictors(program); err != nil {
		return nil, fmt.Errorf("optimize: KNNFewShot: %w", err)
	}
	if _, err := newTask(program, train, m, o); err != nil {
		return nil, err
	}
	knn, err := module.NewKNN(ctx, train, k, e)
	if err != nil {
		return nil, fmt.Errorf("optimize: KNNFewShot: %w", err)
	}
	return &KNNFewShot[In, Out]{program, knn, m, few, o}, nil
}

// Usage returns what the embedding of the training examples cost.
func (p *KNNFewShot[In, Out]) Usage() lm.Usage { return p.knn.Usage() }

// Run returns the answer.
func (p *KNNFewShot[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	pred, err := p.Call(ctx, in)
	if err != nil {
		var none Out
		return none, err
	}
	return pred.Out, nil
}

// Call returns the answer and how it came about; in Usage are the embedding of the input, the
// bootstrapping and its metric, too. The trace has their steps as dropped ones. Too many
// errors while bootstrapping (BootstrapFewShot.MaxErrors) are an error of the call.
func (p *KNNFewShot[In, Out]) Call(ctx context.Context, in In) (*module.Prediction[Out], error) {
	branch, steps, join := trace.Branch(ctx)
	defer join(true)
	found, err := p.knn.Nearest(branch, in)
	if err != nil {
		return nil, fmt.Errorf("optimize: KNNFewShot: %w", err)
	}
	states, err := p.bootstrap(branch, found)
	if err != nil {
		return nil, fmt.Errorf("optimize: KNNFewShot: bootstrapping from the %d nearest examples: %w", len(found), err)
	}
	pred, err := module.Call(module.WithStates(branch, states), p.Program, in)
	if err != nil {
		return nil, err
	}
	sum := *pred
	sum.Usage = module.UsageOf(steps)
	return &sum, nil
}

// bootstrap makes demos of the neighbours.
func (p *KNNFewShot[In, Out]) bootstrap(ctx context.Context, found []module.Neighbor[In, Out]) (module.States, error) {
	train := make([]module.Example[In, Out], len(found))
	for i, n := range found {
		train[i] = n.Example
	}
	steps := trace.From(ctx)
	opts := []Option{Through(p.opts.through...), Teacher(p.opts.teacher)}
	if t := p.opts.teacherProg; t != nil {
		teacher, ok := t.(module.Program[In, Out])
		if !ok {
			return module.States{}, fmt.Errorf("the teacher is a %T", t) // NewKNNFewShot has seen to it
		}
		opts = append(opts, TeacherProgram(asideProgram(teacher, steps)))
	}
	judge := func(ctx context.Context, ex module.Example[In, Out], got Out, t *trace.Trace) (metric.Score, error) {
		ctx, own := trace.Start(ctx)
		defer aside(own, steps)
		return p.metric(ctx, ex, got, t)
	}
	r, err := Compile(ctx, p.few, asideProgram(p.Program, steps), train, judge, opts...)
	if err != nil {
		return module.States{}, err
	}
	return r.Candidate(), nil
}

// asideOf is a program whose calls are also steps of another trace, on which nothing rests.
type asideOf[In, Out any] struct {
	module.Program[In, Out]
	to *trace.Trace
}

func asideProgram[In, Out any](p module.Program[In, Out], to *trace.Trace) module.Program[In, Out] {
	return &asideOf[In, Out]{p, to}
}

// Run implements module.Program.
func (p *asideOf[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	ctx, t, join := trace.Branch(ctx)
	defer func() {
		join(true)
		aside(t, p.to)
	}()
	return p.Program.Run(ctx, in)
}

// aside copies the steps of one trace to another as dropped ones.
func aside(from, to *trace.Trace) {
	for _, st := range from.Steps() {
		st.Dropped = true
		to.Add(st)
	}
}
