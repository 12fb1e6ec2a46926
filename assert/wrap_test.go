package assert_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

func TestWrapIsTheProgram(t *testing.T) {
	t.Parallel()
	p := newSteps(lmtest.Script(), nil)
	w := assert.Wrap(p)
	var _ module.Caller[question, answer] = w
	inside, err := module.Predictors(p)
	if err != nil {
		t.Fatal(err)
	}
	if named, err := module.Predictors(w); err != nil || !slices.Equal(named, inside) {
		t.Errorf("got %v, %v; want %v", named, err, inside)
	}
	saved, err := module.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if wrapped, err := module.Marshal(w); err != nil || string(wrapped) != string(saved) {
		t.Errorf("another file: %s, %v", wrapped, err)
	}
	held := outer{assert.Wrap(module.MustPredict[question, answer](""))}
	if named, err := module.Predictors(held); err != nil || len(named) != 1 || named[0].Name != "inner" {
		t.Errorf("in a field: got %v, %v", named, err)
	}
	var single module.Program[question, answer] = module.MustPredict[question, answer]("")
	single = assert.Wrap(single)
	if named, err := module.Predictors(single); err != nil || len(named) != 1 || named[0].Name != "self" {
		t.Errorf("got %v, %v", named, err)
	}
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("answer", "a"))
	twice := &struct {
		module.Func[question, answer]
		A *module.Predict[question, answer] `dspy:"a"`
		B *module.Predict[question, answer] `dspy:"a"`
	}{A: module.MustPredict[question, answer](""), B: module.MustPredict[question, answer]("")}
	for name, p := range map[string]*assert.Wrapped[question, answer]{
		"MaxBacktracks(-1) is negative": assert.Wrap(newOne(model, assert.That), assert.MaxBacktracks(-1)),
		"the program is nil":            assert.Wrap[question, answer](nil),
		"two predictors are named":      assert.Wrap[question, answer](twice),
	} {
		_, err := p.Run(t.Context(), question{})
		_, err2 := p.Call(t.Context(), question{})
		if err == nil || err2 == nil || !strings.Contains(err.Error(), name) || err.Error() != err2.Error() {
			t.Errorf("%s: got %v and %v", name, err, err2)
		}
	}
	if model.Calls() != 0 {
		t.Error("a call was made all the same")
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("query", "q"), reply("answer", "a b"), reply("answer", "a"))
	w := assert.Wrap(newSteps(model, func(ctx context.Context, _ query, a answer) error {
		return assert.Suggest(ctx, a.Answer == "a", "one letter")
	}))
	ctx, tr := trace.Start(t.Context())
	pred, err := w.Call(ctx, question{"?"})
	if err != nil || pred.Out.Answer != "a" || pred.Usage.Calls != 3 || pred.Raw != reply("answer", "a") {
		t.Fatalf("got %+v, %v", pred, err)
	}
	var usage lm.Usage
	for _, s := range module.Steps(tr) {
		usage = usage.Add(s.Usage)
	}
	if usage != pred.Usage {
		t.Errorf("the trace has %+v, the prediction %+v", usage, pred.Usage)
	}
	// That of a predictor itself, with what only it knows.
	single := module.MustChainOfThought[question, answer]("", module.WithLM(lmtest.Script(reply("reasoning", "r", "answer", "a"))))
	if pred, err := assert.Wrap(single).Call(t.Context(), question{"?"}); err != nil || pred.Reasoning != "r" || pred.Usage.Calls != 1 {
		t.Errorf("got %+v, %v", pred, err)
	}
	hard := assert.Wrap(newOne(lmtest.Script(reply("answer", "a b"), reply("answer", "c d")), assert.That))
	if pred, err := hard.Call(t.Context(), question{"?"}); err == nil || pred != nil {
		t.Errorf("got %+v, %v", pred, err)
	}
}

func TestOtherErrorsPass(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	for _, tt := range []struct {
		name  string
		model lm.LM
		own   error
		want  error
	}{
		{"the model's", lmtest.Script(), nil, lm.ErrUnavailable},
		{"the program's", lmtest.Script(reply("answer", "a")), own, own},
	} {
		predict := module.MustPredict[question, answer]("", module.WithLM(tt.model))
		p := program{predict, func(ctx context.Context, in question) (answer, error) {
			out, err := predict.Run(ctx, in)
			if err == nil {
				err = tt.own
			}
			return out, err
		}}
		_, bare := p.Run(t.Context(), question{"?"})
		p.Answer = predict
		_, err := assert.Wrap(p).Run(t.Context(), question{"?"})
		if !errors.Is(err, tt.want) && tt.own == nil || tt.own != nil && bare != own { //nolint:errorlint // as it is
			t.Errorf("%s: got %v", tt.name, err)
		}
		if errors.As(err, new(*assert.Error)) {
			t.Errorf("%s: made an assertion of %v", tt.name, err)
		}
	}
}

// TestCancelled ends the context within a call and between two tries.
func TestCancelled(t *testing.T) {
	t.Parallel()
	for _, within := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		model := lmtest.Answer(func(*lm.Request) (string, error) {
			if calls++; calls == 2 && within {
				cancel()
				return "", context.Canceled
			}
			return reply("answer", "a b"), nil
		})
		p := newOne(model, func(ctx context.Context, ok bool, msg string, at ...assert.At) error {
			if !within {
				cancel()
			}
			return assert.That(ctx, ok, msg, at...)
		})
		ctx, tr := trace.Start(ctx)
		_, err := assert.Wrap(p, assert.MaxBacktracks(5)).Run(ctx, question{"?"})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("within %v: got %v", within, err)
		}
		if want := map[bool]int{true: 2, false: 1}[within]; calls != want || len(module.Steps(tr)) != want {
			t.Errorf("within %v: %d calls and %d steps, want %d", within, calls, len(module.Steps(tr)), want)
		}
		if !within && !errors.As(err, new(*assert.Error)) {
			t.Errorf("the assertion that failed is lost: %v", err)
		}
		cancel()
	}
}

// TestCancelledInMemory does not answer from the memory once the context has ended.
func TestCancelledInMemory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	model := lmtest.Script(reply("query", "q"), reply("answer", "a"))
	p := newSteps(model, nil)
	try := 0
	prog := program{run: func(ctx context.Context, in question) (answer, error) {
		if try++; try == 2 {
			cancel()
		}
		q, err := p.Query.Run(ctx, in)
		if err != nil {
			return answer{}, err
		}
		out, err := p.Answer.Run(ctx, q)
		if err != nil {
			return out, err
		}
		return out, assert.That(ctx, false, "never")
	}}
	if _, err := assert.Wrap(prog, assert.MaxBacktracks(5)).Run(ctx, question{"?"}); !errors.Is(err, context.Canceled) || try != 2 {
		t.Errorf("got %v after %d tries", err, try)
	}
}

// TestConcurrentRuns have nothing to do with each other.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if n := field(r, "feedback"); n != "" {
			if past := field(r, "past_answer"); past != n+" bad" {
				return "", fmt.Errorf("the past answer of %s is %q", n, past)
			}
			return reply("answer", n), nil
		}
		return reply("answer", field(r, "question")+" bad"), nil
	})
	predict := module.MustPredict[question, answer]("", module.WithLM(model))
	w := assert.Wrap(program{predict, func(ctx context.Context, in question) (answer, error) {
		out, err := predict.Run(ctx, in)
		if err != nil {
			return out, err
		}
		return out, assert.That(ctx, !strings.Contains(out.Answer, "bad"), in.Question)
	}})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			in := fmt.Sprintf("row%d", i)
			ctx, tr := trace.Start(t.Context())
			out, err := w.Run(ctx, question{in})
			if err != nil || out.Answer != in || assert.Count(tr) != (assert.Tally{Asserts: 1}) {
				t.Errorf("%s: got %v, %v", in, out, err)
			}
		})
	}
	wg.Wait()
	if model.Calls() != 100 {
		t.Errorf("%d calls, want 100", model.Calls())
	}
}

// TestNested has the outer one mend what the inner one could not.
func TestNested(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("answer", "a b"), reply("answer", "c d"), reply("answer", "g"))
	inner := assert.Wrap(newOne(model, assert.That))
	prog := outer{inner}
	ctx, tr := trace.Start(t.Context())
	out, err := assert.Wrap(prog).Run(ctx, question{"?"})
	if err != nil || out.Answer != "g" {
		t.Fatalf("got %v, %v", out, err)
	}
	got := allAsked(model)
	if len(got) != 3 {
		t.Fatalf("asked %q", got)
	}
	// In the outer one's second try the first answer is not paid again, and the second is
	// the one that is mended.
	for i, past := range []string{"", "a b", "c d"} {
		if v := strings.Join(got[i], " "); (past == "") != !strings.Contains(v, "past_answer") || !strings.Contains(v, past) || strings.Count(v, oneWord) > 1 {
			t.Errorf("call %d: %q", i, got[i])
		}
	}
	if c := assert.Count(tr); c.Unmet() != 0 || c.Asserts != 3 {
		t.Errorf("counted %+v", c)
	}
}

type outer struct {
	Inner *assert.Wrapped[question, answer]
}

func (p outer) Run(ctx context.Context, in question) (answer, error) { return p.Inner.Run(ctx, in) }

func TestBypass(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		check func(context.Context, bool, string, ...assert.At) error
		opts  []assert.Option
		calls int
		fails bool
	}{
		{"assertions bypassed", assert.That, []assert.Option{assert.BypassAsserts()}, 1, false},
		{"assertions bypassed, a suggestion", assert.Suggest, []assert.Option{assert.BypassAsserts()}, 1, true},
		{"suggestions bypassed, an assertion", assert.That, []assert.Option{assert.BypassSuggestions()}, 1, true},
		{"both, and backtracks", assert.Suggest, []assert.Option{assert.BypassAsserts(), assert.MaxBacktracks(2)}, 3, false},
		{"suggestions, and backtracks", assert.That, []assert.Option{assert.BypassSuggestions(), assert.MaxBacktracks(2)}, 2, true},
		{"suggestions, and backtracks, a suggestion", assert.Suggest, []assert.Option{assert.BypassSuggestions(), assert.MaxBacktracks(2)}, 1, false},
	} {
		model := lmtest.Script(reply("answer", "a b"), reply("answer", "c d"), reply("answer", "e f"))
		ctx, tr := trace.Start(t.Context())
		_, err := assert.Wrap(newOne(model, tt.check), tt.opts...).Run(ctx, question{"?"})
		if model.Calls() != tt.calls || (err != nil) != tt.fails {
			t.Errorf("%s: %d calls, %v", tt.name, model.Calls(), err)
		}
		if f := assert.Failures(tr); len(f) != tt.calls || f[len(f)-1].Ignored == tt.fails || f[len(f)-1].Dropped {
			t.Errorf("%s: failures %+v", tt.name, f)
		}
	}
}
