package lm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func ptr[T any](v T) *T { return &v }

func TestRequestValidate(t *testing.T) {
	t.Parallel()
	user := []lm.Message{lm.User("hi")}
	shape := func(segs ...lm.Segment) lm.Request {
		return lm.Request{Messages: user, Shape: &lm.Shape{Segments: segs}}
	}
	text := lm.Segment{Hole: lm.HoleText, Name: "free"}
	choice := func(alts ...lm.Alternative) lm.Segment {
		return lm.Segment{Hole: lm.HoleChoice, Name: "label", Choices: alts}
	}
	tests := []struct {
		name string
		r    lm.Request
		want string // a part of the message; empty for a good request
	}{
		{"messages", lm.Request{Messages: user}, ""},
		{"prompt", lm.Request{Prompt: "hi"}, ""},
		{"neither", lm.Request{}, "neither"},
		{"both", lm.Request{Messages: user, Prompt: "hi"}, "both"},
		{"max tokens", lm.Request{Messages: user, MaxTokens: 3}, ""},
		{"negative max tokens", lm.Request{Messages: user, MaxTokens: -1}, "MaxTokens"},
		{"greedy", lm.Request{Messages: user, Temperature: lm.Temperature(0)}, ""},
		{"negative temperature", lm.Request{Messages: user, Temperature: lm.Temperature(-0.1)}, "Temperature"},
		{"temperature not a number", lm.Request{Messages: user, Temperature: lm.Temperature(math.NaN())}, "Temperature"},
		{"infinite temperature", lm.Request{Messages: user, Temperature: lm.Temperature(math.Inf(1))}, "Temperature"},
		{"top p 1", lm.Request{Messages: user, TopP: ptr(1.0)}, ""},
		{"top p 0", lm.Request{Messages: user, TopP: ptr(0.0)}, "TopP"},
		{"top p above 1", lm.Request{Messages: user, TopP: ptr(1.1)}, "TopP"},
		{"top p not a number", lm.Request{Messages: user, TopP: ptr(math.NaN())}, "TopP"},
		{"top k", lm.Request{Messages: user, TopK: 40}, ""},
		{"negative top k", lm.Request{Messages: user, TopK: -1}, "TopK"},
		{"min p 0", lm.Request{Messages: user, MinP: ptr(0.0)}, ""},
		{"min p 1", lm.Request{Messages: user, MinP: ptr(1.0)}, ""},
		{"negative min p", lm.Request{Messages: user, MinP: ptr(-0.1)}, "MinP"},
		{"min p above 1", lm.Request{Messages: user, MinP: ptr(1.1)}, "MinP"},
		{"min p not a number", lm.Request{Messages: user, MinP: ptr(math.NaN())}, "MinP"},
		{"log-probabilities", lm.Request{Messages: user, Logprobs: true}, ""},
		{"top log-probabilities", lm.Request{Messages: user, Logprobs: true, TopLogprobs: 20}, ""},
		{"too many log-probabilities", lm.Request{Messages: user, Logprobs: true, TopLogprobs: 21}, "TopLogprobs is not in 0 to 20"},
		{"negative log-probabilities", lm.Request{Messages: user, Logprobs: true, TopLogprobs: -1}, "TopLogprobs is not in 0 to 20"},
		{"top without log-probabilities", lm.Request{Messages: user, TopLogprobs: 1}, "without Logprobs"},
		{"empty shape", shape(), "no segments"},
		{"good shape", shape(lm.Segment{Literal: "a"}, text, lm.Segment{Literal: "b"}, choice(lm.Alternative{Text: "x", Bias: -2}), text), ""},
		{"empty segment", shape(lm.Segment{Literal: "a"}, lm.Segment{}), "segment 1 of the Shape is empty"},
		{"no alternatives", shape(choice()), "segment 0 of the Shape (label) is a choice without"},
		{"empty alternative", shape(choice(lm.Alternative{Text: "x"}, lm.Alternative{})), "alternative 1 of segment 0"},
		{"bias not a number", shape(choice(lm.Alternative{Text: "x", Bias: math.NaN()})), "alternative 0 of segment 0"},
		{"infinite bias", shape(choice(lm.Alternative{Text: "x", Bias: math.Inf(1)})), "alternative 0 of segment 0"},
		{"pattern", shape(lm.Segment{Hole: lm.HolePattern, Pattern: "^a+$"}), ""},
		{"no pattern", shape(lm.Segment{Hole: lm.HolePattern, Name: "p"}), "segment 0 of the Shape (p) has the pattern"},
		{"broken pattern", shape(lm.Segment{Hole: lm.HolePattern, Name: "p", Pattern: "("}), "missing closing"},
		{"text before a hole", shape(text, choice(lm.Alternative{Text: "x"})), "segment 0 of the Shape (free) is free text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.r.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var le *lm.Error
			if !errors.As(err, &le) || !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an invalid request with %q", err, tt.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  *lm.Error
		want string
	}{
		{&lm.Error{Kind: lm.ErrBackend}, "lm: backend failure"},
		{&lm.Error{Kind: lm.ErrModel, Provider: "llamacpp"}, "lm/llamacpp: unusable model"},
		{
			&lm.Error{Kind: lm.ErrModel, Provider: "p", Model: "m.gguf", Message: "cut short", Err: io.ErrUnexpectedEOF},
			"lm/p (m.gguf): unusable model: cut short: unexpected EOF",
		},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestErrorIsAndAs(t *testing.T) {
	t.Parallel()
	cause := &lm.ContextLengthError{Prompt: 900, Reply: 200, Limit: 1000}
	err := fmt.Errorf("row 3: %w", &lm.Error{Kind: lm.ErrContextLength, Provider: "p", Err: cause})
	var le *lm.Error
	var ce *lm.ContextLengthError
	switch {
	case !errors.As(err, &le) || le.Provider != "p":
		t.Error("errors.As does not find the *Error")
	case !errors.As(err, &ce) || ce != cause:
		t.Error("errors.As does not find the cause")
	case !errors.Is(err, lm.ErrContextLength):
		t.Error("errors.Is does not find the kind")
	case errors.Is(err, lm.ErrBackend):
		t.Error("errors.Is finds another kind")
	}
	if errors.Is(&lm.Error{Kind: lm.ErrModel}, lm.ErrUnsupported) {
		t.Error("errors.Is finds another kind in an error without a cause")
	}
}

func TestContextLengthError(t *testing.T) {
	t.Parallel()
	err := &lm.ContextLengthError{Prompt: 900, Reply: 200, Limit: 1000}
	if err.Over() != 100 {
		t.Errorf("Over = %d", err.Over())
	}
	for _, want := range []string{"900 tokens", "reply 200", "100 more", "1000", "fewer demos"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestIsRetryable(t *testing.T) {
	t.Parallel()
	for kind, want := range map[lm.ErrorKind]bool{
		lm.ErrBackend: true, lm.ErrInvalidRequest: false, lm.ErrContextLength: false,
		lm.ErrUnsupported: false, lm.ErrUnavailable: false, lm.ErrModel: false,
		lm.ErrRateLimit: true, lm.ErrTimeout: true, lm.ErrAuth: false, lm.ErrQuota: false, lm.ErrRefused: false, lm.ErrBudget: false,
	} {
		if got := lm.IsRetryable(fmt.Errorf("x: %w", &lm.Error{Kind: kind})); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if lm.IsRetryable(nil) || lm.IsRetryable(context.Canceled) {
		t.Error("neither nil nor a cancelled context can be retried")
	}
}

func TestWithAndFrom(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	if lm.From(ctx) != nil {
		t.Error("From finds a model in an empty context")
	}
	outer, inner := lmtest.Script(), lmtest.Script()
	octx := lm.With(ctx, outer)
	ictx := lm.With(octx, inner)
	if lm.From(octx) != lm.LM(outer) || lm.From(ictx) != lm.LM(inner) {
		t.Error("From does not return the innermost model")
	}
}

func TestWrapOrder(t *testing.T) {
	t.Parallel()
	var seen []string
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		seen = append(seen, "model")
		return &lm.Response{}, nil
	})
	wrap := func(name string) func(lm.LM) lm.LM {
		return func(m lm.LM) lm.LM {
			return lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
				seen = append(seen, name)
				return m.Generate(ctx, r)
			})
		}
	}
	ctx := context.Background()
	one := lm.Wrap(ctx, wrap("first"))
	three := lm.Wrap(lm.Wrap(one, wrap("second")), wrap("third"))
	for _, tt := range []struct {
		ctx  context.Context
		want []string
	}{
		{ctx, []string{"model"}},
		{one, []string{"first", "model"}},
		{three, []string{"third", "second", "first", "model"}},
	} {
		seen = nil
		if _, err := lm.Wrapped(tt.ctx, model).Generate(tt.ctx, &lm.Request{Prompt: "x"}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, seen); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	}
}

func TestUsageAdd(t *testing.T) {
	t.Parallel()
	u := lm.Usage{Calls: 1, PromptTokens: 2, CachedTokens: 3, CompletionTokens: 4, ForcedTokens: 5, ComputedTokens: 7, CachedCalls: 6}
	v := lm.Usage{Calls: 10, PromptTokens: 20, CachedTokens: 30, CompletionTokens: 40, ForcedTokens: 50, ComputedTokens: 70, CachedCalls: 60}
	want := lm.Usage{Calls: 11, PromptTokens: 22, CachedTokens: 33, CompletionTokens: 44, ForcedTokens: 55, ComputedTokens: 77, CachedCalls: 66}
	if got := u.Add(v); got != want {
		t.Errorf("got %+v", got)
	}
	for i := range reflect.TypeFor[lm.Usage]().NumField() {
		var one lm.Usage
		reflect.ValueOf(&one).Elem().Field(i).SetInt(3)
		if got := reflect.ValueOf(one.Add(one)).Field(i).Int(); got != 6 {
			t.Errorf("%s: 3 and 3 are %d", reflect.TypeFor[lm.Usage]().Field(i).Name, got)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		m    lm.Message
		role lm.Role
	}{{lm.System("x"), lm.RoleSystem}, {lm.User("x"), lm.RoleUser}, {lm.Assistant("x"), lm.RoleAssistant}} {
		if tt.m.Role != tt.role || tt.m.Text() != "x" {
			t.Errorf("%+v", tt.m)
		}
	}
	m := lm.Message{Role: lm.RoleUser, Parts: []lm.Part{{Text: "a"}, {Blob: &lm.Blob{MIME: "image/png"}}, {Text: "b"}}}
	if got := m.Text(); got != "ab" {
		t.Errorf("Text = %q", got)
	}
	if got := (lm.Message{}).Text(); got != "" {
		t.Errorf("Text of no parts = %q", got)
	}
}

func TestCloneSharesNoSlice(t *testing.T) {
	t.Parallel()
	r := &lm.Request{Messages: []lm.Message{lm.User("a")}, Stop: []string{"s"}, Temperature: lm.Temperature(1), Seed: lm.Seed(3)}
	c := r.Clone()
	if diff := cmp.Diff(r, c); diff != "" {
		t.Error(diff)
	}
	c.Messages[0].Parts[0].Text, c.Stop[0] = "changed", "changed"
	c.Messages[0].Role = lm.RoleSystem
	if r.Messages[0].Text() != "a" || r.Messages[0].Role != lm.RoleUser || r.Stop[0] != "s" {
		t.Errorf("a change of the clone changed the request: %+v", r)
	}
}

func TestNameOf(t *testing.T) {
	t.Parallel()
	if got := lm.NameOf(lmtest.Script()); got != "scripted" {
		t.Errorf("NameOf = %q", got)
	}
	if got := lm.NameOf(lm.Func(nil)); got != "" {
		t.Errorf("NameOf a Func = %q", got)
	}
}

func TestValidateNil(t *testing.T) {
	t.Parallel()
	var r *lm.Request
	if err := r.Validate(); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("Validate of no request = %v, want an error of kind %q", err, lm.ErrInvalidRequest)
	}
}
