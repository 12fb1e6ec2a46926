package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Embedder is a model file that turns texts into vectors. It is safe for concurrent use:
// one goroutine owns the model's context, and texts of calls that wait at the same time
// are computed together. A call whose context ends leaves between two steps, and a step
// that nobody waits for any more is stopped in the middle.
//
// Texts are data: a special token's text in them is text. What the model wants before
// and after a text, such as BERT's [CLS] and [SEP], is added. Some models were trained
// with a prefix for each use, such as "query: " and "passage: ": put it before the texts
// as the model's author says.
//
// Texts computed together have the vectors of each computed alone but for rounding, of
// which quantised weights make more: the cosine of the two was at least 0.9999999 with
// weights of 32 bits, 0.9997 with SmolLM2 135M (Q4_1) and 0.9985 with Gemma 3 270M
// (Q4_K_M), measured by TestEmbedBatch and TestEmbedBatchExactly.
type Embedder struct {
	name   string
	engine embedEngine
	facts  embedFacts
	loop   *embedLoop

	mu     sync.RWMutex // held for reading while a call uses the vocabulary
	closed bool
}

var _ lm.Embedder = (*Embedder)(nil)

// OpenEmbedder loads a GGUF file for embeddings only: an encoder such as BERT, or a
// causal model. It names the file, and fails, as [Open] does; the weights are computed in
// the form that they have in the file. The embedder holds memory that Go does not manage:
// call Close.
func OpenEmbedder(name string, opts ...EmbedOption) (*Embedder, error) {
	cfg, err := newEmbedConfig(opts)
	if err != nil {
		return nil, &lm.Error{Kind: lm.ErrInvalidRequest, Provider: provider, Err: err}
	}
	path, err := filePath(name)
	if err != nil {
		return nil, &lm.Error{Kind: lm.ErrInvalidRequest, Provider: provider, Err: err}
	}
	if !available {
		return nil, failure(lm.ErrUnavailable, "llama.cpp is not built in: run `make setup` once, then build with `-tags llamacpp` in the environment that `scripts/setup env` prints")
	}
	if err := checkFile(path); err != nil {
		return nil, badModel(path, missingFile(path, err))
	}
	type hashed struct {
		sum string
		err error
	}
	sum := make(chan hashed, 1)
	go func() { // as long as loading takes
		s, err := hashFile(path)
		sum <- hashed{s, err}
	}()
	engine, reason := loadEmbedder(path, cfg)
	hash := <-sum
	if engine == nil {
		return nil, badModel(path, errors.New(reason))
	}
	if hash.err != nil {
		engine.free()
		return nil, badModel(path, hash.err)
	}
	return newEmbedder(engine, cfg, modelName(path, hash.sum, WeightsAsShipped)), nil
}

// newEmbedder starts the goroutine that owns the engine from now on.
func newEmbedder(engine embedEngine, cfg embedConfig, model string) *Embedder {
	e := &Embedder{engine: engine, facts: engine.facts()}
	e.name = model + ":" + e.facts.pool.String()
	if cfg.raw {
		e.name += ":unnormalized"
	}
	pool := e.facts.pool
	if cfg.theirs {
		pool = PoolLast // which has one vector a text, as they have
	}
	e.loop = newEmbedLoop(engine, e.facts, pool, !cfg.raw)
	go e.loop.run()
	return e
}

// Name identifies the vectors: the file's name, the beginning of its sha256, the pooling
// and, where it was asked for, that they are not normalised.
func (e *Embedder) Name() string { return e.name }

// Dimensions returns the length of the vectors.
func (e *Embedder) Dimensions() int { return e.facts.width }

// MaxTokens returns how many tokens a text may have, those counted that the model adds.
func (e *Embedder) MaxTokens() int { return e.facts.limits.context }

// Embed implements [lm.Embedder]. A text with more than MaxTokens tokens is an error of
// kind [lm.ErrContextLength] that names its index, an empty one, where the model adds no
// token to it, of kind [lm.ErrInvalidRequest], and a text whose vector has no direction,
// as with damaged weights, of kind [lm.ErrModel]. Without any texts there are no vectors.
func (e *Embedder) Embed(ctx context.Context, texts []string) (*lm.Embeddings, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j, err := e.plan(ctx, texts)
	if err != nil {
		return nil, err
	}
	if err := e.loop.do(ctx, j); err != nil {
		return nil, err
	}
	return &lm.Embeddings{
		Vectors: j.vectors, Model: e.name,
		Usage: lm.Usage{Calls: 1, PricedCalls: 1, PromptTokens: j.tokens, ComputedTokens: j.tokens},
	}, nil
}

// plan turns the texts into tokens, all of them before any is computed.
func (e *Embedder) plan(ctx context.Context, texts []string) (*embedJob, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, closed()
	}
	j := newEmbedJob(ctx, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		tokens, err := e.tokenize(text)
		limit := e.facts.limits.context
		switch {
		case err != nil:
			return nil, failure(lm.ErrInvalidRequest, "text %d: %v", i, err)
		case len(tokens) > limit:
			return nil, &lm.Error{
				Kind: lm.ErrContextLength, Provider: provider,
				Message: fmt.Sprintf("text %d is too long for a vector; cut it into passages", i),
				Err:     &lm.ContextLengthError{Prompt: len(tokens), Limit: limit},
			}
		case len(tokens) == 0:
			return nil, failure(lm.ErrInvalidRequest, "text %d is empty, and the model adds no token to it: there is nothing to compute a vector of; leave it out", i)
		}
		j.texts[i] = tokens
		j.tokens += len(tokens)
	}
	return j, nil
}

func (e *Embedder) tokenize(text string) ([]int32, error) {
	if len(text) > math.MaxInt32 { // C counts with an int32
		return nil, fmt.Errorf("it has %d bytes, and may have %d", len(text), math.MaxInt32)
	}
	return e.engine.tokenize(text), nil
}

// CountTokens returns how many tokens the text has, those counted that the model adds.
func (e *Embedder) CountTokens(ctx context.Context, text string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return 0, closed()
	}
	tokens, err := e.tokenize(text)
	if err != nil {
		return 0, failure(lm.ErrInvalidRequest, "%v", err)
	}
	return len(tokens), nil
}

// Close stops what is running, fails what waits with an error of kind
// [lm.ErrUnavailable] and frees the model's memory. It may be called twice.
func (e *Embedder) Close() error {
	e.loop.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		e.engine.free()
	}
	return nil
}
