package lm_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

// shout puts a reply into capitals.
type shout struct{ inner lm.LM }

func (s shout) Unwrap() lm.LM { return s.inner }

func (s shout) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	resp, err := s.inner.Generate(ctx, r)
	if err != nil {
		return nil, err
	}
	resp.Text = strings.ToUpper(resp.Text)
	return resp, nil
}

func shouting(m lm.LM) lm.LM { return shout{m} }

func exclaiming(m lm.LM) lm.LM {
	return lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		resp, err := m.Generate(ctx, r)
		if err == nil {
			resp.Text += "!"
		}
		return resp, err
	})
}

func ExampleChain() {
	model := lm.Chain(lmtest.Script("hello"), exclaiming, shouting)
	resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Say hello."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text)
	// Output: HELLO!
}

type counter struct{ lm.LM }

func (counter) CountTokens(context.Context, *lm.Request) (int, error) { return 7, nil }

func TestAs(t *testing.T) {
	t.Parallel()
	m := shout{shout{counter{lmtest.Script()}}}
	if c, ok := lm.As[lm.Tokenizer](m); !ok {
		t.Error("the tokenizer behind two wrappers is not found")
	} else if n, err := c.CountTokens(t.Context(), nil); n != 7 || err != nil {
		t.Error(n, err)
	}
	if _, ok := lm.As[lm.Scorer](m); ok {
		t.Error("a scorer is found where there is none")
	}
	if _, ok := lm.As[lm.Tokenizer](nil); ok {
		t.Error("nothing is a tokenizer")
	}
	if name := lm.NameOf(shout{lmtest.Script()}); name != "scripted" {
		t.Errorf("the name is %q", name)
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		if r.Rollout == 12 {
			return "", &lm.Error{Kind: lm.ErrBackend}
		}
		return fmt.Sprint(r.Rollout, *r.Seed), nil
	})
	r := &lm.Request{Prompt: "x", Seed: lm.Seed(3), Rollout: 10}
	got, err := lm.Sample(t.Context(), model, r, 2)
	if err != nil || len(got) != 2 || got[0].Text != "10 3" || got[1].Text != "11 4" || r.Rollout != 10 || *r.Seed != 3 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := lm.Sample(t.Context(), model, r, 4); !errors.Is(err, lm.ErrBackend) || len(got) != 2 {
		t.Errorf("%d replies before the error %v", len(got), err)
	}
	if _, err := lm.Sample(t.Context(), model, r, 0); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Error(err)
	}
	if got, err := lm.Sample(t.Context(), twins{model}, r, 2); err != nil || len(got) != 2 || got[0] != got[1] {
		t.Errorf("a sampler of its own is not asked: %v %v", got, err)
	}
}

// twins gives the same reply several times at once, and its words one after the other.
type twins struct{ lm.LM }

func (m twins) Sample(ctx context.Context, r *lm.Request, n int) ([]*lm.Response, error) {
	resp, err := m.Generate(ctx, r)
	out := make([]*lm.Response, n)
	for i := range out {
		out[i] = resp
	}
	return out, err
}

func (m twins) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		resp, err := m.Generate(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		for word := range strings.FieldsSeq(resp.Text) {
			if !yield(&lm.Event{Text: word}, nil) {
				return
			}
		}
		yield(&lm.Event{Response: resp}, nil)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	texts := func(m lm.LM) (out []string, last *lm.Response, err error) {
		for e, err := range lm.Stream(t.Context(), m, &lm.Request{Prompt: "x"}) {
			if err != nil {
				return out, nil, err
			}
			out, last = append(out, e.Text), e.Response
		}
		return out, last, nil
	}
	if got, last, err := texts(lmtest.Script("a b")); fmt.Sprint(got) != "[a b]" || len(got) != 1 || last == nil || err != nil {
		t.Errorf("in one: %q %v %v", got, last, err)
	}
	if got, last, err := texts(twins{lmtest.Script("a b")}); len(got) != 3 || last == nil || err != nil {
		t.Errorf("in parts: %q %v %v", got, last, err)
	}
	if _, _, err := texts(lmtest.Script()); !errors.Is(err, lm.ErrUnavailable) {
		t.Error(err)
	}
}

func TestResponseClone(t *testing.T) {
	t.Parallel()
	r := &lm.Response{
		ToolCalls: []lm.ToolCall{{ID: "1"}}, Choices: []lm.Choice{{Options: []lm.Option{{Text: "a"}}}}, Cut: []string{"a"},
		Logprobs: []lm.TokenLogprob{{Token: "a", Top: []lm.TokenLogprob{{Token: "b"}}}},
	}
	c := r.Clone()
	c.ToolCalls[0].ID, c.Choices[0].Options[0].Text, c.Cut[0], c.Logprobs[0].Token, c.Logprobs[0].Top[0].Token = "x", "x", "x", "x", "x"
	if r.ToolCalls[0].ID != "1" || r.Choices[0].Options[0].Text != "a" || r.Cut[0] != "a" || r.Logprobs[0].Token != "a" || r.Logprobs[0].Top[0].Token != "b" {
		t.Errorf("a change of the clone changed the response: %+v", r)
	}
}
