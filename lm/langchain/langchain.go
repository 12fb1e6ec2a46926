package langchain

import (
	"context"
	"iter"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

// provider is the name of this package in errors.
const provider = "langchain"

// New returns an LM that asks a model of langchaingo; it is an [lm.Streamer], too. A model
// that is nil, or an option that cannot be used, is an error of kind lm.ErrInvalidRequest
// at the first call.
func New(client llms.Model, opts ...Option) lm.LM {
	var c config
	for _, o := range opts {
		o(&c)
	}
	m := &model{client: client, config: c, sends: sends(kindOf(client)), kind: kindOf(client)}
	if c.name == "" {
		return m
	}
	return &named{m}
}

type model struct {
	client llms.Model
	config config
	kind   string
	sends  setting
}

// named is a model that has a name: two without one are not the same.
type named struct{ *model }

// Name implements lm.Named.
func (m *named) Name() string { return m.config.name }

// Generate implements lm.LM.
func (m *model) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	call, err := m.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := m.generate(ctx, call)
	if err != nil {
		return nil, err
	}
	settle(resp, r)
	return resp, nil
}

// call is a request in langchaingo's terms.
type call struct {
	messages []llms.MessageContent
	options  []llms.CallOption
}

func (m *model) prepare(ctx context.Context, r *lm.Request) (call, error) {
	if err := ctx.Err(); err != nil {
		return call{}, err
	}
	if m.client == nil {
		return call{}, invalid("the model is nil")
	}
	if err := m.config.check(); err != nil {
		return call{}, err
	}
	if err := r.Validate(); err != nil {
		return call{}, err
	}
	messages, err := m.messages(r)
	if err != nil {
		return call{}, err
	}
	options, err := m.options(r)
	return call{messages, options}, err
}

// generate leaves Finish empty where the client gives no reason.
func (m *model) generate(ctx context.Context, c call) (*lm.Response, error) {
	content, err := m.client.GenerateContent(ctx, c.messages, c.options...)
	// Their clients hide that the context ended, or return what had come by then.
	if ctxErr := ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	if err != nil {
		return nil, failure(err)
	}
	return response(content)
}

// Stream implements lm.Streamer.
func (m *model) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		c, err := m.prepare(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		if r.UsesTools() {
			// The parts of a reply may be calls of tools then, in JSON, and not text.
			resp, err := m.generate(ctx, c)
			if err != nil {
				yield(nil, err)
				return
			}
			settle(resp, r)
			yield(&lm.Event{Text: resp.Text, Reasoning: resp.Reasoning, Response: resp}, nil)
			return
		}
		m.stream(ctx, r, c, yield)
	}
}

// stream calls the client in a goroutine of its own, since it may give the parts of the
// reply in any, and yield must be called in this one. It ends only when that has.
func (m *model) stream(ctx context.Context, r *lm.Request, c call, yield func(*lm.Event, error) bool) {
	inner, cancel := context.WithCancel(ctx)
	parts := make(chan string)
	type result struct {
		resp *lm.Response
		err  error
	}
	done := make(chan result, 1)
	c.options = append(c.options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		select {
		case parts <- string(chunk):
			return nil
		case <-inner.Done():
			return inner.Err()
		}
	}))
	go func() {
		resp, err := m.generate(inner, c)
		done <- result{resp, err}
	}()
	waiting := true
	defer func() {
		cancel()
		if waiting {
			<-done
		}
	}()
	var text strings.Builder
	for {
		select {
		case part := <-parts:
			text.WriteString(part)
			if part != "" && !yield(&lm.Event{Text: part}, nil) {
				return
			}
		case end := <-done:
			waiting = false
			m.finish(ctx, r, end.resp, end.err, text.String(), yield)
			return
		}
	}
}

// finish yields the last event of a stream.
func (m *model) finish(ctx context.Context, r *lm.Request, resp *lm.Response, err error, text string, yield func(*lm.Event, error) bool) {
	if ctxErr := ctx.Err(); ctxErr != nil {
		err = ctxErr
	} else if err == nil && m.kind == "openai" && resp.Finish == "" {
		err = &lm.Error{Kind: lm.ErrBackend, Provider: provider, Message: "the stream ended without a reason to stop, so it has broken off"}
	}
	if err != nil {
		yield(nil, withPartial(err, text))
		return
	}
	// A client that does not stream has given nothing so far.
	rest, _ := strings.CutPrefix(resp.Text, text)
	if len(rest) == len(resp.Text) && text != "" {
		rest = ""
	}
	settle(resp, r)
	yield(&lm.Event{Text: rest, Reasoning: resp.Reasoning, Response: resp}, nil)
}
