package health

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/whetgo/whet/lm"
)

// streamer is an LM whose stream is a function.
type streamer func(yield func(*lm.Event, error) bool)

func (s streamer) Generate(context.Context, *lm.Request) (*lm.Response, error) { return nil, errDown }

func (s streamer) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return iter.Seq2[*lm.Event, error](s)
}

// once is a try of one LM whose outcome goes to o.
func once(m lm.LM, o *Outcome) Try {
	*o = -1
	asked := false
	return Try{
		Next: func() (Turn, bool) {
			first := !asked
			asked = true
			return Turn{Name: "m", LM: m, Done: func(got Outcome, _ error) { *o = got }}, first
		},
		Onward: Elsewhere,
		Join:   func(f []Failure, final bool) error { return errors.Join(Causes(f, final)...) },
	}
}

func request() *lm.Request { return &lm.Request{Messages: []lm.Message{lm.User("hi")}} }

func TestGenerateOutcome(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	for _, tt := range []struct {
		name string
		ctx  context.Context
		m    lm.Func
		want Outcome
		err  error
	}{
		{"reply", t.Context(), func(context.Context, *lm.Request) (*lm.Response, error) { return &lm.Response{Text: "a"}, nil }, Good, nil},
		{"failure", t.Context(), func(context.Context, *lm.Request) (*lm.Response, error) { return nil, errDown }, Bad, lm.ErrBackend},
		{"neither", t.Context(), func(context.Context, *lm.Request) (*lm.Response, error) { return nil, nil }, Bad, lm.ErrBackend},
		{"failure after the caller has left", ended, func(context.Context, *lm.Request) (*lm.Response, error) {
			cancel()
			return nil, errDown
		}, Neutral, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Outcome
			resp, err := once(tt.m, &got).Generate(tt.ctx, request())
			if got != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("outcome %v and error %v, want %v and %v", got, err, tt.want, tt.err)
			}
			if err == nil && resp.Model != "m" {
				t.Errorf("Model = %q, want the LM's name", resp.Model)
			}
		})
	}
}

func TestPanicReleases(t *testing.T) {
	t.Parallel()
	var got Outcome
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not come through")
			}
		}()
		_, _ = once(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { panic("a fault") }), &got).Generate(t.Context(), request())
	}()
	if got != Neutral {
		t.Errorf("outcome %v, want %v", got, Neutral)
	}
}

func TestStreamOutcome(t *testing.T) {
	t.Parallel()
	text, whole := &lm.Event{Text: "a"}, &lm.Event{Response: &lm.Response{Text: "a"}}
	for _, tt := range []struct {
		name  string
		m     streamer
		leave bool // at the first event
		want  Outcome
		err   error
	}{
		{"whole", func(yield func(*lm.Event, error) bool) { _ = yield(text, nil) && yield(whole, nil) }, false, Good, nil},
		{"failure", func(yield func(*lm.Event, error) bool) { yield(nil, errDown) }, false, Bad, lm.ErrBackend},
		{"no whole reply", func(yield func(*lm.Event, error) bool) { yield(text, nil) }, false, Bad, lm.ErrBackend},
		{"nothing", func(func(*lm.Event, error) bool) {}, false, Bad, lm.ErrBackend},
		{"left after a text", func(yield func(*lm.Event, error) bool) { yield(text, nil) }, true, Good, nil},
		{"left after nothing", func(yield func(*lm.Event, error) bool) { yield(&lm.Event{}, nil) }, true, Neutral, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got Outcome
			var last error
			for event, err := range once(tt.m, &got).Stream(t.Context(), request()) {
				last = err
				if event != nil && event.Response != nil && event.Response.Model != "m" {
					t.Errorf("Model = %q, want the LM's name", event.Response.Model)
				}
				if tt.leave {
					break
				}
			}
			if got != tt.want || !errors.Is(last, tt.err) || (last == nil) != (tt.err == nil) {
				t.Errorf("outcome %v and error %v, want %v and %v", got, last, tt.want, tt.err)
			}
			if whole.Response.Model != "" {
				t.Error("the LM's own response was changed")
			}
		})
	}
}
