package openai

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/whetgo/whet/lm"
)

// Model is a model of a server. It is safe for concurrent use, and answers requests of
// messages with tools, pictures, sounds and files; see the package's documentation for what
// depends on the server. It implements [lm.Named], [lm.Streamer] and [lm.Sampler].
type Model struct {
	*client
	forms    *forms
	specials *specials
}

var (
	_ lm.Named    = (*Model)(nil)
	_ lm.Streamer = (*Model)(nil)
	_ lm.Sampler  = (*Model)(nil)
)

// New returns the model of a name: "gpt-4o-mini", or "provider/model". It calls nobody. An
// option or a name that is wrong is an error of kind lm.ErrInvalidRequest, and a key that
// the provider needs and that is nowhere one of kind lm.ErrAuth.
func New(model string, opts ...Option) (*Model, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	cl, err := newClient(model, c)
	if err != nil {
		return nil, err
	}
	return &Model{client: cl, forms: newForms(), specials: newSpecials(c.readSpecial)}, nil
}

// Name returns the provider and the model, for example "openai:gpt-4o-mini", and the
// server's host where it is not the provider's own: "vllm:qwen@gpu-box:8000".
func (m *Model) Name() string { return m.name }

// String returns the name.
func (m *Model) String() string { return m.name }

// Format writes the name for every verb, so that no header is ever printed.
func (m *Model) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, m.name) }

// LogValue returns the name.
func (m *Model) LogValue() slog.Value { return slog.StringValue(m.name) }

// MarshalText returns the name, which is thereby what JSON shows.
func (m *Model) MarshalText() ([]byte, error) { return []byte(m.name), nil }

// Close gives back the model's connections when the calls on their way have ended. Calls
// that begin later are an error of kind lm.ErrUnavailable.
func (m *Model) Close() error {
	m.close()
	return nil
}

// Generate implements [lm.LM].
func (m *Model) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	out, err := m.generate(ctx, r, 1)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Sample implements [lm.Sampler]: with one request for as many replies as the server gives
// at once, or one for each where it gives no more.
func (m *Model) Sample(ctx context.Context, r *lm.Request, n int) ([]*lm.Response, error) {
	if n < 1 || m.dialect.MaxN < 2 {
		return lm.Sample(ctx, lm.Func(m.Generate), r, n)
	}
	var out []*lm.Response
	for len(out) < n {
		next := r
		if len(out) > 0 && r != nil && r.Seed != nil { // or the replies would be the same again
			next = r.Clone()
			next.Seed = lm.Seed(*r.Seed + uint64(len(out)))
		}
		more, err := m.generate(ctx, next, min(n-len(out), m.dialect.MaxN))
		out = append(out, more...) // also those before one that is an error
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (m *Model) generate(ctx context.Context, r *lm.Request, n int) ([]*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := m.prepare(ctx, r, n, false)
	if err != nil {
		return nil, err
	}
	data, resp, err := m.post(ctx, m.url(c.path), c.body)
	if err != nil {
		return nil, err
	}
	return m.read(c, data, resp)
}
