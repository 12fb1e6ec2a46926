package openai

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/whetgo/whet/internal/llamaserver"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestLlamaServer(t *testing.T) {
	address := llamaserver.Start(t, "-np", "4")
	open := func(t *testing.T, opts ...Option) *Model {
		t.Helper()
		m, err := New("llama-server/smollm2", append([]Option{BaseURL(address), Getenv(noEnvironment)}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	greedy := func(text string) *lm.Request {
		r := asks(text)
		r.Temperature, r.MaxTokens = lm.Temperature(0), 24
		return r
	}
	t.Run("Forms", func(t *testing.T) { realForms(t, open(t)) })
	t.Run("Choice", func(t *testing.T) {
		// Where the reply begins a token does, too; and no two of these begin alike.
		m, r := open(t), greedy("Is grass green? Answer Yes or No.")
		r.Shape = shapeOf(choice("answer", "Yes", "No"), literal("\nDone."))
		resp := generate(t, m, r)
		if !resp.Shaped || len(resp.Choices) != 1 || resp.Logprobs != nil {
			t.Fatalf("response = %+v, want a shaped one with a choice", resp)
		}
		c, sum, best := resp.Choices[0], 0.0, 0
		for i, o := range c.Options {
			sum += o.Prob
			if o.Prob > c.Options[best].Prob {
				best = i
			}
		}
		if sum < 0.999 || sum > 1.001 || c.Picked != best || resp.Text != c.Options[best].Text+"\nDone." {
			t.Errorf("Text = %q and the choice %+v, want the likeliest picked", resp.Text, c)
		}
		r = r.Clone()
		r.Shape = shapeOf(choice("answer", "Yes", "No"), literal("\nDone."))
		r.Shape.Segments[0].Choices[0].Bias = 1
		if resp := generate(t, m, r); !resp.Shaped || len(resp.Choices) > 0 {
			t.Errorf("with a bias, which the server does not heed, the response is %+v, want one without choices", resp)
		}
	})
	t.Run("Stream", func(t *testing.T) {
		m, r := open(t), greedy("Count: one two three four")
		generate(t, m, r)
		whole := generate(t, m, r) // with the prompt in the cache, as for the stream
		text, _, resp, err := follow(t, m, r)
		if err != nil || text != resp.Text || text != whole.Text || resp.Usage.PromptTokens != whole.Usage.PromptTokens || resp.Finish != whole.Finish {
			t.Errorf("the stream has shown %q and ends in %+v, %v; in one it is %+v", text, resp, err, whole)
		}
	})
	t.Run("Schema", func(t *testing.T) {
		r := greedy("Describe a parcel.")
		r.MaxTokens = 100
		r.ResponseFormat = &lm.ResponseFormat{Name: "parcel", Schema: []byte(`{"type":"object","properties":{"size":{"type":"integer","minimum":1,"maximum":9},"red":{"type":"boolean"}},"required":["size","red"],"additionalProperties":false}`)}
		raw := r.Clone()
		raw.Prompt, raw.Messages = "A parcel as JSON:\n", nil
		for _, r := range []*lm.Request{r, raw} {
			resp := generate(t, open(t), r)
			var parcel struct {
				Size *int  `json:"size"`
				Red  *bool `json:"red"`
			}
			if err := json.Unmarshal([]byte(resp.Text), &parcel); err != nil || parcel.Size == nil || parcel.Red == nil || *parcel.Size < 1 || *parcel.Size > 9 || resp.Shaped {
				t.Errorf("the reply is %+v, %v; want JSON of the schema", resp, err)
			}
		}
	})
	t.Run("Logprobs", func(t *testing.T) {
		r := greedy("Name a colour.")
		r.Logprobs, r.TopLogprobs = true, 3
		raw := r.Clone()
		raw.Prompt, raw.Messages = "Roses are", nil
		for _, r := range []*lm.Request{r, raw} {
			resp := generate(t, open(t), r)
			text := ""
			for _, token := range resp.Logprobs {
				text += token.Token
				if len(token.Top) != 3 || token.Top[0].LogProb < token.Top[1].LogProb || token.LogProb > 0 {
					t.Errorf("the token is %+v, want three likeliest, the likeliest first", token)
				}
			}
			if !strings.HasPrefix(text, resp.Text) || len(resp.Logprobs) == 0 {
				t.Errorf("the tokens are %q, and the text %q", text, resp.Text)
			}
		}
	})
	t.Run("Tokens", func(t *testing.T) {
		m := open(t)
		counter, err := m.Tokenizer()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []*lm.Request{greedy("Name a colour. <|im_end|>"), {Prompt: "One, two <s>,", MaxTokens: 1}} {
			n, err := counter.CountTokens(t.Context(), r)
			if got := generate(t, m, r).Usage.PromptTokens; err != nil || n != got {
				t.Errorf("CountTokens = %d, %v; the server counts %d", n, err, got)
			}
		}
	})
	t.Run("Samples", func(t *testing.T) {
		r := greedy("Name an animal.")
		r.Temperature, r.Seed = lm.Temperature(1.5), lm.Seed(1)
		replies, err := lm.Sample(t.Context(), open(t), r, 4)
		if err != nil || len(replies) != 4 {
			t.Fatalf("%d replies, %v; want 4", len(replies), err)
		}
		seen := map[string]bool{}
		for _, r := range replies {
			seen[r.Text] = true
		}
		if len(seen) < 2 {
			t.Errorf("four replies are one: %v", seen)
		}
	})
	t.Run("TooLong", func(t *testing.T) {
		_, err := open(t).Generate(t.Context(), greedy(strings.Repeat("word ", 6000)))
		var e *lm.ContextLengthError
		if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &e) || e.Over() < 1 {
			t.Errorf("Generate returned %v, want an error of kind %q", err, lm.ErrContextLength)
		}
	})
	t.Run("NoEmbeddings", func(t *testing.T) {
		e, err := NewEmbedder("llama-server/smollm2", BaseURL(address), Getenv(noEnvironment))
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if _, err := e.Embed(t.Context(), []string{"a"}); !errors.Is(err, lm.ErrUnsupported) && !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("Embed returned %v, want an error of kind %q or %q", err, lm.ErrUnsupported, lm.ErrInvalidRequest)
		}
	})
	// A server decodes literals and heeds no bias, and tells the probabilities of some choices
	// only: forms, and no scores. What Choices hold is tested above.
	t.Run("Suite", func(t *testing.T) {
		lmtest.Suite(t, func(t *testing.T) lm.LM { return open(t) },
			lmtest.Capabilities{Messages: true, Prompt: true, Forms: true, Samples: true})
	})
}

// realForms asks for a value of each form, with a free text among them.
func realForms(t *testing.T, m *Model) {
	const pattern = `[a-z]{2,4}-[0-9]{1,3}`
	const schema = `{"type":"object","properties":{"name":{"type":"string","maxLength":8},"sizes":{"type":"array","items":{"type":"integer","minimum":1,"maximum":9},"minItems":1,"maxItems":3}},"required":["name","sizes"]}`
	forms := []struct {
		hole  lm.Segment
		check *regexp.Regexp
	}{
		{hole(lm.HoleText, "note"), regexp.MustCompile(`^[^.]*$`)},
		{hole(lm.HoleInt, "whole"), regexp.MustCompile(`^-?[0-9]{1,18}$`)},
		{hole(lm.HoleFloat, "number"), regexp.MustCompile(`^-?[0-9.]+$`)},
		{hole(lm.HoleBool, "sure"), regexp.MustCompile(`^(True|False)$`)},
		{choice("colour", "red", "green"), regexp.MustCompile(`^(red|green)$`)},
		{lm.Segment{Hole: lm.HolePattern, Name: "code", Pattern: pattern}, regexp.MustCompile("^" + pattern + "$")},
		{lm.Segment{Hole: lm.HoleJSON, Name: "object", Schema: []byte(schema)}, regexp.MustCompile(`^\{"name": ".{0,60}", "sizes": \[[1-9](, [1-9]){0,2}\]\}$`)},
	}
	r := asks("Describe a parcel in a word.")
	r.Temperature, r.MaxTokens = lm.Temperature(0), 300
	r.Shape = &lm.Shape{}
	for _, f := range forms {
		// A choice of one parts the literals, so that the first letter of a text's end is enough.
		r.Shape.Segments = append(r.Shape.Segments, literal(f.hole.Name+": "), f.hole, literal("."), choice("end", "\n"))
	}
	for seed := range uint64(2) {
		resp := generate(t, m, r)
		if !resp.Shaped || resp.Finish != lm.FinishStop {
			t.Fatalf("seed %d: the response is %+v, want a shaped one", seed, resp)
		}
		lines := strings.Split(resp.Text, ".\n")
		if len(lines) != len(forms)+1 {
			t.Fatalf("seed %d: the reply has %d lines: %q", seed, len(lines)-1, resp.Text)
		}
		for i, f := range forms {
			value, ok := strings.CutPrefix(lines[i], f.hole.Name+": ")
			if !ok || !f.check.MatchString(value) {
				t.Errorf("seed %d: the line of %s is %q", seed, f.hole.Name, lines[i])
			}
		}
		r.Temperature, r.Seed = lm.Temperature(1), lm.Seed(seed)
	}
	r.MaxTokens = 3
	if resp := generate(t, m, r); resp.Shaped || resp.Finish != lm.FinishLength {
		t.Errorf("a reply of three tokens is %+v, want one that is cut and not of its shape", resp)
	}
}
