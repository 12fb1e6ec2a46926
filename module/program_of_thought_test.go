package module_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

type (
	product struct {
		A int `json:"a"`
		B int `json:"b"`
	}
	result struct {
		Result int `json:"result"`
	}
)

// postfix is an interpreter of a language of the tests' own: "a b *" in postfix notation;
// "print" prints the rest, "empty" does nothing, "broken" fails the interpreter.
type postfix struct{}

func (postfix) Language() module.Language {
	return module.Language{Name: "Postfix", Fences: []string{"postfix", "rpn"}, Guide: "Operators follow their operands."}
}

func (postfix) Execute(ctx context.Context, code string, in signature.Record) (*module.CodeResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fail := func(kind module.InterpreterErrorKind, message string) error {
		return &module.InterpreterError{Language: "Postfix", Kind: kind, Message: message, Line: 1, Output: "so far"}
	}
	var stack []int64
	for _, word := range strings.Fields(code) {
		v, isInput := in.Get(word)
		n, isInt := v.(int64)
		switch {
		case isInput && isInt:
			stack = append(stack, n)
		case word == "print":
			return &module.CodeResult{Output: strings.TrimPrefix(code, "print ")}, nil
		case word == "empty":
			return &module.CodeResult{Output: "\n"}, nil
		case word == "broken":
			return nil, errBroken
		case word == "*" && len(stack) > 1:
			stack = append(stack[:len(stack)-2], stack[len(stack)-2]*stack[len(stack)-1])
		default:
			return nil, fail(module.ErrCodeRuntime, "what is "+word)
		}
	}
	if len(stack) != 1 {
		return nil, fail(module.ErrCodeSyntax, "no single value")
	}
	return &module.CodeResult{Value: stack[0], HasValue: true}, nil
}

var errBroken = errors.New("the interpreter is broken")

func potReply(field, text string) string {
	return "[[ ## reasoning ## ]]\nLet me see.\n\n[[ ## " + field + " ## ]]\n" + text + "\n\n[[ ## completed ## ]]"
}

func code(text string) string { return potReply("generated_code", text) }

func pot(t *testing.T, model lm.LM) *module.ProgramOfThought[product, result] {
	t.Helper()
	p, err := module.NewProgramOfThought[product, result]("Multiply.", postfix{}, module.WithLM(model))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProgramOfThought(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		replies []string
		codes   []string // that were run
		shown   string   // in the request after the first code
	}{
		{"at once", []string{code("```postfix\na b *\n```"), potReply("result", "42")}, []string{"a b *"}, "[[ ## code_output ## ]]\n42\n"},
		{"no fence", []string{code("a b *"), potReply("result", "42")}, []string{"a b *"}, "[[ ## final_generated_code ## ]]\na b *\n"},
		{"printed", []string{code("print it is 42"), potReply("result", "42")}, []string{"print it is 42"}, "[[ ## code_output ## ]]\nit is 42\n"},
		{"mended", []string{code("```\na c *\n```"), code("a b *"), potReply("result", "42")}, []string{"a c *", "a b *"}, "[[ ## previous_code ## ]]\na c *\n\n[[ ## error ## ]]\nline 1: what is c\nPrinted before that:\nso far\n"},
		{"mended twice", []string{code("c"), code("```\n```"), code("a b *"), potReply("result", "42")}, []string{"c", "", "a b *"}, ""},
		{"no code", []string{code("```postfix\n```"), code("a b *"), potReply("result", "42")}, []string{"", "a b *"}, "the reply has no code"},
		{"no result", []string{code("empty"), code("a b *"), potReply("result", "42")}, []string{"empty", "a b *"}, "neither handed a result over nor printed one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := lmtest.Script(tt.replies...)
			ctx, tr := trace.Start(t.Context())
			pred, runs, err := pot(t, model).CallCode(ctx, product{6, 7})
			if err != nil {
				t.Fatal(err)
			}
			if pred.Out.Result != 42 || pred.Reasoning != "Let me see." || pred.Usage.Calls != len(tt.replies) {
				t.Errorf("prediction %+v", pred)
			}
			var codes []string
			for i, r := range runs {
				codes = append(codes, r.Code)
				if r.N != i || (r.Err == nil) != (i == len(runs)-1) || (r.Result == nil) != (r.Err != nil) || r.Language != "Postfix" {
					t.Errorf("run %d: %+v", i, r)
				}
			}
			if !slices.Equal(codes, tt.codes) {
				t.Errorf("ran %q, want %q", codes, tt.codes)
			}
			requests := model.Requests()
			if got := requests[1].Messages[len(requests[1].Messages)-1].Text(); !strings.Contains(got, tt.shown) {
				t.Errorf("the second request lacks %q:\n%s", tt.shown, got)
			}
			// Each call whose code came to nothing is dropped, with the code; nothing is lost.
			steps := tr.Steps()
			if len(steps) != 2*len(runs)+1 {
				t.Fatalf("%d steps for %d pieces of code", len(steps), len(runs))
			}
			for i, s := range steps {
				if want := i < 2*len(runs)-2; s.Dropped != want {
					t.Errorf("step %d: dropped is %v", i, s.Dropped)
				}
				if _, isRun := s.Note.(module.CodeRun); isRun != (i%2 == 1 && i < 2*len(runs)) || isRun != (s.Predictor == nil) {
					t.Errorf("step %d is %+v", i, s)
				}
			}
			if len(module.CodeRuns(tr)) != len(runs) || len(module.Steps(tr)) != len(tt.replies) {
				t.Errorf("the trace has %d pieces of code and %d calls", len(module.CodeRuns(tr)), len(module.Steps(tr)))
			}
		})
	}
}

func TestProgramOfThoughtPrompts(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(code("c"), code("a b *"), potReply("result", "42"))
	if _, err := pot(t, model).Run(t.Context(), product{6, 7}); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"Multiply.", "Postfix", "```postfix", "`a`, `b`", "`result`", "Operators follow"},
		{"Multiply.", "Postfix", "`previous_code`", "`error`", "Operators follow"},
		{"Multiply.", "`final_generated_code`", "`code_output`", "`result`"},
	} {
		for _, w := range want {
			if got := model.Requests()[i].Messages[0].Text(); !strings.Contains(got, w) {
				t.Errorf("request %d lacks %q:\n%s", i, w, got)
			}
		}
	}
}

func TestProgramOfThoughtFails(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(code("x"), code("y"), code("z"), code("a b *"))
	ctx, tr := trace.Start(t.Context())
	_, runs, err := pot(t, model).CallCode(ctx, product{6, 7})
	var failed *module.ProgramOfThoughtError
	var fault *module.InterpreterError
	if !errors.As(err, &failed) || !errors.As(err, &fault) || len(failed.Attempts) != 3 || len(runs) != 3 || model.Calls() != 3 {
		t.Fatalf("%v after %d calls", err, model.Calls())
	}
	for i, a := range failed.Attempts {
		if !errors.As(a.Err, &fault) || fault.Message != "what is "+a.Code || a.Code != string(rune('x'+i)) {
			t.Errorf("attempt %d: %+v", i, a)
		}
	}
	for i, s := range tr.Steps() {
		if !s.Dropped {
			t.Errorf("step %d is not dropped", i)
		}
	}

	once, err := module.NewProgramOfThought[product, result]("", postfix{}, module.CodeAttempts(1), module.WithLM(lmtest.Script(code("x"), code("a b *"))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := once.Run(t.Context(), product{1, 2}); !errors.As(err, &failed) || len(failed.Attempts) != 1 {
		t.Errorf("CodeAttempts(1): %v", err)
	}
	for name, text := range map[string]string{"interpreter": code("broken"), "reply": "nothing of it", "model": ""} {
		replies := []string{text}
		if text == "" {
			replies = nil
		}
		_, err := pot(t, lmtest.Script(replies...)).Run(t.Context(), product{1, 2})
		if err == nil || errors.As(err, &failed) || errors.Is(err, errBroken) != (name == "interpreter") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The last predictor's reply cannot be read.
	ctx, tr = trace.Start(t.Context())
	if _, _, err := pot(t, lmtest.Script(code("a b *"), potReply("result", "many"))).CallCode(ctx, product{1, 2}); err == nil || len(module.Steps(tr)) != 2 {
		t.Errorf("%v with %d calls in the trace", err, len(module.Steps(tr)))
	}
}

func TestProgramOfThoughtCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	model := lmtest.Answer(func(*lm.Request) (string, error) {
		cancel() // while the code is written
		return code("a b *"), nil
	})
	if _, err := pot(t, model).Run(ctx, product{1, 2}); !errors.Is(err, context.Canceled) || model.Calls() != 1 {
		t.Errorf("%v after %d calls", err, model.Calls())
	}
}

func TestProgramOfThoughtConcurrently(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		text := r.Messages[len(r.Messages)-1].Text()
		if _, rest, ok := strings.Cut(text, "[[ ## code_output ## ]]\n"); ok {
			n, _, _ := strings.Cut(rest, "\n")
			return potReply("result", n), nil
		}
		if strings.Contains(text, "[[ ## error ## ]]") {
			return code("a b *"), nil
		}
		return code("c"), nil
	})
	p := pot(t, model)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			out, err := p.Run(t.Context(), product{n, n + 1})
			if err != nil || out.Result != n*(n+1) {
				t.Errorf("%d: %+v, %v", n, out, err)
			}
		})
	}
	wg.Wait()
}

// TestProgramOfThoughtSaves keeps the states of two programs in one file, under DSPy's names.
func TestProgramOfThoughtSaves(t *testing.T) {
	t.Parallel()
	type both struct {
		Compute *module.ProgramOfThought[product, result]
		Check   *module.Predict[product, result]
	}
	make2 := func() both {
		return both{pot(t, lmtest.Script()), module.MustPredict[product, result]("Check.")}
	}
	p := make2()
	named, err := module.Predictors(p)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range named {
		names = append(names, n.Name)
	}
	if want := []string{"compute.code_generate.predict", "compute.code_regenerate.predict", "compute.generate_output.predict", "check"}; !slices.Equal(names, want) {
		t.Fatalf("names %q, want %q", names, want)
	}
	for i, sig := range []string{"a, b -> reasoning, generated_code", "a, b, previous_code, error -> reasoning, generated_code", "a, b, final_generated_code, code_output -> reasoning, result"} {
		if got := named[i].Predictor.Signature().String(); got != sig {
			t.Errorf("%s is %s, want %s", names[i], got, sig)
		}
	}
	for i, n := range named {
		if err := n.Predictor.SetState(module.State{Instructions: fmt.Sprint("Version ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "program.json")
	if err := module.Save(path, p); err != nil {
		t.Fatal(err)
	}
	fresh := make2()
	if _, err := module.Load(path, fresh); err != nil {
		t.Fatal(err)
	}
	loaded, err := module.Predictors(fresh)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range loaded {
		if got := n.Predictor.State().Instructions; got != fmt.Sprint("Version ", i) {
			t.Errorf("%s: %q", n.Name, got)
		}
	}
}

type nameless struct{ postfix }

func (nameless) Language() module.Language { return module.Language{} }

func TestNewProgramOfThought(t *testing.T) {
	t.Parallel()
	type taken struct {
		Error string `json:"error"`
	}
	type thinks struct {
		Reasoning string `json:"reasoning"`
	}
	var none *module.ProgramOfThought[product, result]
	for range none.Predictors() {
		t.Error("a nil program has a predictor")
	}
	_, noInterpreter := module.NewProgramOfThought[product, result]("", nil)
	_, noName := module.NewProgramOfThought[product, result]("", nameless{})
	_, nameTaken := module.NewProgramOfThought[taken, result]("", postfix{})
	_, reasoning := module.NewProgramOfThought[product, thinks]("", postfix{})
	_, noSignature := module.NewDynamicProgramOfThought(nil, postfix{})
	_, noAttempts := module.NewProgramOfThought[product, result]("", postfix{}, module.CodeAttempts(0))
	_, nilOption := module.NewProgramOfThought[product, result]("", postfix{}, nil)
	_, noStruct := module.NewProgramOfThought[int, result]("", postfix{})
	for want, err := range map[string]error{
		"needs an interpreter": noInterpreter, "has no Name": noName, `field "error"`: nameTaken,
		`field "reasoning"`: reasoning, "needs a signature": noSignature, "int": noStruct,
		"CodeAttempts(0)": noAttempts, "nil": nilOption,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	dynamic, err := module.NewDynamicProgramOfThought(signature.MustParse("a: int, b: int -> result: int"), postfix{},
		module.WithLM(lmtest.Script(code("a b *"), potReply("result", "6"))))
	if err != nil {
		t.Fatal(err)
	}
	out, err := dynamic.Run(t.Context(), signature.RecordOf("a", 2, "b", 3))
	if v, _ := out.Get("result"); err != nil || v != int64(6) || out.Len() != 1 {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := dynamic.Run(t.Context(), signature.RecordOf("a", 2)); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing input: %v", err)
	}
}

func TestInterpreterError(t *testing.T) {
	t.Parallel()
	cause := errors.New("signal: killed")
	err := fmt.Errorf("so: %w", &module.InterpreterError{Language: "Lua", Kind: module.ErrCodeLimit, Limit: module.LimitTime, Message: "too slow", Line: 3, Err: cause})
	if want := "so: module: Lua code: time limit: line 3: too slow: signal: killed"; err.Error() != want || !errors.Is(err, cause) {
		t.Errorf("%v, want %s", err, want)
	}
}
