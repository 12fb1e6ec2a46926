package openai

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/whetgo/whet/lm"
)

// call is a request on its way.
type call struct {
	r *lm.Request
	// n is how many replies are asked for.
	n      int
	stream bool
	// raw says that it is a Prompt, for /completions.
	raw bool
	// form is the shape that the server holds the reply to, nil without one.
	form *form
	// probes says that log-probabilities are asked for because of the choices of a shape,
	// and not of the caller.
	probes bool
	path   string
	body   []byte
}

// prepare writes the body of a request.
func (m *Model) prepare(ctx context.Context, r *lm.Request, n int, stream bool) (*call, error) {
	if r == nil {
		return nil, m.failure(lm.ErrInvalidRequest, "the request is nil")
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	c := &call{r: r, n: n, stream: stream, raw: r.Prompt != "", path: "chat/completions"}
	body := map[string]any{"model": m.model}
	var texts []string
	if c.raw {
		if err := m.promptable(r); err != nil {
			return nil, err
		}
		c.path, texts = "completions", []string{r.Prompt}
	} else {
		texts = textsOf(r.Messages)
	}
	plain, err := m.specials.plain(ctx, m.client, texts)
	if err != nil {
		return nil, err
	}
	if c.raw {
		body["prompt"] = plain(r.Prompt)
	} else if body["messages"], err = m.messages(r.Messages, plain); err != nil {
		return nil, err
	}
	if err := m.sampling(body, r); err != nil {
		return nil, err
	}
	m.tools(body, r)
	if err := m.replyForm(body, c); err != nil {
		return nil, err
	}
	m.logprobs(body, c)
	if n > 1 {
		body["n"] = n
	}
	if stream {
		body["stream"] = true
		if !m.dialect.NoStreamUsage {
			body["stream_options"] = map[string]any{"include_usage": true}
		}
	}
	c.body, err = m.encode(body)
	return c, err
}

// promptable reports why a Prompt cannot be answered.
func (m *Model) promptable(r *lm.Request) error {
	switch {
	case !m.dialect.Completions:
		return m.failure(lm.ErrUnsupported, "%s answers no raw Prompt; send Messages", m.provider)
	case r.UsesTools():
		return m.failure(lm.ErrUnsupported, "a raw Prompt has no tools; send Messages")
	}
	return nil
}

// textsOf returns all texts of a conversation that may be data: the messages, joined as
// they are sent, and the arguments of calls.
func textsOf(messages []lm.Message) []string {
	var out []string
	for _, m := range messages {
		if text := m.Text(); text != "" {
			out = append(out, text)
		}
		for _, call := range m.ToolCalls {
			out = append(out, call.Arguments)
		}
	}
	return out
}

// sampling writes how tokens are chosen and when they end.
func (m *Model) sampling(body map[string]any, r *lm.Request) error {
	d := m.dialect
	if r.Temperature != nil {
		body["temperature"] = *r.Temperature
	}
	if r.TopP != nil && *r.TopP < 1 || d.OwnCuts {
		body["top_p"] = valueOr(r.TopP, 1)
	}
	switch {
	case r.TopK > 0 && !d.TopK:
		return m.failure(lm.ErrUnsupported, "%s has no top_k; leave TopK at 0", m.provider)
	case r.TopK > 0 || d.TopK && d.OwnCuts:
		body["top_k"] = r.TopK
	}
	minP := valueOr(r.MinP, 0)
	switch {
	case minP > 0 && !d.MinP:
		return m.failure(lm.ErrUnsupported, "%s has no min_p; leave MinP nil", m.provider)
	case minP > 0 || d.MinP && d.OwnCuts:
		body["min_p"] = minP
	}
	if r.Seed != nil {
		if d.SeedField == "" {
			return m.failure(lm.ErrUnsupported, "%s takes no seed; leave Seed nil", m.provider)
		}
		body[d.SeedField] = d.seed(*r.Seed)
	}
	if r.MaxTokens > 0 {
		body[d.maxTokensField()] = r.MaxTokens
	}
	if len(r.Stop) > 0 {
		body["stop"] = r.Stop
	}
	return nil
}

func valueOr(p *float64, otherwise float64) float64 {
	if p == nil {
		return otherwise
	}
	return *p
}

// tools writes the tools and whether one must be called.
func (m *Model) tools(body map[string]any, r *lm.Request) {
	if len(r.Tools) == 0 {
		return
	}
	list := make([]map[string]any, len(r.Tools))
	for i, t := range r.Tools {
		parameters := json.RawMessage(t.Parameters)
		if len(parameters) == 0 {
			parameters = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		function := map[string]any{"name": t.Name, "parameters": parameters}
		if t.Description != "" {
			function["description"] = t.Description
		}
		list[i] = map[string]any{"type": "function", "function": function}
	}
	body["tools"] = list
	switch r.ToolChoice {
	case lm.ToolChoiceAuto:
	case lm.ToolChoiceNone, lm.ToolChoiceRequired:
		body["tool_choice"] = string(r.ToolChoice)
	default:
		body["tool_choice"] = map[string]any{"type": "function", "function": map[string]any{"name": string(r.ToolChoice)}}
	}
}

// replyForm writes the form of the reply: the shape where the server takes one, and else
// the response format.
func (m *Model) replyForm(body map[string]any, c *call) error {
	r := c.r
	if len(r.Tools) == 0 && m.dialect.Shapes != ShapesNone {
		var f *form
		var err error
		if r.Shape != nil {
			f, err = m.forms.of(r.Shape)
		} else if c.raw && r.ResponseFormat != nil { // /completions knows no response_format
			f, err = newForm(formatShape(r.ResponseFormat))
		}
		if err != nil {
			return m.because(lm.ErrInvalidRequest, err, "the form of the reply")
		}
		if f != nil {
			f.write(body, m.dialect.Shapes)
			c.form = f
			return nil
		}
	}
	if r.ResponseFormat == nil {
		return nil
	}
	f := r.ResponseFormat
	switch {
	case len(f.Schema) > 0 && !json.Valid(f.Schema):
		return m.failure(lm.ErrInvalidRequest, "the Schema of the ResponseFormat is no JSON")
	case c.raw:
		return m.failure(lm.ErrUnsupported, "%s has no ResponseFormat for a raw Prompt; send Messages", m.provider)
	case len(f.Schema) > 0 && m.dialect.JSONSchema:
		body["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{
			"name": formatName(f.Name), "strict": true, "schema": json.RawMessage(f.Schema),
		}}
	case len(f.Schema) == 0 && m.dialect.JSONObject:
		body["response_format"] = map[string]any{"type": "json_object"}
	case len(f.Schema) == 0 && m.dialect.JSONSchema:
		body["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{
			"name": formatName(f.Name), "schema": json.RawMessage(anyObject),
		}}
	default:
		return m.failure(lm.ErrUnsupported, "%s has no response_format of this kind; leave ResponseFormat nil and ask for JSON in a message", m.provider)
	}
	return nil
}

// anyObject is the schema of a ResponseFormat without one.
const anyObject = `{"type": "object"}`

func formatShape(f *lm.ResponseFormat) *lm.Shape {
	schema := f.Schema
	if len(schema) == 0 {
		schema = []byte(anyObject)
	}
	return &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Name: f.Name, Schema: schema}}}
}

// formatName makes a name that OpenAI takes: letters, digits, "_" and "-", at most 64.
func formatName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	if name == "" {
		return "reply"
	}
	return name[:min(len(name), 64)]
}

// logprobs asks for log-probabilities where the caller does, or choices can be read off
// from them. At least one of the likeliest is asked for, as none means none at all to some
// servers.
func (m *Model) logprobs(body map[string]any, c *call) {
	if !m.dialect.Logprobs {
		return
	}
	top := max(c.r.TopLogprobs, 1)
	if c.form != nil && c.form.choices > 0 && !c.form.biased && c.n == 1 && !c.stream {
		c.probes = true
		top = max(top, m.dialect.probeTop())
	}
	switch {
	case !c.r.Logprobs && !c.probes:
	case c.raw:
		body["logprobs"] = top
	default:
		body["logprobs"], body["top_logprobs"] = true, top
	}
}
