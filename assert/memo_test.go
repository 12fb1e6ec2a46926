package assert_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// TestMemoryOfOnePredictor calls one predictor three times, once with the same input as
// before, and fails at the third.
func TestMemoryOfOnePredictor(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		var mu sync.Mutex
		n := 0
		model := lmtest.Answer(func(r *lm.Request) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			n++
			return reply("answer", fmt.Sprint(n)), nil
		})
		predict := module.MustPredict[question, answer]("", module.WithLM(model))
		var seen []string
		p := program{predict, func(ctx context.Context, in question) (answer, error) {
			var all []string
			for _, q := range []string{"x", "x", "y"} {
				out, err := predict.Run(ctx, question{q})
				if err != nil {
					return out, err
				}
				all = append(all, out.Answer)
			}
			seen = append(seen, strings.Join(all, " "))
			return answer{strings.Join(all, " ")}, assert.That(ctx, len(seen) > 1, "once more")
		}}
		var opts []assert.Option
		want, calls := []string{"1 2 3", "1 2 4"}, 4
		asks := [][]string{{"question=x"}, {"question=x"}, {"question=y"}, {"question=y", "past_answer=3", "feedback=once more"}}
		if full {
			opts = append(opts, assert.FullRerun())
			want, calls = []string{"1 2 3", "4 5 6"}, 6
			asks = slices.Insert(asks, 3, // all calls of the target, as in DSPy
				[]string{"question=x", "past_answer=3", "feedback=once more"}, []string{"question=x", "past_answer=3", "feedback=once more"})
		}
		ctx, tr := trace.Start(t.Context())
		if _, err := assert.Wrap(p, opts...).Run(ctx, question{"?"}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(seen, want) {
			t.Errorf("full %v: the program saw %q, want %q", full, seen, want)
		}
		if d := cmp.Diff(asks, allAsked(model)); d != "" {
			t.Errorf("full %v: %s", full, d)
		}
		if c := assert.CountCalls(tr); c != (assert.Calls{Requested: 6, Paid: calls}) {
			t.Errorf("full %v: counted %+v", full, c)
		}
	}
}

// TestMemoryOfOtherInputs pays for what the program asks otherwise.
func TestMemoryOfOtherInputs(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if q := field(r, "question"); q != "" {
			return reply("query", "of "+q), nil
		}
		return reply("answer", "to "+field(r, "query")+strings.Repeat("!", len(field(r, "feedback")))), nil
	})
	p := newSteps(model, nil)
	try := 0
	prog := program{run: func(ctx context.Context, _ question) (answer, error) {
		try++
		q, err := p.Query.Run(ctx, question{fmt.Sprint("question ", try)}) // as code that looks at a clock
		if err != nil {
			return answer{}, err
		}
		a, err := p.Answer.Run(ctx, q)
		if err != nil {
			return a, err
		}
		return a, assert.That(ctx, strings.HasSuffix(a.Answer, "!"), "!")
	}}
	out, err := assert.Wrap(prog).Run(t.Context(), question{})
	if err != nil || out.Answer != "to of question 2!" || model.Calls() != 4 {
		t.Errorf("got %v, %v after %d calls", out, err, model.Calls())
	}
}

// TestMemoryBesides keeps the answers of calls that ran at the same time as the failed one,
// and assigns a failure to the calls of its own branch.
func TestMemoryBesides(t *testing.T) {
	t.Parallel()
	const n = 8
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if field(r, "feedback") != "" {
			return reply("answer", "good "+field(r, "question")), nil
		}
		return reply("answer", "first "+field(r, "question")), nil
	})
	predict := module.MustPredict[question, answer]("", module.WithLM(model))
	p := program{predict, func(ctx context.Context, _ question) (answer, error) {
		var wg sync.WaitGroup
		var began sync.WaitGroup
		began.Add(n)
		errs, outs := make([]error, n), make([]answer, n)
		for i := range n {
			wg.Go(func() {
				branch, _, join := trace.Branch(ctx)
				defer join(true)
				began.Done()
				began.Wait()
				if outs[i], errs[i] = predict.Run(branch, question{fmt.Sprint(i)}); errs[i] == nil && i == 3 {
					errs[i] = assert.That(branch, strings.HasPrefix(outs[i].Answer, "good"), "good")
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return answer{}, err
			}
		}
		return outs[3], nil
	}}
	out, err := assert.Wrap(p).Run(t.Context(), question{})
	if err != nil || out.Answer != "good 3" {
		t.Fatalf("got %v, %v", out, err)
	}
	again := 0
	for _, r := range model.Requests()[n:] {
		// Those that began only after the failed answer was there are paid again.
		if field(r, "feedback") != "" {
			again++
			if field(r, "past_answer") != "first 3" || field(r, "question") != "3" {
				t.Errorf("asked again with %q", asked(r))
			}
		}
	}
	if again != 1 {
		t.Errorf("%d calls with feedback, want 1", again)
	}
}

// TestLoop checks each answer of a predictor that is called for several items: feedback is
// for the item that failed.
func TestLoop(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if field(r, "feedback") == "" && field(r, "question") != "c" {
			return reply("answer", "bad"), nil
		}
		return reply("answer", "good"), nil
	})
	predict := module.MustPredict[question, answer]("", module.WithLM(model))
	p := program{predict, func(ctx context.Context, _ question) (answer, error) {
		for _, item := range []string{"a", "b", "c"} {
			out, err := predict.Run(ctx, question{item})
			if err != nil {
				return out, err
			}
			if err := assert.That(ctx, out.Answer == "good", item+" must be good"); err != nil {
				return out, err
			}
		}
		return answer{}, nil
	}}
	if _, err := assert.Wrap(p, assert.MaxBacktracks(5)).Run(t.Context(), question{}); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"question=a"},
		{"question=a", "past_answer=bad", "feedback=a must be good"},
		{"question=b"},
		{"question=b", "past_answer=bad", "feedback=a must be good\nb must be good"},
		{"question=c"},
	}
	if d := cmp.Diff(want, allAsked(model)); d != "" {
		t.Error(d)
	}
}

// TestMemoryOfStates keeps the answers of several states of one predictor apart.
func TestMemoryOfStates(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		text := r.Messages[0].Text()
		name := text[len(text)-1:]
		if field(r, "feedback") != "" {
			name += " again"
		}
		return reply("answer", name), nil
	})
	predict := module.MustPredict[question, answer]("", module.WithLM(model))
	states := make([]module.States, 3)
	for i, name := range []string{"A", "B", "C"} {
		var err error
		if states[i], err = (module.States{}).With(predict.Predictor(), module.State{Instructions: "Answer " + name}); err != nil {
			t.Fatal(err)
		}
	}
	try := 0
	p := program{predict, func(ctx context.Context, in question) (answer, error) {
		order := [][]int{{0, 1, 2}, {1, 0, 2}}[try]
		try++
		got := make([]string, 3)
		for _, i := range order {
			out, err := predict.Run(module.WithStates(ctx, states[i]), in)
			if err != nil {
				return out, err
			}
			got[i] = out.Answer
		}
		return answer{strings.Join(got, ", ")}, assert.That(ctx, try == 2, "again")
	}}
	out, err := assert.Wrap(p).Run(t.Context(), question{"?"})
	if err != nil || out.Answer != "A, B, C again" || model.Calls() != 4 {
		t.Errorf("got %v, %v after %d calls", out, err, model.Calls())
	}
}

// TestReusedPredictions cost nothing, and are none of the program's business otherwise.
func TestReusedPredictions(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("query", "q"), reply("answer", "a"), reply("answer", "b"))
	p := newSteps(model, nil)
	var queries []*module.Prediction[query]
	prog := program{run: func(ctx context.Context, in question) (answer, error) {
		q, err := p.Query.Call(ctx, in)
		if err != nil {
			return answer{}, err
		}
		queries = append(queries, q)
		a, err := p.Answer.Run(ctx, q.Out)
		if err != nil {
			return a, err
		}
		return a, assert.That(ctx, a.Answer == "b", "b")
	}}
	if _, err := assert.Wrap(prog).Run(t.Context(), question{"?"}); err != nil {
		t.Fatal(err)
	}
	first, second := queries[0], queries[1]
	if first.Usage.Calls != 1 || second.Usage != (lm.Usage{}) || second.Out != first.Out || second.Raw != first.Raw {
		t.Errorf("got %+v and %+v", first, second)
	}
}
