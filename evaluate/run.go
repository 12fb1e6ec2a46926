package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// ErrNoData is returned for an empty data set.
var ErrNoData = errors.New("evaluate: the data set is empty")

// LimitError is returned when more rows failed than [MaxErrors] allows.
type LimitError struct {
	// Max is the limit that was passed.
	Max int
	// Row names the row that passed it, and Err is its error.
	Row string
	Err error
}

// Error names limit, row and error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("evaluate: stopped, as more than %d rows failed; the last one was %s: %v", e.Max, e.Row, e.Err)
}

// Unwrap returns the last row's error.
func (e *LimitError) Unwrap() error { return e.Err }

// Run calls p on every example and scores the answers with m. Rows run
// concurrently and each in its own trace; p and m must be safe for concurrent
// use. All goroutines have ended when Run returns. Its calls wait in a line of their
// own (lm.WithQueue), unless the context has one, so that they do not hold up others of
// the same model.
//
// An error of p or m makes the row a failed one and does not stop the others:
// see [Row], [FailureScore], [MaxErrors]. An empty data set is [ErrNoData]. When
// the context ends first, Run waits for the rows in flight and returns the report
// of the rows that ran and an error that wraps the context's. The same holds for an error
// of kind lm.ErrBudget: after it no row could run. When the objective
// cannot be computed, Run returns the report and that error, beside the other if
// there are two; what is wrong with true labels it finds before the first call.
func Run[In, Out any](ctx context.Context, p module.Program[In, Out], data []module.Example[In, Out], m metric.Metric[In, Out], opts ...Option) (*Report[In, Out], error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case p == nil:
		return nil, errors.New("evaluate: the program is nil")
	case m == nil:
		return nil, errors.New("evaluate: the metric is nil")
	case len(data) == 0:
		return nil, ErrNoData
	}
	r := &Report[In, Out]{Rows: make([]Row[In, Out], len(data)), objective: metric.Mean[Out](), isMean: o.objective == nil}
	if o.objective != nil {
		obj, ok := o.objective.(metric.Objective[Out])
		if !ok {
			return nil, fmt.Errorf("evaluate: the objective given to By is a %T, but the program's answers need a %T", o.objective, r.objective)
		}
		r.objective = obj
	}
	for i, ex := range data {
		r.Rows[i] = Row[In, Out]{Index: i, Example: ex, Skipped: true}
	}
	if err := r.objective.Validate(r.outcomes(true)); err != nil {
		return nil, err
	}

	if lm.QueueOf(ctx) == nil {
		ctx = lm.WithQueue(ctx)
	}
	start := time.Now()
	stopped := r.run(ctx, p, m, o)
	r.Wall = time.Since(start)
	err = r.finish()
	if stopped == nil && r.Skipped > 0 {
		stopped = fmt.Errorf("evaluate: stopped after %d of %d rows: %w", r.Ran(), len(data), ctx.Err())
	}
	switch {
	case stopped == nil:
		return r, err
	case err == nil:
		return r, stopped
	}
	return r, errors.Join(stopped, err)
}

// run fills the rows. It returns an error when too many failed.
func (r *Report[In, Out]) run(ctx context.Context, p module.Program[In, Out], m metric.Metric[In, Out], o options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	prog := newProgress(o.progress, len(r.Rows))
	defer prog.end()
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		mu     sync.Mutex
		failed int
		limit  *LimitError
		spent  error
	)
	for range min(o.concurrency, len(r.Rows)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(r.Rows) {
					return
				}
				row := &r.Rows[i]
				row.run(ctx, p, m, o.failureScore)
				if row.Skipped {
					if errors.Is(row.Err, lm.ErrBudget) {
						mu.Lock()
						if spent == nil {
							spent = row.Err
						}
						mu.Unlock()
						cancel()
					}
					return
				}
				prog.row(row.Score.Value, row.Err != nil)
				if row.Err == nil {
					continue
				}
				mu.Lock()
				if failed++; o.maxErrors > 0 && failed > o.maxErrors && limit == nil {
					limit = &LimitError{Max: o.maxErrors, Row: row.Name(), Err: row.Err}
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	switch {
	case limit != nil:
		return limit
	case spent != nil:
		return fmt.Errorf("evaluate: stopped after %d of %d rows: %w", r.finished(), len(r.Rows), spent)
	}
	return nil
}

// finished counts the rows that have run.
func (r *Report[In, Out]) finished() int {
	n := 0
	for i := range r.Rows {
		if !r.Rows[i].Skipped {
			n++
		}
	}
	return n
}

// run runs one row.
func (row *Row[In, Out]) run(ctx context.Context, p module.Program[In, Out], m metric.Metric[In, Out], failureScore float64) {
	pctx, t := trace.Start(ctx)
	start := time.Now()
	out, err := p.Run(pctx, row.Example.In)
	row.Duration = time.Since(start)
	row.Trace = t
	row.Usage = module.UsageOf(t)
	for _, s := range module.Steps(t) {
		if s.Prediction != nil && !s.Dropped {
			row.Choices = s.Prediction.Choices
		}
	}
	row.Assertions = assert.Count(t)
	if err == nil {
		row.Out = out
		mctx, mt := trace.Start(ctx)
		row.Score, err = m(mctx, row.Example, out, t)
		row.MetricUsage = module.UsageOf(mt)
		if v := row.Score.Value; err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
			err = fmt.Errorf("evaluate: the metric returned %v: want a finite number", v)
		} else if err != nil {
			err = fmt.Errorf("evaluate: metric: %w", err)
		}
	}
	row.Err = err
	if err != nil {
		row.Score.Value = failureScore
		if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			return // interrupted, and so not the program's failure
		}
		if errors.Is(err, lm.ErrBudget) {
			return // not its failure either
		}
	}
	row.Skipped = false
}
