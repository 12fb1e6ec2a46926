package health

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/whetgo/whet/lm"
)

// paid is an error of a reply that broke off and has cost n tokens.
func paid(kind lm.ErrorKind, n int) *lm.Error {
	return &lm.Error{Kind: kind, Partial: &lm.Response{Text: "ha", Usage: lm.Usage{Calls: 1, CompletionTokens: n}}}
}

// joined is the error of a test: like those of lm/fallback and lm/balance.
type joined struct {
	failures []Failure
	final    bool
}

func (j *joined) Error() string      { return Describe("test", j.failures) }
func (j *joined) Unwrap() []error    { return Causes(j.failures, j.final) }
func (j *joined) As(target any) bool { return As(j.failures, j.final, target) }

// each is a try that asks an LM for each error, nil for a reply of 100 tokens.
func each(errs []error, left func()) Try {
	i := -1
	return Try{
		Next: func() (Turn, bool) {
			if i++; i == len(errs) {
				return Turn{}, false
			}
			err := errs[i]
			return Turn{Done: func(Outcome, error) {}, LM: lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
				if err == nil {
					return &lm.Response{Usage: lm.Usage{Calls: 1, CompletionTokens: 100}}, nil
				}
				if i == len(errs)-1 {
					left()
				}
				return nil, err
			})}, true
		},
		Onward: Elsewhere,
		Join:   func(f []Failure, final bool) error { return &joined{f, final} },
	}
}

func TestNothingPaidIsLost(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("gave up: %w", paid(lm.ErrBackend, 2))
	for _, tt := range []struct {
		name  string
		errs  []error
		leave bool // during the last call
		calls int
		total int
		is    error // nil for a reply
	}{
		{"a reply", []error{paid(lm.ErrBackend, 1), wrapped, errDown, nil}, false, 2, 103, nil},
		{"all fail", []error{paid(lm.ErrBackend, 1), wrapped, errDown, paid(lm.ErrTimeout, 4)}, false, 3, 7, lm.ErrTimeout},
		{"one fails that tells, and not the first", []error{errDown, paid(lm.ErrBackend, 4)}, false, 1, 4, lm.ErrBackend},
		{"one ends it", []error{paid(lm.ErrBackend, 1), paid(lm.ErrInvalidRequest, 4)}, false, 2, 5, lm.ErrInvalidRequest},
		{"a wrapped one ends it", []error{paid(lm.ErrBackend, 1), fmt.Errorf("no: %w", paid(lm.ErrRefused, 4))}, false, 2, 5, lm.ErrRefused},
		{"one ends it that is of no kind", []error{paid(lm.ErrBackend, 1), errors.New("no")}, false, 1, 1, nil},
		{"the caller leaves", []error{paid(lm.ErrBackend, 1), context.Canceled}, true, 1, 1, context.Canceled},
		{"the caller leaves and the call tells", []error{paid(lm.ErrBackend, 1), paid(lm.ErrBackend, 4)}, true, 2, 5, context.Canceled},
		{"the caller leaves at the first", []error{paid(lm.ErrBackend, 4)}, true, 1, 4, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check := func(way string, resp *lm.Response, err error) {
				t.Helper()
				if err == nil {
					if tt.errs[len(tt.errs)-1] != nil || resp.Usage.CompletionTokens != tt.total || resp.Usage.Calls != tt.calls+1 {
						t.Errorf("%s: %+v, want %d tokens", way, resp, tt.total)
					}
					return
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("%s: error %v, want %v", way, err, tt.is)
				}
				if tt.leave && lm.IsRetryable(err) {
					t.Errorf("%s: %v may be tried again, and the caller has left", way, err)
				}
				if u := lm.UsageOf(err); u.CompletionTokens != tt.total || u.Calls != tt.calls {
					t.Errorf("%s: UsageOf is %+v, want %d tokens of %d calls", way, u, tt.total, tt.calls)
				}
				// And so for who looks at the first *lm.Error alone.
				var e *lm.Error
				if !errors.As(err, &e) || e.Partial == nil || e.Partial.Usage.CompletionTokens != tt.total {
					t.Errorf("%s: errors.As finds %+v, want a Partial of %d tokens", way, e, tt.total)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			leave := func() {
				if tt.leave {
					cancel()
				}
			}
			resp, err := each(tt.errs, leave).Generate(ctx, request())
			check("Generate", resp, err)
			ctx, cancel = context.WithCancel(t.Context())
			defer cancel()
			for event, err := range each(tt.errs, leave).Stream(ctx, request()) {
				resp = nil
				if event != nil {
					resp = event.Response
				}
				check("Stream", resp, err)
			}
		})
	}
}

// What a skipped LM had cost an earlier request is not this one's.
func TestSkippedCostsNothing(t *testing.T) {
	t.Parallel()
	b := NewBreaker(1, DefaultCooldown)
	last := fmt.Errorf("gave up: %w", paid(lm.ErrTimeout, 3))
	pass, _ := b.Enter()
	pass.Done(Bad, last)
	down := b.Down()
	if u := lm.UsageOf(down); u != (lm.Usage{}) {
		t.Errorf("UsageOf is %+v, want none", u)
	}
	var e *lm.Error
	if !errors.Is(down, last) || !errors.Is(down, lm.ErrTimeout) {
		t.Errorf("the last failure is not in %v", down)
	}
	if !errors.As(told{last}, &e) || e.Kind != lm.ErrTimeout || e.Partial != nil {
		t.Errorf("the last failure is %+v", e)
	}
	if errors.As(told{errors.New("no")}, &e) {
		t.Error("an error of no kind is an *lm.Error")
	}
}
