package module

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/trace"
)

// Task is a program and what it is to answer.
type Task[In, Out any] struct {
	Program Program[In, Out]
	In      In
}

// TaskResult is what came of a [Task].
type TaskResult[Out any] struct {
	// Prediction is the answer; nil where Err is not.
	Prediction *Prediction[Out]
	// Err is the program's error, or [ErrSkipped] for a task that was not begun.
	Err error
}

// ErrSkipped is the error of tasks that were not begun, since too many others failed or
// the context ended.
var ErrSkipped = errors.New("module: not run, since the tasks were stopped before")

// ParallelOption configures [Parallel] and [Batch].
type ParallelOption func(*parallelOptions)

type parallelOptions struct{ concurrency, maxErrors int }

// Concurrency is how many tasks run at once; the default is 8, as in DSPy. A
// backend that batches is best given as many as it has slots.
func Concurrency(n int) ParallelOption { return func(o *parallelOptions) { o.concurrency = n } }

// MaxErrors stops everything when n tasks have failed; the default is 10, as in DSPy, and 0
// never stops.
func MaxErrors(n int) ParallelOption { return func(o *parallelOptions) { o.maxErrors = n } }

// Parallel runs several tasks at once, as DSPy's Parallel does, and returns what came of
// each, in order. A task that fails does not stop the others until [MaxErrors] of them
// have; then, and when the context ends or a call's error is of kind lm.ErrBudget, those
// that run are cancelled and an error tells why: the results so far come with it. All
// goroutines have ended when it returns; a task's panic is raised in the caller's then.
//
// The calls of each task stand together in the context's trace, in the order of
// the tasks.
func Parallel[In, Out any](ctx context.Context, tasks []Task[In, Out], opts ...ParallelOption) ([]TaskResult[Out], error) {
	o := parallelOptions{concurrency: 8, maxErrors: 10}
	for _, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("module: Parallel: %w", errNilOption)
		}
		opt(&o)
	}
	switch {
	case o.concurrency < 1:
		return nil, fmt.Errorf("module: Parallel: Concurrency(%d); want at least 1", o.concurrency)
	case o.maxErrors < 0:
		return nil, fmt.Errorf("module: Parallel: MaxErrors(%d) is negative; 0 never stops", o.maxErrors)
	}
	for i, t := range tasks {
		if t.Program == nil {
			return nil, fmt.Errorf("module: Parallel: task %d has no program", i)
		}
	}
	results := make([]TaskResult[Out], len(tasks))
	joins := make([]func(bool), len(tasks))
	for i := range results {
		results[i].Err = ErrSkipped
	}
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var next, failed atomic.Int64
	var crashed atomic.Pointer[crash]
	for range min(o.concurrency, len(tasks)) {
		wg.Go(func() {
			for running.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(tasks) {
					return
				}
				branch, _, join := trace.Branch(running)
				joins[i] = join
				r := &results[i]
				watch(func(c *crash) {
					crashed.CompareAndSwap(nil, c)
					cancel(c)
				}, func() { r.Prediction, r.Err = Call(branch, tasks[i].Program, tasks[i].In) })
				if r.Err == nil || running.Err() != nil {
					continue
				}
				n := int(failed.Add(1))
				switch {
				case errors.Is(r.Err, lm.ErrBudget):
					cancel(fmt.Errorf("module: Parallel: stopped at task %d: %w", i, r.Err))
				case o.maxErrors > 0 && n >= o.maxErrors:
					cancel(fmt.Errorf("module: Parallel: stopped, as %d tasks failed; the last was task %d: %w", n, i, r.Err))
				}
			}
		})
	}
	wg.Wait()
	for i, join := range joins {
		if join != nil {
			join(results[i].Err == nil)
		}
	}
	crashed.Load().raise()
	if ctx.Err() != nil {
		return results, ctx.Err()
	}
	return results, context.Cause(running)
}

// Batch is [Parallel] of one program over several inputs, as DSPy's Module.batch is.
func Batch[In, Out any](ctx context.Context, program Program[In, Out], inputs []In, opts ...ParallelOption) ([]TaskResult[Out], error) {
	tasks := make([]Task[In, Out], len(inputs))
	for i, in := range inputs {
		tasks[i] = Task[In, Out]{program, in}
	}
	return Parallel(ctx, tasks, opts...)
}
