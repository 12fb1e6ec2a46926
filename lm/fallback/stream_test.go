package fallback_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/fallback"
)

// streaming is an LM that shows texts and then ends with a reply or an error.
type streaming struct {
	name  string
	texts []string
	err   error
}

func (s *streaming) Name() string { return s.name }

func (s *streaming) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	return nil, errors.New("Generate was called for a stream")
}

func (s *streaming) Stream(context.Context, *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		for _, text := range s.texts {
			if !yield(&lm.Event{Text: text}, nil) {
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
			return
		}
		yield(&lm.Event{Response: &lm.Response{Text: strings.Join(s.texts, "")}}, nil)
	}
}

// show runs a stream and returns what it has shown, who answered and how it ended.
func show(ctx context.Context, f *fallback.LM) (text, model string, err error) {
	for event, e := range f.Stream(ctx, request()) {
		if e != nil {
			return text, model, e
		}
		text += event.Text
		if event.Response != nil {
			model = event.Response.Model
		}
	}
	return text, model, nil
}

func TestStream(t *testing.T) {
	t.Parallel()
	broken := &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Text: "Hel"}}
	hello := []string{"Hel", "lo"}
	for _, tt := range []struct {
		name        string
		lms         []lm.LM
		text, model string
		kind        error
	}{
		{"the first", []lm.LM{&streaming{name: "a", texts: hello}, &streaming{name: "b", texts: hello}}, "Hello", "a", nil},
		{"nothing shown", []lm.LM{&streaming{name: "a", err: broken}, &streaming{name: "b", texts: hello}}, "Hello", "b", nil},
		{"only empty events", []lm.LM{&streaming{name: "a", texts: []string{"", ""}, err: broken}, &streaming{name: "b", texts: hello}}, "Hello", "b", nil},
		{"no streamer", []lm.LM{&fake{name: "a", err: broken}, &fake{name: "b"}}, "I am b", "b", nil},
		{"something shown", []lm.LM{&streaming{name: "a", texts: hello[:1], err: broken}, &streaming{name: "b", texts: hello}}, "Hel", "", lm.ErrBackend},
		{"shown by the second", []lm.LM{&streaming{name: "a", err: kind(lm.ErrQuota)}, &streaming{name: "b", texts: hello[:1], err: broken}}, "Hel", "", lm.ErrBackend},
		{"final", []lm.LM{&streaming{name: "a", err: kind(lm.ErrBudget)}, &streaming{name: "b", texts: hello}}, "", "", lm.ErrBudget},
		{"all fail", []lm.LM{&streaming{name: "a", err: broken}, &streaming{name: "b", err: kind(lm.ErrQuota)}}, "", "", lm.ErrQuota},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, model, err := show(t.Context(), of(t, tt.lms))
			if text != tt.text || model != tt.model || !errors.Is(err, tt.kind) || (err == nil) != (tt.kind == nil) {
				t.Errorf("%q of %q, error %v; want %q of %q, error %v", text, model, err, tt.text, tt.model, tt.kind)
			}
			var e *lm.Error
			if text == "Hel" && (!errors.As(err, &e) || e.Partial == nil || e.Partial.Text != "Hel") {
				t.Errorf("error %#v has not what had come", err)
			}
		})
	}
}

func TestStreamHealth(t *testing.T) {
	t.Parallel()
	a := &streaming{name: "a", err: kind(lm.ErrBackend)}
	f := of(t, []lm.LM{a, &fake{name: "b"}}, fallback.Failures(2))
	for range 3 {
		if _, model, err := show(t.Context(), f); err != nil || model != "b" {
			t.Fatalf("reply of %q, error %v", model, err)
		}
	}
	if h := f.Health()[0]; h.Failures != 2 || !h.Down {
		t.Errorf("health = %+v, want it down after two streams that failed", h)
	}
}

func TestStreamContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := show(ctx, of(t, []lm.LM{&fake{name: "a"}})); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// TestStreamAgain runs one sequence twice: each run is a request of its own.
func TestStreamAgain(t *testing.T) {
	t.Parallel()
	seq := of(t, []lm.LM{&fake{name: "a", err: kind(lm.ErrBackend)}, &fake{name: "b"}}).Stream(t.Context(), request())
	for range 2 {
		n := 0
		for event, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			n += len(event.Text)
		}
		if n != len("I am b") {
			t.Errorf("%d bytes were shown", n)
		}
	}
}
