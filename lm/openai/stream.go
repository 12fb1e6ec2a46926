package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// maxToolCalls is how many calls a streamed reply may hold.
const maxToolCalls = 1024

// Stream implements [lm.Streamer]. Where the reply breaks off, the error holds what had
// come; where the context ends, it is the context's error.
func (m *Model) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		c, err := m.prepare(ctx, r, 1, true)
		if err != nil {
			yield(nil, err)
			return
		}
		inner, cancel := m.limited(ctx)
		defer cancel() // leaving the loop ends the request
		resp, err := m.send(inner, ctx, m.url(c.path), c.body, "text/event-stream")
		if err != nil {
			yield(nil, err)
			return
		}
		defer resp.Body.Close()
		s := &stream{m: m, call: c, resp: resp, ctx: inner, outer: ctx, draft: draft{requestID: m.requestID(resp.Header), status: resp.StatusCode}}
		s.run(yield)
		if s.done {
			drain(resp.Body, cancel)
		}
	}
}

// How long, and how much, is waited for behind the last event.
const (
	drainTime  = 100 * time.Millisecond
	drainBytes = 4 << 10
)

// drain reads to the end of a reply whose last event has come, so that its connection can be
// used again. A server that does not end the reply loses the connection.
func drain(body io.Reader, cancel context.CancelFunc) {
	timer := time.AfterFunc(drainTime, cancel)
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, body, drainBytes) // nobody needs what comes here
}

// stream is a reply on its way.
type stream struct {
	m     *Model
	call  *call
	resp  *http.Response
	ctx   context.Context // the call's
	outer context.Context // the caller's

	done            bool // the last event has come
	draft           draft
	text, reasoning strings.Builder
	arguments       []*strings.Builder
	index           map[int]int // of a call of a tool in the provider's count: its place in ours
	usage           *wireUsage
}

func (s *stream) run(yield func(*lm.Event, error) bool) {
	switch kind := mediaType(s.resp.Header); {
	case kind == "text/event-stream":
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		s.whole(yield)
		return
	default:
		what := "of the type \"" + s.m.short(kind, maxCode) + "\""
		if kind == "" {
			what = "of no type"
		}
		yield(nil, s.m.broken(headOf(s.resp), nil, "the reply is %s and no stream of events", what))
		return
	}
	body := &limitedBody{in: s.resp.Body, left: s.m.maxReply}
	events := newEventReader(body, min(maxLine, s.m.maxReply))
	for {
		e, err := events.next()
		if err != nil {
			yield(nil, s.lost(err))
			return
		}
		if s.outer.Err() != nil {
			yield(nil, s.outer.Err())
			return
		}
		switch string(bytes.TrimSpace(e.data)) {
		case "[DONE]":
			s.done = true
			s.end(yield)
			return
		case "": // keeps the connection alive
			continue
		}
		event, err := s.take(e)
		if err != nil {
			yield(nil, err)
			return
		}
		if event != nil && !yield(event, nil) {
			return
		}
	}
}

// whole is for servers that do not stream and send the reply in one.
func (s *stream) whole(yield func(*lm.Event, error) bool) {
	data, err := s.m.readBody(s.ctx, s.outer, s.resp)
	if err != nil {
		yield(nil, err)
		return
	}
	out, err := s.m.read(s.call, data, headOf(s.resp))
	if err != nil {
		yield(nil, err)
		return
	}
	yield(&lm.Event{Text: out[0].Text, Reasoning: out[0].Reasoning, Response: out[0]}, nil)
}

// sofar brings the draft up to date.
func (s *stream) sofar() *draft {
	d := &s.draft
	d.text, d.reasoning = s.text.String(), s.reasoning.String()
	for i, a := range s.arguments {
		d.tools[i].Arguments = a.String()
	}
	d.usage = s.usage.usage()
	return d
}

// lost makes the error of a stream that ended before its end.
func (s *stream) lost(err error) error {
	d := s.sofar()
	switch {
	case s.outer.Err() != nil:
		return s.outer.Err()
	case errors.Is(err, errLongLine):
		return s.m.fail(d, lm.ErrBackend, "an event of the stream is longer than %d bytes", min(maxLine, s.m.maxReply))
	case errors.Is(err, errTooLong):
		return s.m.fail(d, lm.ErrBackend, "the stream is longer than the %d bytes of the option MaxReply", s.m.maxReply)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e := s.m.fail(d, lm.ErrBackend, "the stream broke off before its end")
		e.Err = io.ErrUnexpectedEOF
		return e
	}
	lost := s.m.lost(s.ctx, s.outer, err, "no whole reply from "+s.m.base.Host)
	if e := (*lm.Error)(nil); errors.As(lost, &e) {
		e.Status, e.RequestID, e.Partial = d.status, d.requestID, d.partial(s.m.model)
	}
	return lost
}

// take adds an event to the draft and returns what has come by it, or nil.
func (s *stream) take(e event) (*lm.Event, error) {
	broken := func(err error, what string) error {
		out := s.m.fail(s.sofar(), lm.ErrBackend, "%s", what)
		out.Err = s.m.scrub.cause(err)
		return out
	}
	switch {
	case !utf8.Valid(e.data):
		return nil, broken(nil, "an event of the stream is no UTF-8")
	case tooDeep(e.data):
		return nil, broken(nil, "an event of the stream is JSON of too many levels")
	}
	var w wireReply
	err := json.Unmarshal(e.data, &w)
	said, ok := complaintIn(w.Error, e.data)
	if e.kind == "error" && !ok {
		said, ok = readComplaint(e.data), true
	}
	if ok {
		out := s.m.complained(said.status, said)
		d := s.sofar()
		out.Status, out.RequestID, out.Partial = said.status, d.requestID, d.partial(s.m.model)
		out.RetryAfter = max(out.RetryAfter, retryAfter(s.resp.Header, time.Now()))
		if out.Message == "" {
			out.Message = "the provider gave no reason"
		}
		return nil, out
	}
	if err != nil {
		return nil, broken(err, "an event of the stream is no JSON of a reply")
	}
	if w.Model != "" {
		s.draft.model = w.Model
	}
	if w.Fingerprint != "" {
		s.draft.fingerprint = w.Fingerprint
	}
	if w.Usage != nil {
		s.usage = w.Usage
	}
	out := &lm.Event{}
	for _, c := range w.Choices {
		if c.Index != 0 {
			continue
		}
		if problem := s.choice(c, out); problem != "" {
			return nil, broken(nil, problem)
		}
	}
	if out.Text == "" && out.Reasoning == "" {
		return nil, nil
	}
	return out, nil
}

// choice adds a chunk of the reply, or says what is wrong with it.
func (s *stream) choice(c wireChoice, out *lm.Event) (problem string) {
	if c.Finish != "" {
		s.draft.finish = c.Finish
	}
	s.draft.tokens = append(s.draft.tokens, c.Logprobs.logprobs()...)
	if s.call.raw {
		if c.Text != nil {
			out.Text, s.draft.hasText = *c.Text, true
			s.text.WriteString(*c.Text)
		}
		return ""
	}
	msg := c.Delta
	if msg == nil {
		msg = c.Message
	}
	if msg == nil {
		return ""
	}
	if msg.Content != nil {
		out.Text, s.draft.hasText = string(*msg.Content), true
		s.text.WriteString(out.Text)
	}
	out.Reasoning = msg.reasoning()
	s.reasoning.WriteString(out.Reasoning)
	s.draft.refusal += msg.Refusal
	for _, t := range msg.ToolCalls {
		if !s.tool(t) {
			return "the stream calls more tools than any reply"
		}
	}
	return ""
}

// tool adds a piece of a tool's call: to the one of its index, or where the server counts
// none to the last, unless it has another ID. Some servers give each call the same index, and
// others each piece another ID: an ID that is another begins a call where it comes with a name.
func (s *stream) tool(t wireTool) bool {
	var ok bool
	at := len(s.draft.tools) - 1
	if t.Index != nil {
		at, ok = s.index[int(*t.Index)]
		ok = ok && (t.ID == "" || t.Function.Name == "" || s.draft.tools[at].ID == "" || t.ID == s.draft.tools[at].ID)
	} else {
		ok = at >= 0 && (t.ID == "" || t.ID == s.draft.tools[at].ID)
	}
	if !ok {
		if at = len(s.draft.tools); at == maxToolCalls {
			return false
		}
		s.draft.tools = append(s.draft.tools, lm.ToolCall{})
		s.arguments = append(s.arguments, &strings.Builder{})
		if t.Index != nil {
			if s.index == nil {
				s.index = map[int]int{}
			}
			s.index[int(*t.Index)] = at
		}
	}
	call := &s.draft.tools[at]
	if call.ID == "" {
		call.ID = t.ID
	}
	if call.Name == "" {
		call.Name = t.Function.Name
	}
	s.arguments[at].WriteString(string(t.Function.Arguments))
	return true
}

// end makes the last event.
func (s *stream) end(yield func(*lm.Event, error) bool) {
	d := s.sofar()
	if d.finish == "" {
		yield(nil, s.m.fail(d, lm.ErrBackend, "the stream ended without a reason"))
		return
	}
	out, err := s.m.judge(s.call, d)
	if err != nil {
		yield(nil, err)
		return
	}
	yield(&lm.Event{Response: out}, nil)
}

// limitedBody returns errTooLong behind a number of bytes.
type limitedBody struct {
	in   io.Reader
	left int64
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// One byte more tells a stream that is as long as allowed from a longer one.
		var one [1]byte
		n, err := b.in.Read(one[:])
		if n > 0 {
			return 0, errTooLong
		}
		return 0, err
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
