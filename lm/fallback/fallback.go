package fallback

import (
	"context"
	"iter"
	"time"

	"github.com/whetgo/whet/internal/health"
	"github.com/whetgo/whet/lm"
)

// LM asks several LMs in order. It is safe for concurrent use.
type LM struct {
	members []member
	onward  func(error) bool
}

type member struct {
	lm      lm.LM
	breaker *health.Breaker
}

// New returns an LM that asks first, and where that one cannot answer the others in order.
// It is [Of] without options. An LM that is nil is an error of kind lm.ErrInvalidRequest.
func New(first lm.LM, others ...lm.LM) (*LM, error) {
	return Of(append([]lm.LM{first}, others...))
}

// Of returns an LM that asks lms in order. No LM at all, one that is nil, and an option
// that cannot be are errors of kind lm.ErrInvalidRequest.
func Of(lms []lm.LM, opts ...Option) (*LM, error) {
	c := config{onward: Default, failures: health.DefaultFailures, cooldown: health.DefaultCooldown}
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			return nil, err
		}
	}
	if len(lms) == 0 {
		return nil, invalid("there is no LM; give at least one")
	}
	f := &LM{onward: c.onward}
	for i, m := range lms {
		if m == nil {
			return nil, invalid("LM %d is nil", i+1)
		}
		f.members = append(f.members, member{m, health.NewBreaker(c.failures, c.cooldown)})
	}
	return f, nil
}

// Name implements lm.Named: the names of all LMs, as any of them may answer, such as
// "fallback(a | b)". It is the name itself where all have the same, and empty where one
// has none.
func (f *LM) Name() string {
	names := make([]string, len(f.members))
	for i, m := range f.members {
		names[i] = lm.NameOf(m.lm)
	}
	return health.Name("fallback", names)
}

// Generate implements lm.LM: the reply of the first LM that has one. An error that ends the
// request is returned as it is if it is the first, and else in an [*Error].
func (f *LM) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	return f.try().Generate(ctx, r)
}

// Stream implements lm.Streamer. The next LM is asked only while nothing was shown.
func (f *LM) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		f.try().Stream(ctx, r)(yield)
	}
}

// try returns the state of one request.
func (f *LM) try() health.Try {
	next := 0
	return health.Try{
		Next: func() (health.Turn, bool) {
			if next == len(f.members) {
				return health.Turn{}, false
			}
			m := f.members[next]
			next++
			return m.turn(), true
		},
		Onward: f.onward,
		Join:   join,
	}
}

func (m member) turn() health.Turn {
	turn := health.Turn{Name: lm.NameOf(m.lm), LM: m.lm}
	for {
		if pass, ok := m.breaker.Enter(); ok {
			turn.Done = pass.Done
			return turn
		}
		// Its time may have come between the two calls.
		if turn.Skipped = m.breaker.Down(); turn.Skipped != nil {
			return turn
		}
	}
}

// Health is how an LM is doing.
type Health struct {
	// Name is the LM's; it may be empty.
	Name string
	// Failures is how many requests it has failed in a row.
	Failures int
	// Down reports that it is skipped, and Wait for how long still until one request
	// tries it again.
	Down bool
	Wait time.Duration
}

// Health returns how each LM is doing, in order.
func (f *LM) Health() []Health {
	out := make([]Health, len(f.members))
	for i, m := range f.members {
		out[i].Name = lm.NameOf(m.lm)
		out[i].Failures, out[i].Down, out[i].Wait = m.breaker.State()
	}
	return out
}
