package optimize

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// typed is a program with its metric and objective.
type typed[In, Out any] struct {
	program     module.Program[In, Out]
	metric      metric.Metric[In, Out]
	objective   metric.Objective[Out]
	concurrency int
}

// encodeExample returns the inputs and the known outputs of an example. An
// output that holds nothing, an empty text or an absent value, is not known.
func encodeExample[In, Out any](ex module.Example[In, Out]) (in, out signature.Record, err error) {
	if in, err = signature.Encode(ex.In); err != nil {
		return in, out, err
	}
	all, err := signature.Encode(ex.Out)
	if err != nil {
		return in, out, err
	}
	for name, v := range all.All() {
		if v != nil && v != "" {
			out = out.With(name, v)
		}
	}
	return in, out, nil
}

func (t typed[In, Out]) evaluate(ctx context.Context, data []module.Example[In, Out], opts []evaluate.Option) (*evaluation, error) {
	report, err := evaluate.Run(ctx, t.program, data, t.metric, opts...)
	if err != nil {
		return nil, err
	}
	e := &evaluation{
		score: report.Score, failed: report.Failed, report: report,
		subscores: make([]float64, len(report.Rows)),
		interval:  func() (metric.Interval, error) { return report.Interval(metric.Resampling{}) },
		steps: func(row int) []module.Step {
			if report.Rows[row].Err != nil {
				return nil
			}
			return module.Steps(report.Rows[row].Trace)
		},
		relabel: func(ctx context.Context, cells []cell, field string, values []signature.Value) (func([]int) float64, error) {
			return t.relabel(ctx, report, cells, field, values)
		},
		mayRelabel: func(row int) bool {
			truth := report.Rows[row].Example.Out
			rec, err := signature.Encode(truth)
			return err == nil && signature.Decode(rec, &truth) == nil
		},
	}
	for i := range report.Rows {
		row := &report.Rows[i]
		e.subscores[i] = row.Score.Value
		if row.Err != nil && e.err == nil {
			e.err = fmt.Errorf("%s: %w", row.Name(), row.Err)
		}
	}
	return e, nil
}

// attempt runs a program and scores its answer, which it returns also where the metric failed.
func (t typed[In, Out]) attempt(program, judge context.Context, p module.Program[In, Out], ex module.Example[In, Out]) (Out, *trace.Trace, metric.Score, error) {
	program, tr := trace.Start(program)
	got, err := p.Run(program, ex.In)
	if err != nil {
		var none Out
		return none, tr, metric.Score{}, err
	}
	judge, _ = trace.Start(judge)
	score, err := t.score(judge, ex, got, tr)
	if err != nil {
		return got, tr, metric.Score{}, fmt.Errorf("metric: %w", err)
	}
	return got, tr, score, nil
}

// ask is attempt as records.
func (t typed[In, Out]) ask(program, judge context.Context, p module.Program[In, Out], ex module.Example[In, Out], row int) answer {
	got, tr, score, err := t.attempt(program, judge, p, ex)
	a := answer{score: score, err: err, trace: tr, steps: module.Steps(tr), name: exampleName(ex.ID, row)}
	var encErr error
	if a.in, a.truth, encErr = encodeExample(ex); encErr == nil && err == nil {
		a.out, encErr = signature.Encode(got)
	}
	if a.err == nil && encErr != nil {
		a.score, a.err = metric.Score{}, encErr
	}
	return a
}

// score calls the metric. A score that is no finite number is an error.
func (t typed[In, Out]) score(ctx context.Context, ex module.Example[In, Out], got Out, tr *trace.Trace) (metric.Score, error) {
	s, err := t.metric(ctx, ex, got, tr)
	if err == nil && (math.IsNaN(s.Value) || math.IsInf(s.Value, 0)) {
		err = fmt.Errorf("the score is %v: want a finite number", s.Value)
	}
	return s, err
}

// relabel scores the cells: see evaluation.
func (t typed[In, Out]) relabel(ctx context.Context, report *evaluate.Report[In, Out], cells []cell, field string, values []signature.Value) (func([]int) float64, error) {
	outcomes := make([]metric.Outcome[Out], len(cells))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.concurrency)
	for i, c := range cells {
		g.Go(func() error {
			row := &report.Rows[c.row]
			got, err := with(row.Out, field, values[c.got])
			if err != nil {
				return fmt.Errorf("another answer to %s: %w", row.Name(), err)
			}
			ex := row.Example
			if c.truth >= 0 {
				if ex.Out, err = with(ex.Out, field, values[c.truth]); err != nil {
					return fmt.Errorf("another truth of %s: %w", row.Name(), err)
				}
			}
			mctx, _ := trace.Start(ctx)
			score, err := t.score(mctx, ex, got, row.Trace)
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				score.Value = 0 // what a failed row counts
			}
			outcomes[i] = metric.Outcome[Out]{ID: row.Name(), Truth: ex.Out, Got: got, Failed: err != nil, Score: score.Value}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return t.objective.Stat(outcomes)
}

// with returns an output in which one field holds another value.
func with[Out any](out Out, field string, v signature.Value) (Out, error) {
	rec, err := signature.Encode(out)
	if err != nil {
		return out, err
	}
	err = signature.Decode(rec.With(field, v), &out)
	return out, err
}
