package cassette

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// request and what it consists of is an lm.Request as a cassette holds it.
type request struct {
	Messages       []message       `json:"messages,omitempty"`
	Prompt         text            `json:"prompt,omitempty"`
	Shape          *shape          `json:"shape,omitempty"`
	ResponseFormat *responseFormat `json:"response_format,omitempty"`
	Tools          []tool          `json:"tools,omitempty"`
	ToolChoice     text            `json:"tool_choice,omitempty"`
	Temperature    *number         `json:"temperature,omitempty"`
	TopP           *number         `json:"top_p,omitempty"`
	TopK           int             `json:"top_k,omitempty"`
	MinP           *number         `json:"min_p,omitempty"`
	Seed           *uint64         `json:"seed,omitempty"`
	MaxTokens      int             `json:"max_tokens,omitempty"`
	Stop           []text          `json:"stop,omitempty"`
	Logprobs       bool            `json:"logprobs,omitempty"`
	TopLogprobs    int             `json:"top_logprobs,omitempty"`
	Rollout        int             `json:"rollout,omitempty"`
}

type message struct {
	Role       text       `json:"role"`
	Parts      []part     `json:"parts,omitempty"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID text       `json:"tool_call_id,omitempty"`
}

type part struct {
	Text text  `json:"text,omitempty"`
	Blob *blob `json:"blob,omitempty"`
}

type blob struct {
	Kind string `json:"kind"`
	MIME text   `json:"mime,omitempty"`
	Data text   `json:"data,omitempty"`
	URL  text   `json:"url,omitempty"`
	ID   text   `json:"id,omitempty"`
	Name text   `json:"name,omitempty"`
}

type responseFormat struct {
	Name   text `json:"name,omitempty"`
	Schema text `json:"schema,omitempty"`
}

type tool struct {
	Name        text `json:"name"`
	Description text `json:"description,omitempty"`
	Parameters  text `json:"parameters,omitempty"`
}

type shape struct {
	Segments []segment `json:"segments"`
}

type segment struct {
	Literal text          `json:"literal,omitempty"`
	Hole    string        `json:"hole,omitempty"`
	Name    text          `json:"name,omitempty"`
	Choices []alternative `json:"choices,omitempty"`
	Schema  text          `json:"schema,omitempty"`
	Pattern text          `json:"pattern,omitempty"`
}

type alternative struct {
	Text text   `json:"text"`
	Bias number `json:"bias,omitempty"`
}

// blobKinds and holeKinds are the names of kinds, in the order of lm's constants.
func blobKinds() []string { return []string{"image", "audio", "file"} }

func holeKinds() []string {
	return []string{"", "text", "choice", "int", "float", "bool", "json", "pattern"}
}

// nameOf returns a kind's name, or its number where it is not known here.
func nameOf[K ~int](names []string, k K) string {
	if k >= 0 && int(k) < len(names) {
		return names[k]
	}
	return strconv.Itoa(int(k))
}

func kindOf[K ~int](names []string, s string) (K, error) {
	if i := slices.Index(names, s); i >= 0 {
		return K(i), nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a kind that is known: %q", s, names)
	}
	return K(n), nil
}

func numberOf(f *float64) *number {
	if f == nil {
		return nil
	}
	n := number(*f)
	return &n
}

func floatOf(n *number) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

func wireRequest(r *lm.Request) request {
	w := request{
		Messages: wire.Each(r.Messages, wireMessage), Prompt: text(r.Prompt),
		Tools: wire.Each(r.Tools, func(t lm.Tool) tool {
			return tool{text(t.Name), text(t.Description), text(t.Parameters)}
		}),
		ToolChoice: text(r.ToolChoice), Temperature: numberOf(r.Temperature), TopP: numberOf(r.TopP), TopK: r.TopK,
		MinP: numberOf(r.MinP), MaxTokens: r.MaxTokens, Stop: wire.Each(r.Stop, func(s string) text { return text(s) }),
		Logprobs: r.Logprobs, TopLogprobs: r.TopLogprobs, Rollout: r.Rollout,
	}
	if r.Seed != nil {
		w.Seed = lm.Seed(*r.Seed)
	}
	if f := r.ResponseFormat; f != nil {
		w.ResponseFormat = &responseFormat{text(f.Name), text(f.Schema)}
	}
	if r.Shape != nil {
		w.Shape = &shape{wire.Each(r.Shape.Segments, wireSegment)}
	}
	return w
}

func wireMessage(m lm.Message) message {
	return message{
		Role: text(m.Role), ToolCallID: text(m.ToolCallID), ToolCalls: wire.Each(m.ToolCalls, wire.FromToolCall),
		Parts: wire.Each(m.Parts, func(p lm.Part) part {
			w := part{Text: text(p.Text)}
			if b := p.Blob; b != nil {
				w.Blob = &blob{nameOf(blobKinds(), b.Kind), text(b.MIME), text(b.Data), text(b.URL), text(b.ID), text(b.Name)}
			}
			return w
		}),
	}
}

func wireSegment(s lm.Segment) segment {
	return segment{
		Literal: text(s.Literal), Hole: nameOf(holeKinds(), s.Hole), Name: text(s.Name), Schema: text(s.Schema), Pattern: text(s.Pattern),
		Choices: wire.Each(s.Choices, func(a lm.Alternative) alternative { return alternative{text(a.Text), number(a.Bias)} }),
	}
}

// lm returns the request; an error where a kind is not known.
func (w *request) lm() (*lm.Request, error) {
	r := &lm.Request{
		Prompt: string(w.Prompt), ToolChoice: lm.ToolChoice(w.ToolChoice), Temperature: floatOf(w.Temperature), TopP: floatOf(w.TopP),
		Tools: wire.Each(w.Tools, func(t tool) lm.Tool {
			return lm.Tool{Name: string(t.Name), Description: string(t.Description), Parameters: bytesOf(t.Parameters)}
		}),
		TopK: w.TopK, MinP: floatOf(w.MinP), MaxTokens: w.MaxTokens, Stop: wire.Each(w.Stop, func(s text) string { return string(s) }),
		Logprobs: w.Logprobs, TopLogprobs: w.TopLogprobs, Rollout: w.Rollout,
	}
	if w.Seed != nil {
		r.Seed = lm.Seed(*w.Seed)
	}
	if f := w.ResponseFormat; f != nil {
		r.ResponseFormat = &lm.ResponseFormat{Name: string(f.Name), Schema: bytesOf(f.Schema)}
	}
	for _, m := range w.Messages {
		message, err := m.lm()
		if err != nil {
			return nil, err
		}
		r.Messages = append(r.Messages, message)
	}
	if w.Shape == nil {
		return r, nil
	}
	r.Shape = &lm.Shape{}
	for _, s := range w.Shape.Segments {
		hole, err := kindOf[lm.HoleKind](holeKinds(), s.Hole)
		if err != nil {
			return nil, err
		}
		r.Shape.Segments = append(r.Shape.Segments, lm.Segment{
			Literal: string(s.Literal), Hole: hole, Name: string(s.Name), Schema: bytesOf(s.Schema), Pattern: string(s.Pattern),
			Choices: wire.Each(s.Choices, func(a alternative) lm.Alternative {
				return lm.Alternative{Text: string(a.Text), Bias: float64(a.Bias)}
			}),
		})
	}
	return r, nil
}

func (w *message) lm() (lm.Message, error) {
	m := lm.Message{Role: lm.Role(w.Role), ToolCallID: string(w.ToolCallID), ToolCalls: wire.Each(w.ToolCalls, toolCall.LM)}
	for _, p := range w.Parts {
		part := lm.Part{Text: string(p.Text)}
		if b := p.Blob; b != nil {
			kind, err := kindOf[lm.BlobKind](blobKinds(), b.Kind)
			if err != nil {
				return m, err
			}
			part.Blob = &lm.Blob{Kind: kind, MIME: string(b.MIME), Data: bytesOf(b.Data), URL: string(b.URL), ID: string(b.ID), Name: string(b.Name)}
		}
		m.Parts = append(m.Parts, part)
	}
	return m, nil
}

func bytesOf(t text) []byte {
	if t == "" {
		return nil
	}
	return []byte(t)
}
