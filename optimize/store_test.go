package optimize

import (
	"context"
	"errors"
	"math"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
)

// slow answers after a second of the bubble's time.
type slow struct {
	calls atomic.Int64
	fail  atomic.Bool
}

func (s *slow) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	s.calls.Add(1)
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
	}
	if s.fail.Load() {
		return nil, errors.New("failed")
	}
	return &lm.Response{Text: r.Prompt, Usage: lm.Usage{Calls: 1, PromptTokens: 3}}, nil
}

func TestStoreAsksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := &slow{}
		s := newStore()
		var cached atomic.Int64
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				resp, err := s.wrap(model).Generate(t.Context(), &lm.Request{Prompt: "a"})
				if err != nil || resp.Text != "a" {
					t.Errorf("got %v and %v", resp, err)
				} else if resp.Cached {
					cached.Add(1)
				}
			})
		}
		wg.Wait()
		calls, usage := s.total().Calls, s.total().Usage
		if model.calls.Load() != 1 || cached.Load() != 9 || calls != (Calls{10, 1}) {
			t.Errorf("%d calls, %d cached, %+v", model.calls.Load(), cached.Load(), calls)
		}
		if want := (lm.Usage{Calls: 10, CachedCalls: 9, PromptTokens: 3, PricedCalls: 9}); usage != want {
			t.Errorf("usage %+v, want %+v", usage, want)
		}
		// Another model is another identity.
		if _, err := s.wrap(&slow{}).Generate(t.Context(), &lm.Request{Prompt: "a"}); err != nil {
			t.Fatal(err)
		}
		if calls = s.total().Calls; calls.Paid != 2 {
			t.Errorf("%+v", calls)
		}
	})
}

func TestStoreKeepsNoErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := &slow{}
		model.fail.Store(true)
		s := newStore()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := s.wrap(model).Generate(t.Context(), &lm.Request{Prompt: "a"}); err == nil {
					t.Error("want the model's error")
				}
			})
		}
		wg.Wait()
		if model.calls.Load() != 3 {
			t.Errorf("%d calls, want one for each request", model.calls.Load())
		}
		model.fail.Store(false)
		resp, err := s.wrap(model).Generate(t.Context(), &lm.Request{Prompt: "a"})
		if err != nil || resp.Cached {
			t.Errorf("got %v and %v", resp, err)
		}
		// Who waits for another's call gives up with its own context, and the
		// other's end is not its own.
		leader, cancel := context.WithCancel(t.Context())
		waiter, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		wg.Go(func() {
			if _, err := s.wrap(model).Generate(leader, &lm.Request{Prompt: "b"}); !errors.Is(err, context.Canceled) {
				t.Errorf("leader: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := s.wrap(model).Generate(waiter, &lm.Request{Prompt: "b"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("waiter: %v", err)
			}
		})
		wg.Go(func() {
			if _, err := s.wrap(model).Generate(t.Context(), &lm.Request{Prompt: "b"}); err != nil {
				t.Errorf("second waiter: %v", err)
			}
		})
		time.Sleep(200 * time.Millisecond)
		cancel()
		wg.Wait()
	})
}

func TestFuncIsNotStored(t *testing.T) {
	t.Parallel()
	n := 0
	f := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { n++; return &lm.Response{}, nil })
	s := newStore()
	for range 2 {
		if _, err := s.wrap(f).Generate(t.Context(), &lm.Request{Prompt: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	if calls := s.total().Calls; n != 2 || calls != (Calls{2, 2}) {
		t.Errorf("%d calls, %+v", n, calls)
	}
}

func choiceShape(biases ...float64) *lm.Shape {
	seg := lm.Segment{Hole: lm.HoleChoice, Name: "x"}
	for i, b := range biases {
		seg.Choices = append(seg.Choices, lm.Alternative{Text: string(rune('a' + i)), Bias: b})
	}
	return &lm.Shape{Segments: []lm.Segment{{Literal: "x: "}, seg, {Literal: "\n"}}}
}

func TestRebias(t *testing.T) {
	t.Parallel()
	asked := &lm.Request{Prompt: "p", Shape: choiceShape(0, 0)}
	answer := func(picked int, text string) *lm.Response {
		return &lm.Response{Text: text, Shaped: true, Choices: []lm.Choice{{
			Name: "x", Picked: picked,
			Options: []lm.Option{{Text: "a", LogProb: math.Log(0.9), Prob: 0.9}, {Text: "b", LogProb: math.Log(0.1), Prob: 0.1}},
		}}}
	}
	want := &lm.Request{Prompt: "p", Shape: choiceShape(0, math.Log(27))}
	for _, text := range []string{"x: a\n", "x: a"} {
		resp := answer(0, text)
		got := rebias(asked, resp, want)
		if got == nil {
			t.Fatalf("%q: no answer", text)
		}
		if got.Choices[0].Picked != 1 || got.Text[3] != 'b' || len(got.Text) != len(text) || math.Abs(got.Choices[0].Options[1].Prob-0.75) > 1e-12 {
			t.Errorf("%q: got %+v", text, got)
		}
		if resp.Choices[0].Picked != 0 || resp.Choices[0].Options[1].Prob != 0.1 {
			t.Error("the stored answer was changed")
		}
	}
	if got := rebias(asked, answer(1, "x: b\n"), want); got != nil {
		t.Errorf("a choice that was drawn: got %+v", got)
	}
	if got := rebias(asked, answer(0, "something else"), want); got != nil {
		t.Errorf("a reply that does not end with the choice: got %+v", got)
	}
	if got := rebias(asked, &lm.Response{Text: "x: a\n"}, want); got != nil {
		t.Errorf("a reply that was not scored: got %+v", got)
	}
	if got := rebias(asked, answer(1, "whatever"), asked); got == nil || got.Text != "whatever" {
		t.Errorf("the same biases: got %+v", got)
	}
	if rebiasable(&lm.Request{Shape: choiceShape(0), Temperature: lm.Temperature(1)}) || rebiasable(&lm.Request{Prompt: "p"}) || !rebiasable(asked) {
		t.Error("rebiasable")
	}
}

// What a caller does to an answer is not done to the store's.
func TestStoreKeepsItsAnswers(t *testing.T) {
	t.Parallel()
	answer := func() *lm.Response {
		return &lm.Response{
			Text:     "a",
			Choices:  []lm.Choice{{Name: "x", Options: []lm.Option{{Text: "a", Prob: 1}}}},
			Logprobs: []lm.TokenLogprob{{Token: "a", LogProb: -1, Top: []lm.TokenLogprob{{Token: "a", LogProb: -1}, {Token: "b", LogProb: -2}}}},
		}
	}
	model := fixed{answer}
	s := newStore()
	for i := range 3 {
		resp, err := s.wrap(&model).Generate(t.Context(), &lm.Request{Prompt: "a"})
		if err != nil {
			t.Fatal(err)
		}
		want := answer()
		if want.Cached = i > 0; want.Cached {
			want.Usage = lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1}
		}
		if !reflect.DeepEqual(resp, want) {
			t.Errorf("answer %d: got %+v", i, resp)
		}
		resp.Text, resp.Choices[0].Name, resp.Choices[0].Options[0].Prob = "b", "y", 0
		resp.Logprobs[0].Token, resp.Logprobs[0].Top[1].LogProb = "b", 0
	}
}

type fixed struct{ answer func() *lm.Response }

func (f *fixed) Generate(context.Context, *lm.Request) (*lm.Response, error) { return f.answer(), nil }

// mute returns neither a reply nor an error.
type mute struct{}

func (mute) Generate(context.Context, *lm.Request) (*lm.Response, error) { return nil, nil }

func TestStoreOfAMuteModel(t *testing.T) {
	t.Parallel()
	s := newStore()
	for range 2 {
		resp, err := s.wrap(mute{}).Generate(t.Context(), &lm.Request{Prompt: "a"})
		if resp != nil || !errors.Is(err, lm.ErrBackend) {
			t.Errorf("got %v and %v", resp, err)
		}
	}
}

// TestStoreCountsBrokenReplies fails with a reply that had begun, and is paid for.
func TestStoreCountsBrokenReplies(t *testing.T) {
	t.Parallel()
	cost := lm.Usage{Calls: 1, PricedCalls: 1, PromptTokens: 7, CompletionTokens: 2, Cost: 5}
	for _, tt := range []struct {
		err  *lm.Error
		want Spent
	}{
		{&lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Text: "ha", Usage: cost}}, Spent{Calls{1, 1}, cost}},
		{&lm.Error{Kind: lm.ErrBackend}, Spent{Calls: Calls{1, 1}}},
		{&lm.Error{Kind: lm.ErrBudget}, Spent{Calls: Calls{1, 0}}},
		{&lm.Error{Kind: lm.ErrBudget, Partial: &lm.Response{Usage: cost}}, Spent{Calls{1, 1}, cost}},
	} {
		model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return nil, tt.err })
		s := newStore()
		if _, err := s.wrap(model).Generate(inPhase(t.Context(), proposing), &lm.Request{Prompt: "a"}); !errors.Is(err, tt.err.Kind) {
			t.Fatal(err)
		}
		if got := s.spent(proposing); got != tt.want || s.taken() != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.err, got, tt.want)
		}
	}
}
