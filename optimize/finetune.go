package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Finetune says what [FinetuneData] keeps. The zero value does what DSPy's BootstrapFinetune
// does.
type Finetune struct {
	// Threshold is the score from which on the metric accepts an answer; 0 means
	// that every score but 0 does.
	Threshold float64
	// ExcludeDemos leaves the demos that the predictors have out of the prompts: for a model
	// that is to do without them.
	ExcludeDemos bool
	// NearDuplicates makes validation examples leaks, too, whose inputs are those of a training
	// example but for letter case, punctuation and white space.
	NearDuplicates bool
}

// ErrNoTraces says that no trace was kept, so that there is nothing to train on.
var ErrNoTraces = errors.New("optimize: no trace was kept")

// FinetuneData makes the data to fine-tune a model with: it runs the program once on every
// training example, keeps the runs whose answers the metric accepts, and makes a conversation
// of each call of a predictor in them: the messages that asked, as adapter.Chat writes them,
// and the answer as it would have to be written. It is the first half of DSPy's
// BootstrapFinetune (Khattab et al., DSPy, arXiv 2310.03714, section 4), message for message,
// and the training records are in its order, shuffled by random.Random(0); a trainer is the
// user's, who gives the model that comes of it to the predictors. A metric that is nil accepts
// all answers.
//
// Of a program with several predictors the records say whose they are: DSPy trains one model
// on all of them, unless told otherwise; see [FinetuneRecords.Of].
//
// The options that it heeds: [Teacher] is the model, and [TeacherProgram] the program, that
// runs in place of the program's own; [Val] gives the examples of the second split; and
// [Concurrency], [Within] and [Through] are as in [Compile]; any other is an error. No
// validation example may have the inputs of a training example, or of a demo that the records
// show: that is a [*LeakError], found before the first call. A validation record whose prompt stands in the training records for
// another reason, as when the inputs of a step between are the same, is dropped, so that no
// prompt is in both splits.
//
// Predictors that do not use adapter.Chat are a [*FinetuneAdapterError], also before the first
// call: no other adapter asks as a fine-tuned model would be asked.
//
// What is not kept is counted, with the reason, in [FinetuneSet.Dropped]. Where nothing is
// left to train on the error is [ErrNoTraces]. When the context ends first, or a budget is
// spent, the set of the runs so far comes with the error. The set is nil only when the
// arguments are wrong. It depends on the arguments and the models' answers alone.
func FinetuneData[In, Out any](ctx context.Context, f Finetune, p module.Program[In, Out], train []module.Example[In, Out], m metric.Metric[In, Out], opts ...Option) (*FinetuneSet, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case p == nil:
		return nil, errors.New("optimize: FinetuneData: the program is nil")
	case len(train) == 0:
		return nil, fmt.Errorf("optimize: FinetuneData: no training examples: %w", evaluate.ErrNoData)
	case math.IsNaN(f.Threshold) || math.IsInf(f.Threshold, 0):
		return nil, fmt.Errorf("optimize: FinetuneData: Threshold %v: want a finite number", f.Threshold)
	case o.fresh != nil || o.objective != nil || o.calibrate != nil || o.promptModel != nil || o.progress != nil:
		return nil, errors.New("optimize: FinetuneData: Confirm, By, Calibrated, PromptModel and Progress belong to a search and not here; leave them out")
	}
	if m == nil {
		m = func(context.Context, module.Example[In, Out], Out, *trace.Trace) (metric.Score, error) {
			return metric.Score{Value: 1}, nil
		}
	}
	val, ok := o.val.([]module.Example[In, Out])
	switch {
	case o.val != nil && !ok:
		return nil, fmt.Errorf("optimize: FinetuneData: the validation examples are a %T, the training examples a %T", o.val, train)
	case ok && len(val) == 0:
		return nil, fmt.Errorf("optimize: FinetuneData: the validation examples given are none: %w", evaluate.ErrNoData)
	}
	teacher := p
	if o.teacherProg != nil {
		if teacher, ok = o.teacherProg.(module.Program[In, Out]); !ok {
			return nil, fmt.Errorf("optimize: FinetuneData: the program given to TeacherProgram is a %T, which answers no %T with a %T", o.teacherProg, *new(In), *new(Out))
		}
		if err := sharesPredictors(p, teacher); err != nil {
			return nil, err
		}
	}
	c, running, err := newCollector(ctx, f, p, o.teacher)
	if err != nil {
		return nil, err
	}
	if err := checkLeaks(train, val, c.demos(), f.NearDuplicates); err != nil {
		return nil, err
	}
	if err := module.Validate(running, teacher); err != nil {
		return nil, err
	}
	through := append(slices.Clip(o.through), o.budget.middleware(time.Now())...)
	running = lm.Wrap(running, func(m lm.LM) lm.LM { return lm.Chain(m, through...) })
	store := newStore()
	running = lm.Wrap(running, store.wrap)

	set := &FinetuneSet{}
	writing := context.WithoutCancel(ctx) // what has run is written also when the context has ended
	run := func(split Split, data []module.Example[In, Out]) (FinetuneRecords, error) {
		if len(data) == 0 {
			return nil, nil
		}
		report, err := evaluate.Run(running, teacher, data, m, evaluate.Concurrency(o.concurrency))
		if report == nil {
			return nil, err
		}
		var records FinetuneRecords
		for i := range report.Rows {
			row := &report.Rows[i]
			if row.Skipped {
				continue
			}
			kept, dropped := c.collect(writing, tracedRun{exampleName(row.Example.ID, i), row.Trace, row.Score.Value, row.Err})
			records = append(records, kept...)
			for _, d := range dropped {
				d.Split = split
				set.Dropped = append(set.Dropped, d)
			}
		}
		return records, err
	}
	set.Train, err = run(TrainSplit, train)
	pyrand.Shuffle(pyrand.New(0), set.Train)
	if err == nil {
		set.Valid, err = run(ValidSplit, val)
		set.dropShared()
	}
	total := store.total()
	set.Calls, set.Usage = total.Calls, total.Usage
	switch {
	case err != nil:
		return set, fmt.Errorf("optimize: FinetuneData: %w", err)
	case len(set.Train) == 0:
		return set, set.nothing(len(train))
	}
	return set, nil
}

// collector makes records of traces.
type collector struct {
	Finetune
	named []module.Named
	index map[*module.Predictor]int
	// prompts are the predictors as they ask in a record.
	prompts []module.State
}

// newCollector prepares for a program's predictors, and returns the context in which they
// answer: with a model they all run on it.
func newCollector(ctx context.Context, f Finetune, program any, model lm.LM) (*collector, context.Context, error) {
	named, err := module.Predictors(program)
	if err != nil {
		return nil, nil, err
	}
	c := &collector{Finetune: f, named: named, index: map[*module.Predictor]int{}}
	var states module.States
	for i, n := range named {
		c.index[n.Predictor] = i
		st := n.Predictor.StateIn(ctx)
		if model != nil {
			st.LM = model
			if states, err = states.With(n.Predictor, st); err != nil {
				return nil, nil, fmt.Errorf("optimize: FinetuneData: predictor %q: %w", n.Name, err)
			}
		}
		if f.ExcludeDemos {
			st.Demos = nil
		}
		c.prompts = append(c.prompts, st)
	}
	for i, n := range named {
		if err := checkChat(ctx, n, c.prompts[i]); err != nil {
			return nil, nil, err
		}
	}
	if model != nil {
		ctx = module.WithStates(ctx, states)
	}
	return c, ctx, nil
}

// demos returns those that the records show.
func (c *collector) demos() []seen {
	var out []seen
	for i, n := range c.named {
		for j, d := range c.prompts[i].Demos {
			out = append(out, seen{fmt.Sprintf("demo %d of the predictor %q", j+1, n.Name), d.Fields})
		}
	}
	return out
}

// tracedRun is one run of the program.
type tracedRun struct {
	name  string
	trace *trace.Trace
	score float64
	err   error
}

// collect returns the records of a run, and what is none and why.
func (c *collector) collect(ctx context.Context, r tracedRun) (kept FinetuneRecords, dropped []FinetuneDrop) {
	accepted := r.score != 0
	if c.Threshold != 0 {
		accepted = r.score >= c.Threshold
	}
	switch {
	case r.err != nil:
		return nil, []FinetuneDrop{{Example: r.name, Why: DropFailed, Err: r.err}}
	case !accepted:
		return nil, []FinetuneDrop{{Example: r.name, Why: DropRejected, Score: r.score}}
	}
	for _, st := range module.Steps(r.trace) {
		i, ok := c.index[st.Predictor]
		d := FinetuneDrop{Example: r.name, Score: r.score}
		if ok {
			d.Predictor = c.named[i].Name
		}
		switch {
		case !ok:
			d.Why = DropForeign
		case st.Err != nil || st.Dropped || st.Reused:
			d.Why, d.Err = DropUnused, st.Err
		default:
			messages, err := conversation(ctx, st, c.prompts[i])
			if err == nil {
				kept = append(kept, FinetuneRecord{Messages: messages, Predictor: d.Predictor, Example: r.name, Score: r.score})
				continue
			}
			d.Why, d.Err = DropUnwritten, err
		}
		dropped = append(dropped, d)
	}
	return kept, dropped
}
