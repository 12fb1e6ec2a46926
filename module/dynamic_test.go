package module_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

func ExampleNewDynamic() {
	model := lmtest.Script("[[ ## answer ## ]]\nyes\n\n[[ ## score ## ]]\n0.9\n\n[[ ## completed ## ]]")
	sig, err := signature.Parse("question -> answer: Literal['yes', 'no'], score: float")
	if err != nil {
		fmt.Println(err)
		return
	}
	judge, err := module.NewDynamic(sig, module.WithLM(model))
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := judge.Run(context.Background(), signature.RecordOf("question", "Is the sky blue?"))
	answer, _ := out.Get("answer")
	score, _ := out.Get("score")
	fmt.Println(answer, score, err)
	// Output: yes 0.9 <nil>
}

// A program of string signatures is optimised, saved and loaded as a typed one is.
func TestDynamic(t *testing.T) {
	t.Parallel()
	type program struct {
		Think *module.DynamicChainOfThought
	}
	open := func() *program {
		return &program{module.MustDynamicChainOfThought(signature.MustParse("question -> answer"))}
	}
	p := open()
	named, err := module.Predictors(p)
	if err != nil || len(named) != 1 || named[0].Name != "think.predict" {
		t.Fatalf("predictors %v, %v", named, err)
	}
	model := lmtest.Answer(func(*lm.Request) (string, error) {
		return "[[ ## reasoning ## ]]\nI count.\n\n[[ ## answer ## ]]\ntwo\n\n[[ ## completed ## ]]", nil
	})
	ctx := lm.With(t.Context(), model)
	pred, err := p.Think.Call(ctx, signature.RecordOf("question", "1+1?"))
	if err != nil || pred.Reasoning != "I count." || !pred.Out.Equal(signature.RecordOf("answer", "two")) {
		t.Fatalf("got %+v, %v", pred, err)
	}
	train := []module.Example[signature.Record, signature.Record]{
		{In: signature.RecordOf("question", "1+1?"), Out: signature.RecordOf("answer", "two")},
		{In: signature.RecordOf("question", "2+2?"), Out: signature.RecordOf("answer", "four")},
	}
	result, err := optimize.Compile(ctx, optimize.BootstrapFewShot{MaxBootstrapped: 1, MaxLabeled: 2}, p.Think, train, metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Apply(p.Think); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.json")
	if err := module.Save(path, p); err != nil {
		t.Fatal(err)
	}
	again := open()
	if _, err := module.Load(path, again); err != nil {
		t.Fatal(err)
	}
	named, err = module.Predictors(again)
	if err != nil {
		t.Fatal(err)
	}
	demos := named[0].Predictor.State().Demos
	if len(demos) != 2 || !demos[0].Augmented {
		t.Errorf("demos after loading: %+v", demos)
	}
}

func TestDynamicErrors(t *testing.T) {
	t.Parallel()
	if _, err := module.NewDynamic(signature.MustParse("question ->")); err == nil {
		t.Error("a signature without outputs makes a predictor")
	}
	if _, err := module.NewDynamicChainOfThought(signature.MustParse("question -> reasoning, answer")); err == nil {
		t.Error("two outputs are called reasoning")
	}
	if _, err := module.NewDynamic(nil); err == nil {
		t.Error("no signature makes a predictor")
	}
}

// A record that is no input is refused before anything is paid for.
func TestDynamicInputs(t *testing.T) {
	t.Parallel()
	model := lmtest.Script()
	qa := module.MustDynamic(signature.MustParse("question, n: int, notes: Optional[str] -> answer"), module.WithLM(model))
	for want, in := range map[string]signature.Record{
		"qestion":    signature.RecordOf("qestion", "why?", "n", 1),
		"n":          signature.RecordOf("question", "why?"),
		"question":   signature.RecordOf("question", 5, "n", 1),
		"x":          signature.RecordOf("question", "why?", "n", 1, "x", 1),
		"it is no v": signature.RecordOf("question", "why?", "n", "seven"),
	} {
		_, err := qa.Run(t.Context(), in)
		var se *signature.Error
		if !errors.As(err, &se) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want an error with %q", in, err, want)
		}
	}
	if model.Calls() != 0 {
		t.Errorf("%d calls were made", model.Calls())
	}
}
