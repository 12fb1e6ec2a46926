package budget

import (
	"context"
	"iter"

	"github.com/whetgo/whet/lm"
)

// Wrap returns a model whose calls count against the budget. It implements [lm.Wrapper]
// and [lm.Streamer]. A model that the budget has wrapped already, with whatever in
// between, is returned as it is: its calls count once.
func (b *Budget) Wrap(inner lm.LM) lm.LM {
	for m := inner; m != nil; {
		if w, ok := m.(*model); ok && w.budget == b {
			return inner
		}
		w, ok := m.(lm.Wrapper)
		if !ok {
			break
		}
		m = w.Unwrap()
	}
	return &model{inner: inner, budget: b}
}

type model struct {
	inner  lm.LM
	budget *Budget
}

var (
	_ lm.Wrapper  = (*model)(nil)
	_ lm.Streamer = (*model)(nil)
)

// Unwrap implements [lm.Wrapper].
func (m *model) Unwrap() lm.LM { return m.inner }

// Generate implements [lm.LM].
func (m *model) Generate(ctx context.Context, r *lm.Request) (resp *lm.Response, err error) {
	reserved, err := m.begin(ctx, r)
	if err != nil {
		return nil, err
	}
	ended := false
	defer func() {
		if !ended { // the model has panicked
			_ = m.budget.end(reserved, nil, nil)
		}
	}()
	resp, err = m.inner.Generate(ctx, r)
	ended = true
	if unknown := m.budget.end(reserved, resp, err); unknown != nil {
		return nil, unknown
	}
	return resp, err
}

// Stream implements [lm.Streamer]. A call ends before its last event is shown.
func (m *model) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		reserved, err := m.begin(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		ended := false
		end := func(resp *lm.Response, err error) error {
			if ended {
				return nil
			}
			ended = true
			return m.budget.end(reserved, resp, err)
		}
		defer func() { _ = end(nil, nil) }() // left, or without an end
		for event, err := range lm.Stream(ctx, m.inner, r) {
			var unknown error
			switch {
			case err != nil:
				_ = end(nil, err)
			case event == nil:
				continue // there is nothing to show
			case event.Response != nil:
				unknown = end(event.Response, nil)
			}
			if unknown != nil {
				yield(nil, unknown)
				return
			}
			if !yield(event, err) {
				return
			}
		}
	}
}

func (m *model) begin(ctx context.Context, r *lm.Request) (Limits, error) {
	if m.inner == nil {
		return Limits{}, invalid("there is no model behind the budget")
	}
	return m.budget.begin(ctx, r)
}
