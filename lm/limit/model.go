package limit

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/whetgo/whet/lm"
)

// Wrap returns a model whose requests the limiter lets in. It implements [lm.Wrapper] and
// [lm.Streamer]. A model that the limiter has wrapped already, with whatever in between,
// is returned as it is: a request that waited for itself would wait for ever.
func (l *Limiter) Wrap(inner lm.LM) lm.LM {
	for m := inner; m != nil; {
		if w, ok := m.(*model); ok && w.limiter == l {
			return inner
		}
		w, ok := m.(lm.Wrapper)
		if !ok {
			break
		}
		m = w.Unwrap()
	}
	return &model{inner: inner, limiter: l}
}

type model struct {
	inner   lm.LM
	limiter *Limiter
}

var (
	_ lm.Wrapper  = (*model)(nil)
	_ lm.Streamer = (*model)(nil)
)

// Unwrap implements [lm.Wrapper].
func (m *model) Unwrap() lm.LM { return m.inner }

// Generate implements [lm.LM].
func (m *model) Generate(ctx context.Context, r *lm.Request) (resp *lm.Response, err error) {
	tokens, err := m.enter(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { m.limiter.leave(tokens, outcomeOf(resp, err)) }()
	return m.inner.Generate(ctx, r)
}

// Stream implements [lm.Streamer]. The request leaves before its last event is shown.
func (m *model) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		tokens, err := m.enter(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		inside := true
		leave := func(resp *lm.Response, err error) {
			if inside {
				inside = false
				m.limiter.leave(tokens, outcomeOf(resp, err))
			}
		}
		defer leave(nil, nil)
		for event, err := range lm.Stream(ctx, m.inner, r) {
			switch {
			case err != nil:
				leave(nil, err)
			case event == nil:
				continue // there is nothing to show
			case event.Response != nil:
				leave(event.Response, nil)
			}
			if !yield(event, err) {
				return
			}
		}
	}
}

func (m *model) enter(ctx context.Context, r *lm.Request) (tokens int, err error) {
	switch {
	case m.limiter.err != nil:
		return 0, m.limiter.err
	case m.inner == nil:
		return 0, invalid("there is no model behind the limiter")
	}
	if m.limiter.tokens != nil {
		if tokens, err = estimate(ctx, m.inner, r, m.limiter.config.reply); err != nil {
			return 0, err
		}
	}
	return tokens, m.limiter.enter(ctx, tokens)
}

// outcome is what is known of a request that has ended.
type outcome struct {
	// tokens are what it has used, where that is known.
	tokens int
	known  bool
	// free says that no request was made.
	free bool
	// closed is for how long the provider asks to send nothing.
	closed time.Duration
}

func outcomeOf(resp *lm.Response, err error) outcome {
	if err == nil {
		switch {
		case resp == nil:
			return outcome{}
		case resp.Cached:
			return outcome{known: true, free: true}
		}
		n := resp.Usage.Tokens()
		return outcome{tokens: n, known: n > 0} // every reply takes some: 0 is a server that does not tell
	}
	var e *lm.Error
	if !errors.As(err, &e) {
		return outcome{}
	}
	var o outcome
	if e.Kind == lm.ErrRateLimit {
		o.closed = e.RetryAfter
	}
	if e.Partial != nil {
		o.tokens = e.Partial.Usage.Tokens()
	}
	o.known = o.tokens > 0 || idle(e.Kind)
	o.free = e.Kind == lm.ErrBudget
	return o
}

// idle reports whether no model has worked on a request that failed so. A provider that
// answers with a rate limit may count the tokens all the same.
func idle(kind lm.ErrorKind) bool {
	switch kind {
	case lm.ErrInvalidRequest, lm.ErrContextLength, lm.ErrUnsupported, lm.ErrUnavailable, lm.ErrModel, lm.ErrAuth, lm.ErrQuota, lm.ErrBudget:
		return true
	default:
		return false
	}
}
