package optimize

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// trialsOf is an optimizer of a test: it tries instructions until they end.
type trialsOf []string

func (trialsOf) String() string { return "trials" }

func (o trialsOf) search(ctx context.Context, s *session) error {
	if err := s.measureBaseline(ctx); err != nil {
		return err
	}
	for i, text := range o {
		c := s.own.clone()
		c[0] = s.withInstructions(0, c[0], text)
		if err := s.measure(ctx, text, i, c, false); err != nil {
			return err
		}
	}
	s.why = "all were tried"
	return nil
}

// knowing is right where the question is smaller than the number in the instructions.
func knowing() lm.LM {
	return echo(func(r *lm.Request, q string) (string, error) {
		n, _ := strconv.Atoi(q)
		_, text, _ := strings.Cut(r.Messages[0].Text(), "below ")
		text, _, _ = strings.Cut(text, "\n")
		if limit, _ := strconv.Atoi(strings.TrimSpace(text)); n < limit {
			return q, nil
		}
		return "unknown", nil
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	compile := func(t *testing.T, m lm.LM, b Budget) (*Result, error) {
		t.Helper()
		p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(m))
		return Compile(t.Context(), trialsOf{"below 5", "below 8", "below 10"}, p, engineData(0, 10), metric.Exact, Within(b), Concurrency(1))
	}
	for name, b := range map[string]Budget{"calls": {Calls: 25}, "tokens": {Tokens: 25 * 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
				resp, err := knowing().Generate(ctx, r)
				if err == nil {
					resp.Usage = lm.Usage{Calls: 1, PromptTokens: 2, CompletionTokens: 1}
				}
				return resp, err
			})
			r, err := compile(t, m, b)
			if !errors.Is(err, lm.ErrBudget) || r == nil {
				t.Fatalf("got %v", err)
			}
			if r.Winner != 0 || r.Score != 0.5 || len(r.Trials) != 1 || r.Calls.Paid > 26 {
				t.Errorf("want the best so far, got %s", r)
			}
		})
	}
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
				time.Sleep(time.Second)
				return knowing().Generate(ctx, r)
			})
			r, err := compile(t, m, Budget{Time: 25 * time.Second})
			if !errors.Is(err, lm.ErrBudget) || r == nil || !strings.Contains(err.Error(), "25s") {
				t.Fatalf("got %v", err)
			}
			if r.Winner != 0 || r.Wall != 25*time.Second {
				t.Errorf("after %s: %s", r.Wall, r)
			}
		})
	})
	t.Run("enough", func(t *testing.T) {
		t.Parallel()
		r, err := compile(t, knowing(), Budget{Calls: 40, Time: time.Hour})
		if err != nil || r.Winner != 2 || r.Score != 1 {
			t.Errorf("got %s, %v", r, err)
		}
	})
	t.Run("negative", func(t *testing.T) {
		t.Parallel()
		if r, err := compile(t, knowing(), Budget{Calls: -1}); err == nil || r != nil {
			t.Errorf("got %v, %v", r, err)
		}
	})
}

// TestTrialsAreCounted looks at what a result says of a search step by step.
func TestTrialsAreCounted(t *testing.T) {
	t.Parallel()
	p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(lmtest.Answer(func(r *lm.Request) (string, error) {
		resp, err := knowing().Generate(t.Context(), r)
		if err != nil {
			return "", err
		}
		return resp.Text, nil
	})))
	r, err := Compile(t.Context(), trialsOf{"below 5", "below 5", "below 3"}, p, engineData(0, 10), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	want := []Point{{Calls{10, 10}, 0, -1}, {Calls{20, 20}, 0.5, 0}, {Calls{30, 20}, 0.5, 0}, {Calls{40, 30}, 0.5, 0}}
	if !slices.Equal(r.Curve, want) {
		t.Errorf("curve %+v, want %+v", r.Curve, want)
	}
	for i, want := range []Calls{{20, 20}, {10, 0}, {10, 10}} { // the first pays the baseline, too
		if got := r.Trials[i].Spent.Calls; got != want {
			t.Errorf("trial %d: %+v, want %+v", i, got, want)
		}
	}
	if r.Searching.Calls != r.Calls || r.Confirming.Calls != (Calls{}) || len(r.Base) != 1 || r.Base[0].State.Instructions != "" || r.States[0].State.Instructions != "below 5" {
		t.Errorf("got %+v", r)
	}
}

// TestConfirmationIsPaired takes a gain only where a test of the pairs says so.
func TestConfirmationIsPaired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fresh int // how many of the fresh examples are new right answers
		want  bool
	}{{5, false}, {6, true}} { // of n pairs that differ p is 2/2^n
		p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(knowing()))
		r, err := Compile(t.Context(), trialsOf{"below 100"}, p, engineData(0, 10), metric.Exact, Confirm(engineData(100-c.fresh, 40)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Confirmed != c.want || r.Confirmation == nil || r.Confirmation.Rows != 40 || math.Abs(r.Confirmation.P-2/math.Pow(2, float64(c.fresh))) > 1e-12 ||
			!strings.Contains(r.String(), "McNemar's exact test, 40 examples") || r.Confirming.Calls.Requested != 80 {
			t.Errorf("%d gained: %s", c.fresh, r)
		}
		if (r.Winner == 0) != c.want {
			t.Errorf("%d gained: winner %d", c.fresh, r.Winner)
		}
	}
}
