package module_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

// echo answers with the instructions that it was given.
func echo() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		system := r.Messages[0].Text()
		return reply("a", strings.TrimSpace(system[strings.LastIndex(system, "\n"):])), nil
	})
}

func candidate(t *testing.T, p *module.Predictor, instructions string) module.States {
	t.Helper()
	s, err := module.States{}.With(p, module.State{Instructions: instructions})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCandidatesDoNotMix(t *testing.T) {
	t.Parallel()
	p := newPredict()
	ctx := lm.With(context.Background(), echo())
	var wg sync.WaitGroup
	for _, name := range []string{"candidate one", "candidate two"} {
		cctx := module.WithStates(ctx, candidate(t, p.Predictor(), name))
		wg.Go(func() {
			for range 200 {
				if out, err := p.Run(cctx, question{"?"}); err != nil || out.A != name {
					t.Errorf("%s: got %v, %v", name, out, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := p.Predictor().State().Instructions; got != "" {
		t.Errorf("the program has instructions %q now", got)
	}
}

func TestNestedCandidates(t *testing.T) {
	t.Parallel()
	a, b := newPredict(), newPredict()
	ctx := lm.With(context.Background(), echo())
	both, err := candidate(t, a.Predictor(), "outer a").With(b.Predictor(), module.State{Instructions: "outer b"})
	if err != nil {
		t.Fatal(err)
	}
	outer := module.WithStates(ctx, both)
	innermost := module.WithStates(outer, candidate(t, a.Predictor(), "inner a"))
	for _, tt := range []struct {
		ctx  context.Context
		p    *predict
		want string
	}{
		{outer, a, "outer a"},
		{outer, b, "outer b"},
		{innermost, a, "inner a"},
		{innermost, b, "outer b"},
	} {
		out, err := tt.p.Run(tt.ctx, question{"?"})
		if err != nil || out.A != tt.want || tt.p.Predictor().StateIn(tt.ctx).Instructions != tt.want {
			t.Errorf("got %v, %v; want %s", out, err, tt.want)
		}
	}
	if s, ok := both.Of(b.Predictor()); !ok || s.Instructions != "outer b" {
		t.Errorf("Of = %v, %v", s, ok)
	}
	if _, ok := (module.States{}).Of(b.Predictor()); ok {
		t.Error("the zero States has a state")
	}
	both.Apply()
	if got := a.Predictor().State().Instructions; got != "outer a" {
		t.Errorf("after Apply: %q", got)
	}
	if _, err := both.With(a.Predictor(), module.State{Biases: map[string]map[string]float64{"x": {"y": 1}}}); err == nil {
		t.Error("With took a state that does not fit")
	}
}

func TestJudgeIsNotTouched(t *testing.T) {
	t.Parallel()
	type program struct{ Ask *predict }
	student, judge := program{newPredict()}, program{module.MustPredict[question, answer]("Judge it.")}
	ctx := module.WithStates(lm.With(context.Background(), echo()), candidate(t, student.Ask.Predictor(), "candidate"))
	// A metric calls its judge with the context of the run.
	metric := func(ctx context.Context, got answer) string {
		out, err := judge.Ask.Run(ctx, question{got.A})
		if err != nil {
			t.Error(err)
		}
		return out.A
	}
	got, err := student.Ask.Run(ctx, question{"?"})
	if err != nil || got.A != "candidate" {
		t.Fatalf("student: %v, %v", got, err)
	}
	if verdict := metric(ctx, got); verdict != "Judge it." {
		t.Errorf("the judge was told %q", verdict)
	}
}

func TestSetStateWhileCallsRun(t *testing.T) {
	t.Parallel()
	p := newPredict()
	ctx := lm.With(context.Background(), echo())
	stop := make(chan struct{})
	var calls, setter sync.WaitGroup
	set(t, p, "self", module.State{Instructions: "state 0"})
	setter.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.Predictor().SetState(module.State{Instructions: fmt.Sprintf("state %d", i%7)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 4 {
		calls.Go(func() {
			for range 50 {
				if out, err := p.Run(ctx, question{"?"}); err != nil || !strings.HasPrefix(out.A, "state ") {
					t.Errorf("got %v, %v", out, err)
				}
			}
		})
	}
	calls.Wait()
	close(stop)
	setter.Wait()
}

func TestSetStateRefusesBiases(t *testing.T) {
	t.Parallel()
	type flag struct {
		Ok    bool
		Label string `enum:"a,b"`
		Free  string
	}
	p := module.MustPredict[question, flag]("").Predictor()
	good := module.State{Instructions: "keep", Biases: map[string]map[string]float64{"ok": {"True": 1}, "label": {"b": 2}}}
	if err := p.SetState(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []map[string]map[string]float64{
		{"nothing": {"a": 1}},
		{"q": {"a": 1}},
		{"label": {"c": 1}},
		{"ok": {"true": 1}},
		{"free": {"a": 1}},
		{"label": {"a": math.NaN()}},
		{"label": {"a": math.Inf(-1)}},
	} {
		if err := p.SetState(module.State{Biases: bad}); err == nil {
			t.Errorf("SetState took the biases %v", bad)
		}
		if diff := cmp.Diff(good, p.State()); diff != "" {
			t.Errorf("the state was changed:\n%s", diff)
		}
	}
}
