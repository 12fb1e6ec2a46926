package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

type engineExample = module.Example[signature.Record, signature.Record]

// engineData returns questions "0", "1", ... of which the answer is the question.
func engineData(from, n int) []engineExample {
	out := make([]engineExample, n)
	for i := range out {
		q := strconv.Itoa(from + i)
		out[i] = engineExample{In: signature.RecordOf("question", q), Out: signature.RecordOf("answer", q), ID: "q" + q}
	}
	return out
}

// echo answers with the question, or with what say makes of it.
func echo(say func(r *lm.Request, question string) (string, error)) lm.LM {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		text := r.Messages[len(r.Messages)-1].Text()
		_, text, _ = strings.Cut(text, "[[ ## question ## ]]\n")
		question, _, _ := strings.Cut(text, "\n")
		answer, err := question, error(nil)
		if say != nil {
			answer, err = say(r, question)
		}
		return "[[ ## answer ## ]]\n" + answer + "\n\n[[ ## completed ## ]]", err
	})
}

// engineSession returns a session as Compile makes it, and the context to search in.
func engineSession(t *testing.T, m lm.LM, train []engineExample, opts ...Option) (context.Context, *session) {
	t.Helper()
	o, err := newOptions(opts)
	if err != nil {
		t.Fatal(err)
	}
	p := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(m))
	tk, err := newTask(p, train, metric.Exact, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSession(t.Context(), p, tk, o)
	if err != nil {
		t.Fatal(err)
	}
	return lm.Wrap(t.Context(), s.store.wrap), s
}

func TestAsk(t *testing.T) {
	t.Parallel()
	m := echo(func(r *lm.Request, q string) (string, error) {
		switch {
		case r.Rollout > 0:
			return fmt.Sprintf("%s in rollout %d of seed %d at %g", q, r.Rollout, *r.Seed, *r.Temperature), nil
		case q == "2":
			return "", errors.New("no answer to 2")
		case q == "3":
			return "4", nil
		}
		return q, nil
	})
	ctx, s := engineSession(t, m, engineData(0, 5), Val(engineData(10, 2)), Concurrency(2))
	qs := []question{
		{c: s.own, row: 1},
		{c: s.own, row: 2},
		{c: s.own, row: 3},
		{c: s.own, set: valSet, row: 1},
		{c: s.own, row: 1, rollout: 3, temperature: 0.5},
		{c: s.own, row: 1, model: echo(func(*lm.Request, string) (string, error) { return "the teacher's", nil })},
	}
	got, err := s.ask(ctx, qs)
	if err != nil {
		t.Fatal(err)
	}
	outs := make([]any, len(got))
	for i, a := range got {
		outs[i], _ = a.out.Get("answer")
	}
	if want := []any{"1", nil, "4", "11", "1 in rollout 3 of seed 3 at 0.5", "the teacher's"}; !slices.Equal(outs, want) {
		t.Errorf("got %q, want %q", outs, want)
	}
	if got[0].score.Value != 1 || got[1].score.Value != 0 || got[2].score.Value != 0 {
		t.Errorf("scores %v, %v, %v", got[0].score, got[1].score, got[2].score)
	}
	if got[1].err == nil || !strings.Contains(got[1].err.Error(), "no answer to 2") || len(got[1].steps) != 1 || got[1].name != "q2" {
		t.Errorf("the failed run: %+v", got[1])
	}
	if q, _ := got[3].in.Get("question"); q != "11" || len(got[3].steps) != 1 {
		t.Errorf("of the validation set: %+v", got[3])
	}
	if v, _ := got[2].truth.Get("answer"); v != "3" {
		t.Errorf("truth %v", got[2].truth)
	}
	if s.own[0].LM != nil {
		t.Error("asking a teacher changed the candidate")
	}
}

func TestAskEnds(t *testing.T) {
	t.Parallel()
	fail := func(kind lm.ErrorKind) lm.LM {
		return lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
			return nil, &lm.Error{Kind: kind, Message: "for a test"}
		})
	}
	all := func(s *session) []question { return []question{{c: s.own, row: 0}, {c: s.own, row: 1}} }
	for _, kind := range []lm.ErrorKind{lm.ErrAuth, lm.ErrBudget} {
		ctx, s := engineSession(t, fail(kind), engineData(0, 2))
		if a, err := s.ask(ctx, all(s)); !errors.Is(err, kind) || a != nil {
			t.Errorf("%v: got %v, %v", kind, a, err)
		}
	}
	// An error that another example may not have is an answer of its own.
	ctx, s := engineSession(t, fail(lm.ErrBackend), engineData(0, 2))
	if a, err := s.ask(ctx, all(s)); err != nil || a[0].err == nil || a[1].err == nil {
		t.Errorf("got %v, %v", a, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if a, err := s.ask(cancelled, all(s)); !errors.Is(err, context.Canceled) || a != nil {
		t.Errorf("cancelled: got %v, %v", a, err)
	}
}

func TestEvaluateRows(t *testing.T) {
	t.Parallel()
	m := echo(func(_ *lm.Request, q string) (string, error) {
		if q == "3" {
			return "wrong", nil
		}
		return q, nil
	})
	ctx, s := engineSession(t, m, engineData(0, 5))
	e, err := s.evaluateRows(ctx, s.own, valSet, []int{3, 1, 3, 4})
	if err != nil || !slices.Equal(e.subscores, []float64{0, 1, 0, 1}) || e.score != 0.5 {
		t.Errorf("got %+v, %v", e, err)
	}
	if c := s.store.total().Calls; c != (Calls{4, 3}) {
		t.Errorf("calls %+v", c)
	}
	if e, err = s.evaluateOn(ctx, s.own, valSet); err != nil || len(e.subscores) != 5 {
		t.Errorf("got %+v, %v", e, err)
	}
}

// TestPhases counts calls where they belong.
func TestPhases(t *testing.T) {
	t.Parallel()
	ctx, s := engineSession(t, echo(nil), engineData(0, 3))
	ask := func(ctx context.Context, row int) {
		t.Helper()
		if _, err := s.ask(ctx, []question{{c: s.own, row: row}}); err != nil {
			t.Fatal(err)
		}
	}
	ask(ctx, 0)
	ask(inPhase(ctx, bootstrapping), 0)
	ask(inPhase(ctx, bootstrapping), 1)
	ask(inPhase(inPhase(ctx, bootstrapping), confirming), 2)
	for p, want := range map[phase]Calls{searching: {1, 1}, bootstrapping: {2, 1}, confirming: {1, 1}, proposing: {}} {
		if got := s.store.spent(p).Calls; got != want {
			t.Errorf("phase %d: %+v, want %+v", p, got, want)
		}
	}
	if got := s.store.total().Calls; got != (Calls{4, 3}) {
		t.Errorf("in all %+v", got)
	}
	if got := s.store.taken().Calls; got != (Calls{4, 3}) {
		t.Errorf("taken %+v", got)
	}
	if got := s.store.taken().Calls; got != (Calls{}) {
		t.Errorf("taken twice %+v", got)
	}
}

// TestPrompt asks the model that proposes.
func TestPrompt(t *testing.T) {
	t.Parallel()
	var seen []*lm.Request
	proposer := lmtest.Answer(func(r *lm.Request) (string, error) {
		seen = append(seen, r)
		return "[[ ## idea ## ]]\ntry this\n\n[[ ## completed ## ]]", nil
	})
	p := module.MustDynamic(signature.MustParse("topic -> idea"))
	in := signature.RecordOf("topic", "whet")
	ctx, s := engineSession(t, echo(nil), engineData(0, 1), PromptModel(proposer))
	for _, rollout := range []int{0, 0, 5} {
		out, err := s.prompt(ctx, p, in, rollout, 0.7)
		if v, _ := out.Get("idea"); err != nil || v != "try this" {
			t.Fatalf("got %v, %v", out, err)
		}
	}
	if _, err := s.prompt(ctx, p, in, 6, math.NaN()); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || seen[0].Rollout != 0 || *seen[0].Temperature != 0.7 || seen[1].Rollout != 5 || *seen[1].Seed != 5 || seen[2].Temperature != nil {
		t.Errorf("%d requests: %+v", len(seen), seen)
	}
	if got := s.store.spent(proposing).Calls; got != (Calls{4, 3}) {
		t.Errorf("calls %+v", got)
	}
	// By default the program's own model proposes; here it does not know the field.
	ctx, s = engineSession(t, echo(nil), engineData(0, 1))
	if _, err := s.prompt(ctx, p, in, 0, 1); err == nil || s.store.spent(proposing).Calls.Requested != 1 {
		t.Errorf("got %v", err)
	}
}

func TestSpace(t *testing.T) {
	t.Parallel()
	_, s := engineSession(t, echo(nil), engineData(0, 3))
	demos := demosOf(s.train[:2])
	sp, err := s.space(Space{"self": {Instructions: []string{s.instructionsOf(0, s.own[0]), "Be brief."}, Demos: [][]module.Demo{nil, demos}}})
	if err != nil {
		t.Fatal(err)
	}
	c := sp.candidate(s, []int{1}, []int{1})
	if c[0].Instructions != "Be brief." || len(c[0].Demos) != 2 || s.instructionsOf(0, c[0]) != "Be brief." {
		t.Errorf("got %+v", c[0])
	}
	if c = sp.candidate(s, []int{0}, []int{0}); c[0].Instructions != "" || c[0].Demos != nil {
		t.Errorf("the program's own: %+v", c[0])
	}
	if sp, err = s.space(nil); err != nil || len(sp.instructions[0]) != 1 || len(sp.demos[0]) != 1 {
		t.Errorf("nothing given: %+v, %v", sp, err)
	}
	if _, err = s.space(Space{"other": {}}); err == nil || !strings.Contains(err.Error(), `"other"`) || !strings.Contains(err.Error(), `"self"`) {
		t.Errorf("another predictor: %v", err)
	}
}

func TestKeepOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		opts       []Option
		train      int
		kept       bool
		tr, va, fr int
	}{
		{"a fifth", []Option{Val(engineData(100, 200))}, 10, true, 10, 160, 40},
		{"at least 30", []Option{Val(engineData(100, 80))}, 10, true, 10, 50, 30},
		{"too few", []Option{Val(engineData(100, 59))}, 10, false, 10, 59, 0},
		{"of the training examples", nil, 100, true, 70, 70, 30},
		{"given", []Option{Val(engineData(100, 200)), Confirm(engineData(500, 7))}, 10, true, 10, 200, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, s := engineSession(t, echo(nil), engineData(0, c.train), c.opts...)
			if kept := s.keepOut(0.2, 30, 1); kept != c.kept || s.sizes != [3]int{c.tr, c.va, c.fr} || len(s.train) != c.tr || s.result.Rows != c.va {
				t.Fatalf("kept %v, sizes %v, %d training records", kept, s.sizes, len(s.train))
			}
			seen := map[string]int{}
			for set, n := range s.sizes {
				for row := range n {
					if dataset(set) == trainSet && len(c.opts) == 0 {
						continue // they are the validation examples
					}
					a, err := s.ask(ctx, []question{{c: s.own, set: dataset(set), row: row}})
					if err != nil {
						t.Fatal(err)
					}
					seen[a[0].name]++
				}
			}
			for name, n := range seen {
				if n != 1 {
					t.Errorf("%s is in %d sets", name, n)
				}
			}
			e, err := s.evaluateOn(ctx, s.own, valSet)
			if err != nil || len(e.subscores) != c.va {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestResplit(t *testing.T) {
	t.Parallel()
	ctx, s := engineSession(t, echo(nil), engineData(0, 6))
	s.resplit([]int{0, 2}, []int{5, 4, 3})
	if s.sizes != [3]int{2, 3, 0} || !slices.Equal(s.names, []string{"q0", "q2"}) || len(s.truth) != 2 {
		t.Fatalf("sizes %v, names %v", s.sizes, s.names)
	}
	a, err := s.ask(ctx, []question{{c: s.own, set: valSet, row: 0}, {c: s.own, set: trainSet, row: 1}})
	if err != nil || a[0].name != "q5" || a[1].name != "q2" {
		t.Errorf("got %v, %v", a, err)
	}
	if tr, _, err := s.attempt(ctx, ctx, 1); err != nil || len(module.Steps(tr)) != 1 {
		t.Errorf("got %v", err)
	}
}

// TestResplitIsApart has biases fitted to the training examples alone, also where the search
// split them itself.
func TestResplitIsApart(t *testing.T) {
	t.Parallel()
	ctx, s := engineSession(t, echo(nil), engineData(0, 6))
	if s.apart {
		t.Error("without Val the validation examples are the training ones")
	}
	s.resplit([]int{0, 2}, []int{1, 3, 4, 5})
	e, err := s.evaluateOn(ctx, s.own, valSet)
	if err != nil {
		t.Fatal(err)
	}
	before := s.store.total().Calls.Requested
	if _, err := (Calibrate{}).fit(ctx, s, s.own, e); err == nil {
		t.Fatal("there is no choice to fit a bias to")
	}
	if n := s.store.total().Calls.Requested - before; n != 2 {
		t.Errorf("the fit ran %d examples, want the 2 training ones", n)
	}
}
