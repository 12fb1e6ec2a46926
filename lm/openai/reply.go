package openai

import (
	"encoding/json"
	"time"

	"github.com/whetgo/whet/lm"
)

// draft is a reply that has come, in one or in parts, and is not judged yet.
type draft struct {
	text, reasoning string
	// hasText says that there was a text, though it may be empty.
	hasText bool
	tools   []lm.ToolCall
	refusal string
	finish  string
	tokens  []lm.TokenLogprob

	model, fingerprint, requestID string
	status                        int
	usage                         lm.Usage
}

// read makes the replies of a body.
func (m *Model) read(c *call, data []byte, resp *head) ([]*lm.Response, error) {
	var w wireReply
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, m.broken(resp, err, "the reply is no JSON of a reply")
	}
	if said, ok := complaintIn(w.Error, data); ok {
		e := m.complained(said.status, said)
		e.Status, e.RequestID = resp.StatusCode, m.requestID(resp.Header)
		e.RetryAfter = max(e.RetryAfter, retryAfter(resp.Header, time.Now()))
		return nil, e
	}
	if len(w.Choices) == 0 {
		return nil, m.broken(resp, nil, "the reply holds no choices")
	}
	if len(w.Choices) < c.n {
		return nil, m.broken(resp, nil, "the reply holds %d choices where %d were asked for", len(w.Choices), c.n)
	}
	usage := shares(w.Usage.usage(), c.n)
	out := make([]*lm.Response, c.n)
	for i := range out {
		d := draft{
			model: w.Model, fingerprint: w.Fingerprint, requestID: m.requestID(resp.Header), status: resp.StatusCode, usage: usage[i],
			finish: w.Choices[i].Finish, tokens: w.Choices[i].Logprobs.logprobs(),
		}
		if err := d.take(w.Choices[i], c.raw); err != "" {
			return nil, m.broken(resp, nil, "%s", err)
		}
		if d.finish == "" { // the body is whole, so it did not break off
			d.finish = string(lm.FinishStop)
			if len(d.tools) > 0 {
				d.finish = "tool_calls"
			}
		}
		var err error
		if out[i], err = m.judge(c, &d); err != nil {
			return out[:i], err
		}
	}
	return out, nil
}

// complaintIn reads the field "error" of a body, and reports whether there is one.
func complaintIn(field json.RawMessage, data []byte) (complaint, bool) {
	if len(field) == 0 || string(field) == "null" {
		return complaint{}, false
	}
	return readComplaint(data), true
}

// take reads the content of a choice that has come in one, or says what is wrong.
func (d *draft) take(w wireChoice, raw bool) (problem string) {
	if raw {
		if w.Text == nil {
			return "the reply's choice holds no text"
		}
		d.text, d.hasText = *w.Text, true
		return ""
	}
	if w.Message == nil {
		return "the reply's choice holds no message"
	}
	msg := w.Message
	d.reasoning, d.refusal = msg.reasoning(), msg.Refusal
	if msg.Content != nil {
		d.text, d.hasText = string(*msg.Content), true
	}
	for _, t := range msg.ToolCalls {
		d.tools = append(d.tools, lm.ToolCall{ID: t.ID, Name: t.Function.Name, Arguments: string(t.Function.Arguments)})
	}
	return ""
}

// response makes a response of what there is.
func (d *draft) response(model string) *lm.Response {
	out := &lm.Response{
		Text: d.text, Reasoning: d.reasoning, ToolCalls: d.tools, Usage: d.usage, Model: d.model,
		Fingerprint: d.fingerprint, RequestID: d.requestID,
	}
	if out.Model == "" {
		out.Model = model
	}
	return out
}

// partial returns what had come of a reply that broke off, or nil.
func (d *draft) partial(model string) *lm.Response {
	if d.text == "" && d.reasoning == "" && len(d.tools) == 0 {
		return nil
	}
	return d.response(model)
}

// fail makes the error of a reply, with what had come of it.
func (m *Model) fail(d *draft, kind lm.ErrorKind, format string, args ...any) *lm.Error {
	e := m.failure(kind, format, args...)
	e.Status, e.RequestID, e.Partial = d.status, d.requestID, d.partial(m.model)
	return e
}

// judge makes the response of a whole reply.
func (m *Model) judge(c *call, d *draft) (*lm.Response, error) {
	out := d.response(m.model)
	switch d.finish {
	case "stop", "eos", "end_turn", "stop_sequence":
		out.Finish = lm.FinishStop
	case "length", "max_tokens", "model_length":
		out.Finish = lm.FinishLength
	case "tool_calls", "function_call", "tool_use":
		out.Finish = lm.FinishTools
	case "content_filter", "safety", "refusal":
		e := m.fail(d, lm.ErrRefused, "the provider's filter stopped the reply")
		e.Code = d.finish
		return nil, e
	default:
		e := m.fail(d, lm.ErrBackend, "the reply ended for no reason that is known")
		e.Code = m.short(d.finish, maxCode)
		return nil, e
	}
	if len(d.tools) > 0 && out.Finish == lm.FinishStop {
		out.Finish = lm.FinishTools // some servers say stop for both
	}
	switch {
	case d.refusal != "":
		e := m.fail(d, lm.ErrRefused, "%s", m.short(d.refusal, maxMessage))
		e.Code = "refusal"
		return nil, e
	case out.Finish == lm.FinishTools && len(d.tools) == 0:
		return nil, m.fail(d, lm.ErrBackend, "the reply calls tools and names none")
	case !d.hasText && len(d.tools) == 0 && (out.Finish != lm.FinishLength || d.reasoning == ""):
		return nil, m.fail(d, lm.ErrBackend, "the reply holds neither a text nor calls of tools")
	}
	for _, t := range d.tools {
		if t.Name == "" {
			return nil, m.fail(d, lm.ErrBackend, "the reply calls a tool without a name")
		}
	}
	if c.form != nil && c.r.Shape != nil {
		spans, ok := c.form.match(d.text)
		out.Shaped = ok
		if ok && c.probes {
			out.Choices = c.form.choicesOf(d.text, spans, d.tokens)
		}
	}
	out.Logprobs = trimmed(d.tokens, c.r)
	return out, nil
}
