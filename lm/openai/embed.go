package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"github.com/whetgo/whet/lm"
)

// Embedder turns texts into vectors by a server. It is safe for concurrent use. Vectors
// come back with length 1. A text that is too long is an error of kind
// lm.ErrContextLength where the server says so; Ollama cuts it without a word.
type Embedder struct {
	*client
	batch int
}

var _ lm.Embedder = (*Embedder)(nil)

// NewEmbedder returns the embedder of a name, for example "text-embedding-3-small" or
// "ollama/all-minilm", with the options of [New]. It calls nobody.
func NewEmbedder(model string, opts ...Option) (*Embedder, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	cl, err := newClient(model, c)
	if err != nil {
		return nil, err
	}
	return &Embedder{cl, c.batch}, nil
}

// Name returns the provider and the model, as [Model.Name] does.
func (e *Embedder) Name() string { return e.name }

// String returns the name.
func (e *Embedder) String() string { return e.name }

// Format writes the name for every verb, so that no header is ever printed.
func (e *Embedder) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.name) }

// LogValue returns the name.
func (e *Embedder) LogValue() slog.Value { return slog.StringValue(e.name) }

// MarshalText returns the name, which is thereby what JSON shows.
func (e *Embedder) MarshalText() ([]byte, error) { return []byte(e.name), nil }

// Close gives back the connections; see [Model.Close].
func (e *Embedder) Close() error {
	e.close()
	return nil
}

// Embed implements [lm.Embedder]. It sends the texts in batches, one after the other; see
// [Batch].
func (e *Embedder) Embed(ctx context.Context, texts []string) (*lm.Embeddings, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &lm.Embeddings{Model: e.model, Vectors: make([][]float32, 0, len(texts))}
	for len(texts) > 0 {
		n := min(len(texts), e.batch)
		if err := e.add(ctx, texts[:n], out); err != nil {
			return nil, err
		}
		texts = texts[n:]
	}
	return out, nil
}

type wireEmbeddings struct {
	Data []struct {
		Index     int       `json:"index"`
		Embedding []float64 `json:"embedding"`
	} `json:"data"`
	Model string          `json:"model"`
	Usage *wireUsage      `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// add adds the vectors of a batch.
func (e *Embedder) add(ctx context.Context, texts []string, out *lm.Embeddings) error {
	body, err := e.encode(map[string]any{"model": e.model, "input": texts, "encoding_format": "float"})
	if err != nil {
		return err
	}
	data, resp, err := e.post(ctx, e.url("embeddings"), body)
	if err != nil {
		return err
	}
	var w wireEmbeddings
	if err := json.Unmarshal(data, &w); err != nil {
		return e.broken(resp, err, "the reply is no JSON of embeddings")
	}
	if said, ok := complaintIn(w.Error, data); ok {
		f := e.complained(said.status, said)
		f.Status, f.RequestID = resp.StatusCode, e.requestID(resp.Header)
		f.RetryAfter = max(f.RetryAfter, retryAfter(resp.Header, time.Now()))
		return f
	}
	if len(w.Data) != len(texts) {
		return e.broken(resp, nil, "the reply holds %d vectors for %d texts", len(w.Data), len(texts))
	}
	vectors := make([][]float32, len(texts))
	for _, d := range w.Data {
		if d.Index < 0 || d.Index >= len(vectors) || vectors[d.Index] != nil {
			return e.broken(resp, nil, "the reply gives the index %d to a vector, out of %d, or twice", d.Index, len(vectors))
		}
		if vectors[d.Index], err = e.unit(d.Embedding, resp); err != nil {
			return err
		}
	}
	out.Vectors = append(out.Vectors, vectors...)
	for _, v := range vectors {
		if len(v) != len(out.Vectors[0]) {
			return e.broken(resp, nil, "the reply holds vectors of %d and of %d numbers", len(out.Vectors[0]), len(v))
		}
	}
	out.Usage = out.Usage.Add(w.Usage.usage())
	if w.Model != "" {
		out.Model = w.Model
	}
	return nil
}

// unit brings a vector to the length 1.
func (e *Embedder) unit(v []float64, resp *head) ([]float32, error) {
	largest := 0.0
	for _, x := range v {
		largest = max(largest, math.Abs(x))
	}
	if largest == 0 {
		return nil, e.broken(resp, nil, "the reply holds a vector without a direction")
	}
	sum := 0.0
	for _, x := range v { // in parts of the largest, whose square may be too large or small
		sum += x / largest * (x / largest)
	}
	length := math.Sqrt(sum)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / largest / length)
	}
	return out, nil
}
