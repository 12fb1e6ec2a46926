package router_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/router"
)

// fake is an LM with a name; err is its answer where it is not nil.
type fake struct {
	name string
	err  error
}

func (f *fake) Name() string { return f.name }

func (f *fake) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	if f.err != nil {
		return nil, f.err
	}
	return &lm.Response{Text: "I am " + f.name, Usage: lm.Usage{Calls: 1, PromptTokens: 3}}, nil
}

// fixed is a score function that returns always the same.
func fixed(score float64, err error) router.Score {
	return func(context.Context, *lm.Request) (float64, error) { return score, err }
}

func request() *lm.Request { return &lm.Request{Messages: []lm.Message{lm.User("Who are you?")}} }

func newRouter(t *testing.T, score router.Score, threshold float64, opts ...router.Option) *router.LM {
	t.Helper()
	r, err := router.New(&fake{name: "weak"}, &fake{name: "strong"}, score, threshold, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSuite(t *testing.T) {
	t.Parallel()
	lmtest.Suite(t, func(t *testing.T) lm.LM {
		answer := func(*lm.Request) (string, error) { return "one two three four five", nil }
		r, err := router.New(lmtest.Answer(answer), lmtest.Answer(answer), fixed(0.5, nil), 0.7)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}, lmtest.Capabilities{Messages: true, Prompt: true})
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		score, threshold float64
		want             string
	}{
		{0.69, 0.7, "weak"},
		{0.7, 0.7, "strong"},
		{0, 0, "strong"},
		{0, 0.1, "weak"},
		{1, 1, "strong"},
		{1, router.Never, "weak"},
		{1, math.Inf(1), "weak"},
	} {
		var decisions []router.Decision
		r := newRouter(t, fixed(tt.score, nil), tt.threshold, router.Notify(func(_ context.Context, d router.Decision) { decisions = append(decisions, d) }))
		resp, err := r.Generate(t.Context(), request())
		if err != nil {
			t.Fatal(err)
		}
		if resp.Model != tt.want || resp.Text != "I am "+tt.want {
			t.Errorf("score %v from %v: %q of %q, want %s", tt.score, tt.threshold, resp.Text, resp.Model, tt.want)
		}
		want := router.Decision{Strong: tt.want == "strong", Model: tt.want, Score: tt.score, Threshold: tt.threshold}
		if len(decisions) != 1 || decisions[0] != want {
			t.Errorf("decisions %+v, want %+v", decisions, want)
		}
	}
}

func TestUnscored(t *testing.T) {
	t.Parallel()
	broken := errors.New("the classifier is broken")
	busy := &lm.Error{Kind: lm.ErrRateLimit}
	for _, tt := range []struct {
		name  string
		score router.Score
		kind  lm.ErrorKind
		cause error
	}{
		{"error", fixed(0.9, broken), lm.ErrBackend, broken},
		{"error of an LM", fixed(0.9, fmt.Errorf("scoring: %w", busy)), lm.ErrRateLimit, busy},
		{"NaN", fixed(math.NaN(), nil), lm.ErrModel, nil},
		{"negative", fixed(-0.1, nil), lm.ErrModel, nil},
		{"above 1", fixed(1.1, nil), lm.ErrModel, nil},
		{"infinite", fixed(math.Inf(1), nil), lm.ErrModel, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRouter(t, tt.score, 0.5)
			_, err := r.Generate(t.Context(), request())
			var e *lm.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Provider != "router" || tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("error %v, want kind %q", err, tt.kind)
			}
			if got := r.Stats(); got != (router.Stats{Unscored: 1}) {
				t.Errorf("stats %+v, want one unscored", got)
			}
			for policy, want := range map[router.Policy]string{router.UseStrong: "strong", router.UseWeak: "weak"} {
				var d router.Decision
				r := newRouter(t, tt.score, 0.5, router.OnError(policy), router.Notify(func(_ context.Context, got router.Decision) { d = got }))
				resp, err := r.Generate(t.Context(), request())
				if err != nil || resp.Model != want {
					t.Fatalf("reply %+v, error %v, want one of %s", resp, err, want)
				}
				if !math.IsNaN(d.Score) || d.Err == nil || d.Strong != (want == "strong") {
					t.Errorf("decision %+v, want one without a score", d)
				}
				if got := r.Stats(); got.Unscored != 1 || got.Weak.Requests+got.Strong.Requests != 1 {
					t.Errorf("stats %+v", got)
				}
			}
		})
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := newRouter(t, func(ctx context.Context, _ *lm.Request) (float64, error) {
		cancel()
		return 0, fmt.Errorf("scoring: %w", ctx.Err())
	}, 0.5, router.OnError(router.UseWeak))
	for range 2 { // ended while scoring, and before
		if _, err := r.Generate(ctx, request()); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	}
	if got := r.Stats(); got != (router.Stats{}) {
		t.Errorf("stats %+v, want none: the caller has left", got)
	}
}

func TestInvalidRequestIsNotScored(t *testing.T) {
	t.Parallel()
	r := newRouter(t, func(context.Context, *lm.Request) (float64, error) {
		t.Error("an invalid request was scored")
		return 0, nil
	}, 0.5)
	if _, err := r.Generate(t.Context(), &lm.Request{}); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("error %v, want kind %q", err, lm.ErrInvalidRequest)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	down := &lm.Error{Kind: lm.ErrBackend, Partial: &lm.Response{Usage: lm.Usage{Calls: 1, CompletionTokens: 2}}}
	r, err := router.New(&fake{name: "weak"}, &fake{name: "strong", err: down}, func(_ context.Context, r *lm.Request) (float64, error) {
		return float64(r.Rollout % 2), nil
	}, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			q := request()
			q.Rollout = i
			_, err := r.Generate(t.Context(), q)
			if (err != nil) != (i%2 == 1) {
				t.Errorf("request %d: error %v", i, err)
			}
		})
	}
	wg.Wait()
	want := router.Stats{Weak: router.Side{Requests: 20, Usage: lm.Usage{Calls: 20, PromptTokens: 60}}, Strong: router.Side{Requests: 20, Errors: 20, Usage: lm.Usage{Calls: 20, CompletionTokens: 40}}}
	if got := r.Stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

// streaming shows two parts, and then its reply or an error.
type streaming struct{ fake }

func (s *streaming) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if !yield(&lm.Event{Text: "I am "}, nil) || !yield(&lm.Event{Text: s.name}, nil) {
			return
		}
		resp, err := s.Generate(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		yield(&lm.Event{Response: resp}, nil)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		side streaming
		stop int // after so many events
		want router.Side
	}{
		{"whole", streaming{fake{name: "weak"}}, 9, router.Side{Requests: 1, Usage: lm.Usage{Calls: 1, PromptTokens: 3}}},
		{"error", streaming{fake{name: "weak", err: &lm.Error{Kind: lm.ErrBackend}}}, 9, router.Side{Requests: 1, Errors: 1}},
		{"left", streaming{fake{name: "weak"}}, 1, router.Side{Requests: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := router.New(&tt.side, &fake{name: "strong"}, fixed(0, nil), 0.5)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for event, err := range r.Stream(t.Context(), request()) {
				if n++; n >= tt.stop {
					break
				}
				if err == nil && event.Response != nil && event.Response.Model != "weak" {
					t.Errorf("Model = %q, want the weak one's name", event.Response.Model)
				}
			}
			if got := r.Stats(); got.Weak != tt.want || got.Strong != (router.Side{}) {
				t.Errorf("stats %+v, want %+v", got, tt.want)
			}
		})
	}
	r := newRouter(t, fixed(math.NaN(), nil), 0.5)
	for event, err := range r.Stream(t.Context(), request()) {
		if event != nil || !errors.Is(err, lm.ErrModel) {
			t.Errorf("event %+v, error %v without a score", event, err)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	if got, want := lm.NameOf(newRouter(t, fixed(0, nil), 0.25)), "router(weak | strong from 0.25)"; got != want {
		t.Errorf("Name = %q, want %q", got, want)
	}
	r, err := router.New(&fake{}, &fake{name: "strong"}, fixed(0, nil), 0)
	if err != nil || r.Name() != "" {
		t.Errorf("Name = %q, error %v, want none as one model has none", r.Name(), err)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	a, score := &fake{name: "a"}, fixed(0, nil)
	for name, f := range map[string]func() (*router.LM, error){
		"weak":      func() (*router.LM, error) { return router.New(nil, a, score, 0.5) },
		"strong":    func() (*router.LM, error) { return router.New(a, nil, score, 0.5) },
		"score":     func() (*router.LM, error) { return router.New(a, a, nil, 0.5) },
		"NaN":       func() (*router.LM, error) { return router.New(a, a, score, math.NaN()) },
		"negative":  func() (*router.LM, error) { return router.New(a, a, score, -0.1) },
		"policy":    func() (*router.LM, error) { return router.New(a, a, score, 0.5, router.OnError(3)) },
		"notify":    func() (*router.LM, error) { return router.New(a, a, score, 0.5, router.Notify(nil)) },
		"policy -1": func() (*router.LM, error) { return router.New(a, a, score, 0.5, router.OnError(-1)) },
	} {
		if r, err := f(); r != nil || !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: error %v, want kind %q", name, err, lm.ErrInvalidRequest)
		}
	}
}
