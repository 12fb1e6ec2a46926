package module_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// limited is a model whose only reply ends at the token limit.
func limited(text string, shaped bool) lm.LM {
	return lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: text, Shaped: shaped, Finish: lm.FinishLength, Usage: lm.Usage{Calls: 1}}, nil
	})
}

// cutCase calls a module of one output type with a reply that ends at the limit, and
// returns the error.
type cutCase struct {
	name string
	call func(m lm.LM) (lm.FinishReason, error)
	// text is the reply; shaped says that the backend kept the form.
	text   string
	shaped bool
	field  string // that is cut, "" for none
}

func predictOf[Out any](opts ...module.Option) func(lm.LM) (lm.FinishReason, error) {
	return func(m lm.LM) (lm.FinishReason, error) {
		p, err := module.MustPredict[question, Out]("", append(opts, module.WithLM(m), module.MaxTokens(8))...).Call(context.Background(), question{"?"})
		if err != nil {
			return "", err
		}
		return p.Finish, nil
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	type label struct {
		Label string `enum:"ham,hamster,spam"`
	}
	type noted struct {
		Note  string
		Label string `enum:"ham,hamster,spam"`
	}
	type number struct{ N int }
	type flag struct{ Yes bool }
	type list struct{ Items []string }
	type when struct{ At time.Time }
	type optional struct {
		Label string `enum:"ham,hamster,spam"`
		Note  *string
	}
	type texts struct{ First, Second string }
	type mixed struct {
		Note string
		N    int
		Yes  bool
	}
	compact := module.WithAdapter(adapter.Compact{})
	reason := func(m lm.LM) (lm.FinishReason, error) {
		p, err := module.MustChainOfThought[question, label]("", module.WithLM(m)).Call(context.Background(), question{"?"})
		if err != nil {
			return "", err
		}
		return p.Finish, nil
	}
	open := func(s string) string { return strings.TrimSuffix(s, "[[ ## completed ## ]]\n") }
	end := func(s string) string { return strings.TrimSuffix(s, "\n\n") }
	held := func(pairs ...string) string { return strings.TrimSuffix(reply(pairs...), "\n") }
	tests := []cutCase{
		{"text", predictOf[answer](), end(open(reply("a", "the answer is"))), false, "a"},
		{"text, within the next marker", predictOf[answer](), open(reply("a", "the answer is")) + "[[ ## comp", false, "a"},
		{"text before the end marker", predictOf[answer](), reply("a", "whole") + "and so", false, ""},
		{"compact text", predictOf[answer](compact), " the answer is", false, "a"},
		{"compact text with its line end", predictOf[answer](compact), " whole\n\nQ: more", false, ""},
		{"no field at all", predictOf[answer](), "Let me think", false, "a"},
		{"a field that is missing", predictOf[noted](), "[[ ## note ## ]]\nI think", false, "label"},
		{"choice", predictOf[label](), "[[ ## label ## ]]\nspam", false, ""},
		{"choice that begins another", predictOf[label](), "[[ ## label ## ]]\nham", false, "label"},
		{"choice that begins another, marked as complete", predictOf[label](), reply("label", "ham"), false, ""},
		{"half a choice", predictOf[label](), "[[ ## label ## ]]\nspa", false, "label"},
		{"number", predictOf[number](), "[[ ## n ## ]]\n12", false, "n"},
		{"truth value", predictOf[flag](), "[[ ## yes ## ]]\nTrue", false, ""},
		{"list", predictOf[list](), "[[ ## items ## ]]\n[\"a\", \"b\"]", false, ""},
		{"half a list", predictOf[list](), "[[ ## items ## ]]\n[\"a\", \"b", false, "items"},
		{"time", predictOf[when](), "[[ ## at ## ]]\n2026-01-02T03:04:05Z", false, "at"},
		{"optional field that never came", predictOf[optional](), "[[ ## label ## ]]\nspam", false, "note"},
		{"fields in another order", predictOf[noted](), "[[ ## label ## ]]\nspam\n\n[[ ## note ## ]]\nIt", false, "note"},

		{"form kept: text", predictOf[answer](), held("a", "the answer is"), true, "a"},
		{"form kept: choice after text", predictOf[noted](), held("note", "I think", "label", "spam"), true, "note"},
		{"form kept: only choices", predictOf[label](), held("label", "ham"), true, ""},
		{"form kept: nothing left", predictOf[texts](), held("first", "whole", "second", ""), true, "second"},
		{"form kept: the last of two", predictOf[texts](), held("first", "whole", "second", "the sec"), true, "second"},
		{"form kept, not enforced: number", predictOf[mixed](), held("note", "whole", "n", "12", "yes", "True"), false, "n"},
		{"form kept, not enforced: list", predictOf[list](), held("items", "[1]"), false, "items"},
		{"form kept: compact text", predictOf[answer](compact), " the answer is\n", true, "a"},

		{"reasoning, no answer", reason, "[[ ## reasoning ## ]]\nFirst", false, "label"},
		{"reasoning, form kept", reason, held("reasoning", "First", "label", "ham"), true, ""},
		{"no reasoning, form kept", reason, held("reasoning", "", "label", "ham"), true, ""},
		{"reasoning after the answer", reason, "[[ ## label ## ]]\nham\n\n[[ ## reasoning ## ]]\nIt", false, ""},
		{"reasoning before half an answer", reason, "[[ ## reasoning ## ]]\nFirst\n\n[[ ## label ## ]]\nham", false, "label"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			finish, err := tt.call(limited(tt.text, tt.shaped))
			var te *module.TruncatedError
			switch {
			case tt.field == "" && (err != nil || finish != lm.FinishLength):
				t.Errorf("got %q, %v; want an answer that says that the limit was reached", finish, err)
			case tt.field != "" && !errors.As(err, &te):
				t.Errorf("got %q, %v; want a *TruncatedError", finish, err)
			case tt.field != "" && (te.Field != tt.field || te.Raw != tt.text):
				t.Errorf("got the field %q of %q, want %q of %q", te.Field, te.Raw, tt.field, tt.text)
			case tt.field != "" && (!strings.HasPrefix(err.Error(), "module: predictor \"q -> ") || !strings.Contains(err.Error(), "raise module.MaxTokens")):
				t.Errorf("the error says %v", err)
			}
		})
	}
}

// A backend that closes what it cannot finish says which holes it has closed: a list
// that looks whole is none, and a reasoning that was cut costs nothing.
func TestTruncatedByName(t *testing.T) {
	t.Parallel()
	type list struct{ Items []string }
	call := func(cut ...string) error {
		m := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
			return &lm.Response{Text: strings.TrimSuffix(reply("reasoning", "First", "items", `["a"]`), "\n"), Shaped: true, Finish: lm.FinishLength, Cut: cut}, nil
		})
		_, err := module.MustChainOfThought[question, list]("", module.WithLM(m)).Call(context.Background(), question{"?"})
		return err
	}
	if err := call("reasoning"); err != nil {
		t.Errorf("only the reasoning was cut: %v", err)
	}
	for _, cut := range [][]string{{"items"}, {"reasoning", "items"}} {
		var te *module.TruncatedError
		if err := call(cut...); !errors.As(err, &te) || te.Field != "items" {
			t.Errorf("%v were cut: %v", cut, err)
		}
	}
}

// The error of reading a reply that was cut is not lost.
func TestTruncatedKeepsParseError(t *testing.T) {
	t.Parallel()
	type two struct{ A, B string }
	_, err := predictOf[two]()(limited("Let me", false))
	var pe *adapter.ParseError
	if !errors.As(err, &pe) || !pe.Missing || !strings.Contains(err.Error(), "MaxTokens(8)") {
		t.Errorf("got %v", err)
	}
	_, err = module.MustPredict[question, answer]("", module.WithLM(limited("Let me", false))).Call(context.Background(), question{"?"})
	if err == nil || !strings.Contains(err.Error(), "the backend's limit") {
		t.Errorf("without MaxTokens: %v", err)
	}
}

// JSON is asked for after a reply that was cut before anything could be read, and after
// that nothing more; without it nothing at all.
func TestTruncatedFallsBack(t *testing.T) {
	t.Parallel()
	const rambling = "the the the the the the the the the the the the"
	for name, c := range map[string]struct {
		options []module.Option
		replies []string
		want    string
		calls   int
	}{
		"retry alone":        {[]module.Option{module.Retry(2)}, []string{rambling, family}, "", 1},
		"JSON":               {[]module.Option{module.JSONFallback()}, []string{rambling, `{"folder": "work"}`}, "work", 2},
		"JSON, then nothing": {[]module.Option{module.JSONFallback(), module.Retry(2)}, []string{rambling, "no", family}, "", 2},
	} {
		model := lmtest.Script(c.replies...)
		p := module.MustPredict[Mail, Folder]("Sort the mail.", append(c.options, module.MaxTokens(8), module.WithLM(model))...)
		pred, err := p.Call(t.Context(), Mail{Text: "x"})
		if model.Calls() != c.calls {
			t.Errorf("%s: %d calls, want %d", name, model.Calls(), c.calls)
		}
		switch {
		case c.want == "":
			if err == nil {
				t.Errorf("%s: got %+v", name, pred)
			}
		case err != nil || pred.Out.Folder != c.want || !errors.As(pred.Rejected[0].Err, new(*module.TruncatedError)):
			t.Errorf("%s: got %+v, %v", name, pred, err)
		}
	}
}

// Of a literal that begins no other nothing can be lacking.
func TestTruncatedLiteral(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("question -> n: Literal[1, 12, 7]")
	for text, whole := range map[string]bool{"1": false, "12": true, "7": true} {
		p := module.MustDynamic(sig, module.WithLM(limited("[[ ## n ## ]]\n"+text, false)))
		_, err := p.Run(t.Context(), signature.RecordOf("question", "?"))
		if cut := errors.As(err, new(*module.TruncatedError)); cut == whole || err != nil && !cut {
			t.Errorf("%s: %v", text, err)
		}
	}
}
