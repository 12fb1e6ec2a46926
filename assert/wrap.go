package assert

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Wrapped is a program whose assertions are acted upon: see [Wrap]. It has the predictors
// of the program inside, under the same names, so that it is optimised, saved and loaded
// as that is. It is safe for concurrent use if the program inside is.
type Wrapped[In, Out any] struct {
	// Program is the program inside, for module.Predictors to look through. Its Run acts
	// upon nothing.
	module.Program[In, Out]

	named   []module.Named
	names   map[*module.Predictor]string
	options options
	err     error // of Wrap's arguments
}

// Wrap makes a program that goes back when an assertion fails: see the package's
// documentation. The program's predictors are looked up once, here. What is wrong with the
// arguments is the error of every Run and Call. Nested, the inner one acts first, and what
// it could not mend is a failure of the outer one.
func Wrap[In, Out any](p module.Program[In, Out], opts ...Option) *Wrapped[In, Out] {
	w := &Wrapped[In, Out]{Program: p, names: map[*module.Predictor]string{}}
	w.options, w.err = newOptions(opts)
	if p == nil {
		w.err = errors.New("assert: the program is nil")
		return w
	}
	named, err := module.Predictors(p)
	if err != nil && !errors.Is(err, module.ErrNoPredictors) && w.err == nil {
		w.err = fmt.Errorf("assert: %w", err)
	}
	w.named = named
	for _, n := range named {
		w.names[n.Predictor] = n.Name
	}
	return w
}

// Run runs the program until its assertions hold or no try is left. After an error the
// output is what the program returned with it.
//
// An error of another kind ends it at once and is returned as it is. When the context ends
// between two tries, the error wraps the context's and the assertion's.
func (w *Wrapped[In, Out]) Run(ctx context.Context, in In) (out Out, err error) {
	err = w.run(ctx, func(ctx context.Context) (err error) {
		out, err = w.Program.Run(ctx, in)
		return err
	})
	return out, err
}

// Call is [Wrapped.Run] and says how the answer came about: see module.Call. Usage is that
// of all tries.
func (w *Wrapped[In, Out]) Call(ctx context.Context, in In) (*module.Prediction[Out], error) {
	branch, t, join := trace.Branch(ctx)
	defer join(true)
	var pred *module.Prediction[Out]
	err := w.run(branch, func(ctx context.Context) (err error) {
		pred, err = module.Call(ctx, w.Program, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := *pred // others may have the one that the program returned
	all.Usage = module.UsageOf(t)
	return &all, nil
}

// run calls once for each try. The steps of a try that another one follows are dropped
// ones of the trace.
func (w *Wrapped[In, Out]) run(ctx context.Context, once func(context.Context) error) error {
	if w.err != nil {
		return w.err
	}
	var first *Error
	var firstErr error
	feedback := map[*module.Predictor][]string{}
	p := &pass{named: w.named, names: w.names, options: w.options, last: !w.options.handles() || w.options.backtracks == 0}
	for {
		branch, _, join := trace.Branch(ctx)
		err := joined(join, func() error { return once(p.within(branch)) })
		var e *Error
		if err == nil || p.last || !errors.As(err, &e) {
			join(true)
			return err
		}
		if first == nil {
			first, firstErr = e, err
		}
		if ctx.Err() != nil {
			join(true)
			return fmt.Errorf("assert: stopped after try %d: %w; it failed: %w", p.try+1, ctx.Err(), err)
		}
		responsible := p.callOf(e)
		// As in DSPy, what the first failure was decides. Without a call nothing can be
		// asked again.
		if first.Hard && (p.try+1 >= w.options.backtracks || responsible == nil) {
			join(true)
			if first == e {
				return err
			}
			return fmt.Errorf("%w; the last try failed, too: %w", firstErr, err)
		}
		join(false)
		p = p.next(responsible, e.Message, feedback)
	}
}

// joined calls f, and loses nothing of what was paid where that panics.
func joined(join func(keep bool), f func() error) error {
	returned := false
	defer func() {
		if !returned {
			join(false)
		}
	}()
	err := f()
	returned = true
	return err
}
