package llamacpp

import (
	"context"
	"errors"
	"sync"

	"github.com/whetgo/whet/lm"
)

var _ lm.Embedder = (*Model)(nil)

// modelEmbedder is the embedder of a model that generates, on the model's weights. It is
// made when it is first asked for.
type modelEmbedder struct {
	cfg embedConfig

	mu       sync.Mutex
	embedder *Embedder
	err      error
}

// embeddable is an engine on whose weights there can be another one for embeddings.
type embeddable interface {
	embedEngine(cfg embedConfig) (embedEngine, string)
}

// Embed implements [lm.Embedder] with the model's weights and the mean of the tokens'
// states, unless the model file says otherwise, as [OpenEmbedder] does by default; use
// that for other options. The first call makes a context of its own, whose memory stays
// until Close. Requests that run at the same time compete for the same cores.
func (m *Model) Embed(ctx context.Context, texts []string) (*lm.Embeddings, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, err := m.embedder()
	if err != nil {
		return nil, err
	}
	return e.Embed(ctx, texts)
}

func (m *Model) embedder() (*Embedder, error) {
	m.mu.RLock() // so that the weights stay
	defer m.mu.RUnlock()
	if m.closed {
		return nil, closed()
	}
	e := &m.embedding
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.embedder != nil || e.err != nil {
		return e.embedder, e.err
	}
	weights, ok := m.engine.(embeddable)
	if !ok {
		e.err = failure(lm.ErrUnsupported, "this model's engine computes no embeddings")
		return nil, e.err
	}
	engine, reason := weights.embedEngine(e.cfg)
	if engine == nil {
		// Not remembered: there may be memory for the context another time.
		return nil, &lm.Error{Kind: lm.ErrUnsupported, Provider: provider, Model: m.name, Message: "there are no embeddings of the model", Err: errors.New(reason)}
	}
	e.embedder = newEmbedder(engine, e.cfg, m.name)
	return e.embedder, nil
}

// close ends the embedder, before the weights go.
func (e *modelEmbedder) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.embedder != nil {
		_ = e.embedder.Close() // which never fails
	}
}
