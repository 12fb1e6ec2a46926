package optimize

import (
	"context"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

// These are models that can more or less; they answer with what they were asked.
type (
	plainModel    struct{}
	namedModel    struct{ plainModel }
	unnamedModel  struct{ plainModel }
	countingModel struct{ plainModel }
	fullModel     struct{ namedModel }
)

func (plainModel) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	return &lm.Response{Text: r.Prompt}, nil
}

func (namedModel) Name() string   { return "a name" }
func (unnamedModel) Name() string { return "" }

func (countingModel) CountTokens(_ context.Context, r *lm.Request) (int, error) {
	return len(r.Prompt), nil
}

func (fullModel) CountTokens(_ context.Context, r *lm.Request) (int, error) {
	return 2 * len(r.Prompt), nil
}

// TestWrappersHideNothing looks at each kind of model through a store, and
// through a rollout before that.
func TestWrappersHideNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind   string
		model  lm.LM
		name   string
		tokens int
	}{
		{"plain", plainModel{}, "", 0},
		{"named", namedModel{}, "a name", 0},
		{"named, but without a name", unnamedModel{}, "", 0},
		{"counting", countingModel{}, "", 5},
		{"named and counting", fullModel{}, "a name", 10},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			s := NewStore()
			stored := s.Wrap(tt.model)
			req := &lm.Request{Prompt: "12345"}
			for kind, m := range map[string]lm.LM{"stored": stored, "seeded": seeded{stored}} {
				if name := lm.NameOf(m); name != tt.name {
					t.Errorf("%s: the name is %q, want %q", kind, name, tt.name)
				}
				counting, ok := lm.As[lm.Tokenizer](m)
				if ok != (tt.tokens > 0) {
					t.Errorf("%s: counting %v, want %v", kind, ok, !ok)
				}
				if ok {
					if n, err := counting.CountTokens(t.Context(), req); n != tt.tokens || err != nil {
						t.Errorf("%s: %d tokens and %v, want %d", kind, n, err, tt.tokens)
					}
				}
			}
			if calls := s.Calls(); calls != (Calls{}) {
				t.Errorf("counting tokens was counted as %+v", calls)
			}
			// Wrapped anew, it is still the same model to a store before it.
			outer := newStore()
			for range 2 {
				if _, err := outer.wrap(s.Wrap(tt.model)).Generate(t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			if calls := outer.total().Calls; calls != (Calls{Requested: 2, Paid: 1}) {
				t.Errorf("an identical request through two wrappers: %+v", calls)
			}
		})
	}
}

// TestRoundsHaveSeeds makes the draws of each round repeat, and differ from another
// round's; rollouts of the program's own stay apart in it.
func TestRoundsHaveSeeds(t *testing.T) {
	t.Parallel()
	type in struct{ Q string }
	type out struct{ A string }
	var got *lm.Request
	model := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		got = r
		return &lm.Response{Text: "[[ ## a ## ]]\nx"}, nil
	})
	ask := func(ctx context.Context, opts ...module.Option) *lm.Request {
		p := module.MustPredict[in, out]("", append(opts, module.WithLM(model), module.Temperature(0.1))...)
		if _, err := p.Run(ctx, in{}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if r := ask(inRound(t.Context(), 0)); r.Seed != nil || r.Rollout != 0 || *r.Temperature != 0.1 {
		t.Errorf("the first round changed the request: %+v", r)
	}
	for _, tt := range []struct {
		opts  []module.Option
		round int
		want  uint64
	}{{nil, 1, 1}, {nil, 2, 2}, {[]module.Option{module.Seed(40)}, 2, 42}} {
		if r := ask(inRound(t.Context(), tt.round), tt.opts...); r.Seed == nil || *r.Seed != tt.want || r.Rollout != tt.round || *r.Temperature != 1 {
			t.Errorf("round %d: the request is %+v, want the seed %d", tt.round, r, tt.want)
		}
	}
	rollouts, seeds := map[int]bool{}, map[uint64]bool{}
	for round := range 3 {
		for n := range 3 {
			r := ask(module.WithRollout(inRound(t.Context(), round), n), module.Seed(40))
			rollouts[r.Rollout], seeds[*r.Seed] = true, true
		}
	}
	if len(rollouts) != 9 || len(seeds) != 9 {
		t.Errorf("%d rollouts with %d seeds are told apart, want 9", len(rollouts), len(seeds))
	}
}

// anew is a wrapper of which there is another one for every call.
type anew struct{ inner lm.LM }

func (a *anew) Unwrap() lm.LM { return a.inner }

func (a *anew) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	return a.inner.Generate(ctx, r)
}

// Of two models of one name that are wrapped anew for every call each is asked once.
func TestStoreSeesThroughWrappers(t *testing.T) {
	t.Parallel()
	s := newStore()
	first, second := lmtest.Script("a", "never"), lmtest.Script("b", "never")
	for range 3 {
		for _, m := range []lm.LM{first, second} {
			want := map[lm.LM]string{first: "a", second: "b"}[m]
			resp, err := s.wrap(&anew{m}).Generate(t.Context(), &lm.Request{Prompt: "x"})
			if err != nil || resp.Text != want {
				t.Errorf("%+v %v, want %s", resp, err, want)
			}
		}
	}
	if calls := s.total().Calls; calls != (Calls{Requested: 6, Paid: 2}) {
		t.Errorf("%+v", calls)
	}
}
