package optimize

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// dataset names one of the sets of examples.
type dataset int

const (
	trainSet dataset = iota
	valSet
	freshSet
)

// String returns what goes before the word "example".
func (s dataset) String() string {
	return [...]string{trainSet: "training", valSet: "validation", freshSet: "fresh"}[s]
}

// task is the typed part of a search behind closures: running the program on
// examples and scoring the answers. Candidates come through the context.
type task struct {
	objective string
	// sizes are the numbers of examples of the sets.
	sizes [3]int
	// names are those of the training examples in errors.
	names []string
	// train holds the training examples as records, inputs first.
	train []signature.Record
	// truth holds the training examples' outputs.
	truth []signature.Record
	// evaluate runs the program on rows of a set, on all of them for nil. With an error
	// the evaluation did not run to its end.
	evaluate func(ctx context.Context, set dataset, rows []int) (*evaluation, error)
	// ask runs the program on one example: the program under the one context, the metric
	// under the other.
	ask func(program, judge context.Context, q question) answer
	// resplit makes rows of the training set the validation set and leaves others in it.
	resplit func(train, val []int)
	// holdOut takes rows out of the validation set, and makes them the fresh one; train
	// takes them out of the training set, too.
	holdOut func(fresh, rest []int, train bool)
	// attempt runs the program on one training example: the program under the one
	// context, the metric under the other.
	attempt func(program, judge context.Context, i int) (*trace.Trace, metric.Score, error)
	// compare runs the paired comparison of two evaluations of the same set.
	compare func(before, after *evaluation) (*Confirmation, error)
}

// evaluation is the program's answers on one set.
type evaluation struct {
	score     float64
	subscores []float64
	failed    int
	err       error // of the first row that failed, which it names
	// steps returns the predictor calls of a row; nil when it failed.
	steps func(row int) []module.Step
	// relabel returns the objective as a function of indexes into cells: outcomes of
	// training rows in which one output field holds other values, in the answer and
	// in the reference. mayRelabel says whether a row's reference can be changed.
	relabel    func(ctx context.Context, cells []cell, field string, values []signature.Value) (func(idx []int) float64, error)
	mayRelabel func(row int) bool
	interval   func() (metric.Interval, error)
	report     any
}

// unscored reports that every example failed, so that the score says nothing.
func (e *evaluation) unscored() bool { return e.failed == len(e.subscores) }

func newTask[In, Out any](p module.Program[In, Out], train []module.Example[In, Out], m metric.Metric[In, Out], o options) (*task, error) {
	data := [3][]module.Example[In, Out]{train, train, nil}
	for _, given := range []struct {
		set  dataset
		rows any
	}{{valSet, o.val}, {freshSet, o.fresh}} {
		if given.rows == nil {
			continue
		}
		rows, ok := given.rows.([]module.Example[In, Out])
		if !ok {
			return nil, fmt.Errorf("optimize: the %s examples are a %T, the training examples a %T", given.set, given.rows, train)
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("optimize: the %s examples given are none: %w", given.set, evaluate.ErrNoData)
		}
		data[given.set] = rows
	}
	objective := metric.Mean[Out]()
	evalOpts := []evaluate.Option{evaluate.Concurrency(o.concurrency)}
	if o.objective != nil {
		obj, ok := o.objective.(metric.Objective[Out])
		if !ok {
			return nil, fmt.Errorf("optimize: the objective given to By is a %T, but the program's answers need a %T", o.objective, objective)
		}
		objective = obj
		evalOpts = append(evalOpts, evaluate.By(obj))
	}
	t := &task{objective: objective.Name}
	if err := setTrain(t, train); err != nil {
		return nil, err
	}
	for _, set := range []dataset{valSet, freshSet} {
		for i, ex := range data[set] {
			if _, _, err := encodeExample(ex); err != nil {
				return nil, fmt.Errorf("optimize: %s example %s: %w", set, exampleName(ex.ID, i), err)
			}
		}
	}
	teacher := p
	if o.teacherProg != nil {
		var ok bool
		if teacher, ok = o.teacherProg.(module.Program[In, Out]); !ok {
			return nil, fmt.Errorf("optimize: the program given to TeacherProgram is a %T, which answers no %T with a %T", o.teacherProg, *new(In), *new(Out))
		}
		if err := sharesPredictors(p, teacher); err != nil {
			return nil, err
		}
	}
	ty := typed[In, Out]{p, m, objective, o.concurrency}
	setSizes := func() {
		for set := range data {
			t.sizes[set] = len(data[set])
		}
	}
	setSizes()
	t.evaluate = func(ctx context.Context, set dataset, rows []int) (*evaluation, error) {
		examples := data[set]
		if rows != nil {
			examples = rowsOf(examples, rows)
		}
		return ty.evaluate(ctx, examples, evalOpts)
	}
	t.attempt = func(program, judge context.Context, i int) (*trace.Trace, metric.Score, error) {
		_, tr, score, err := ty.attempt(program, judge, teacher, data[trainSet][i])
		return tr, score, err
	}
	t.ask = func(program, judge context.Context, q question) answer {
		prog := p
		if q.teacher {
			prog = teacher
		}
		return ty.ask(program, judge, prog, data[q.set][q.row], q.row)
	}
	t.resplit = func(rest, val []int) {
		data[valSet], data[trainSet] = rowsOf(data[trainSet], val), rowsOf(data[trainSet], rest)
		t.pickTrain(rest)
		setSizes()
	}
	t.holdOut = func(fresh, rest []int, train bool) {
		data[freshSet], data[valSet] = rowsOf(data[valSet], fresh), rowsOf(data[valSet], rest)
		if train {
			data[trainSet] = data[valSet]
			t.pickTrain(rest)
		}
		setSizes()
	}
	t.compare = func(before, after *evaluation) (*Confirmation, error) {
		b, okB := before.report.(*evaluate.Report[In, Out])
		a, okA := after.report.(*evaluate.Report[In, Out])
		if !okA || !okB {
			return nil, fmt.Errorf("optimize: comparing a %T with a %T", before.report, after.report)
		}
		return confirm(b, a)
	}
	return t, nil
}

// setTrain fills in the training examples as records.
func setTrain[In, Out any](t *task, train []module.Example[In, Out]) error {
	for i, ex := range train {
		name := exampleName(ex.ID, i)
		in, out, err := encodeExample(ex)
		if err != nil {
			return fmt.Errorf("optimize: training example %s: %w", name, err)
		}
		t.names = append(t.names, name)
		t.train = append(t.train, in.Merge(out.Merge(in)))
		t.truth = append(t.truth, out)
	}
	return nil
}

// pickTrain keeps rows of the training examples.
func (t *task) pickTrain(rows []int) {
	t.names, t.train, t.truth = rowsOf(t.names, rows), rowsOf(t.train, rows), rowsOf(t.truth, rows)
}

// rowsOf returns rows of a slice.
func rowsOf[T any](all []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = all[r]
	}
	return out
}

// sharesPredictors returns an error where the teacher has no predictor of the program, so
// that no demo could come of it.
func sharesPredictors(program, teacher any) error {
	named, err := module.Predictors(program)
	if err != nil {
		return err
	}
	own := map[*module.Predictor]bool{}
	for _, n := range named {
		own[n.Predictor] = true
	}
	taught, err := module.Predictors(teacher)
	if err != nil {
		return fmt.Errorf("optimize: the program given to TeacherProgram: %w", err)
	}
	for _, n := range taught {
		if own[n.Predictor] {
			return nil
		}
	}
	return errors.New("optimize: the program given to TeacherProgram has no predictor of the program that is compiled; make it of the same modules")
}

// exampleName returns an example's ID, or its number from 1.
func exampleName(id string, i int) string {
	if id != "" {
		return id
	}
	return fmt.Sprintf("number %d", i+1)
}
