package llamacpp

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Model is a model file that answers requests. It is safe for concurrent use, and
// requests that wait at the same time are evaluated together.
type Model struct {
	name      string
	weights   WeightReport
	engine    engine
	scheduler *scheduler
	maxTokens int
	gate      gate
	grammars  *grammars
	texts     texts
	embedding modelEmbedder

	template    chatTemplate
	templateErr error // why there is none

	mu     sync.RWMutex // held for reading while a request uses the vocabulary
	closed bool
}

var _ interface {
	lm.Named
	lm.Tokenizer
	lm.Scorer
	lm.Streamer
} = (*Model)(nil)

// Open loads a GGUF file: name is its path, or the path with "llamacpp:" before it (a
// path that really begins so can be given as ./llamacpp:...). Nothing is ever downloaded.
//
// The first Open of a file tries in which form its weights are computed fastest on this
// machine, which takes some seconds and room in the cache: see [Weights], which can also
// turn it off.
//
// Open fails with an [*lm.Error] of kind [lm.ErrUnavailable] when llama.cpp was not built
// in, of kind [lm.ErrModel] when the file is not a whole model, or is trained for less
// than the ContextSize, and of kind [lm.ErrInvalidRequest] when an option makes no sense
// with any model. The model holds memory that Go does not manage: call Close.
func Open(name string, opts ...Option) (*Model, error) {
	cfg, err := newConfig(opts)
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
	file, err := readWeights(path)
	if err != nil {
		return nil, badModel(path, missingFile(path, err))
	}
	chosen, err := newChooser(path, file, cfg).choose()
	if err != nil {
		return nil, badModel(path, err)
	}
	e, chosen, err := chosen.load(path, cfg)
	if err != nil {
		return nil, badModel(path, err)
	}
	m, err := newModel(e, cfg)
	if err != nil {
		e.free()
		return nil, badModel(path, err)
	}
	m.weights = chosen.WeightReport
	m.name = modelName(path, chosen.hash, chosen.Type)
	return m, nil
}

func badModel(path string, err error) *lm.Error {
	return &lm.Error{Kind: lm.ErrModel, Provider: provider, Model: path, Err: err}
}

// newModel starts the goroutine that owns the engine from now on.
func newModel(e engine, cfg config) (*Model, error) {
	m := &Model{gate: gate{free: cfg.queue}, grammars: newGrammars(), engine: e, maxTokens: cfg.maxTokens}
	if cfg.template != "" {
		m.template = templates[cfg.template]
	} else {
		m.template, m.templateErr = recognise(e.info().chatTemplate)
	}
	for _, t := range m.template.tokens {
		if len(e.tokenize(t, true)) != 1 {
			err := errors.New("its vocabulary has no token " + t + ", which the chat template " + m.template.name + " needs")
			if cfg.template != "" {
				return nil, err
			}
			m.templateErr = err
		}
	}
	m.embedding.cfg.model = config{threads: cfg.threads, gpuLayers: cfg.gpuLayers}
	m.scheduler = newScheduler(e, e, e.info(), cfg)
	go m.scheduler.loop()
	return m, nil
}

// Name implements [lm.Named]: the name and the beginning of the sha256 of the file that
// was opened and, where its weights were rewritten, in which form they are computed, for
// example "llamacpp:model.gguf:sha256:0123456789ab+bf16".
func (m *Model) Name() string { return m.name }

// Generate implements [lm.LM].
func (m *Model) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	resp, err := m.do(ctx, func() (*job, error) { return m.plan(ctx, r) })
	if err != nil {
		return nil, err
	}
	resp.Model = m.name
	return resp, nil
}

// do makes a job and runs it, once it is let in.
func (m *Model) do(ctx context.Context, plan func() (*job, error)) (*lm.Response, error) {
	if err := m.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer m.gate.leave()
	j, err := m.planned(plan)
	if err != nil {
		return nil, err
	}
	return m.scheduler.run(ctx, j)
}

// planned makes a job, for which the scheduler may wait.
func (m *Model) planned(plan func() (*job, error)) (*job, error) {
	m.scheduler.planning.Add(1)
	defer m.scheduler.planning.Add(-1)
	return plan()
}

// CountTokens implements [lm.Tokenizer].
func (m *Model) CountTokens(ctx context.Context, r *lm.Request) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := r.Validate(); err != nil {
		return 0, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return 0, closed()
	}
	head, tail, _, err := m.prompt(r)
	if err != nil {
		return 0, err
	}
	return len(head) + len(m.texts.prompt(m.engine, tail).tokens), nil
}

// Tokenize returns the tokens of a text, in which special tokens are text like any
// other and no beginning is added.
func (m *Model) Tokenize(text string) ([]int32, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, closed()
	}
	if len(text) > maxText {
		return nil, failure(lm.ErrContextLength, "the text has %d bytes, and no more than %d are tokenised", len(text), maxText)
	}
	return m.engine.tokenize(text, false), nil
}

// Detokenize returns the text that tokens stand for; special ones stand for none. It
// may begin or end inside of a character.
func (m *Model) Detokenize(tokens []int32) (string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return "", closed()
	}
	var b strings.Builder
	for _, t := range tokens {
		if t < 0 || int(t) >= m.engine.info().vocab {
			return "", failure(lm.ErrInvalidRequest, "%d is no token of the vocabulary, which has %d", t, m.engine.info().vocab)
		}
		b.WriteString(m.engine.piece(t))
	}
	return b.String(), nil
}

// Close stops what is running, fails what waits with an error of kind
// [lm.ErrUnavailable] and frees the model's memory. It may be called twice.
func (m *Model) Close() error {
	m.scheduler.close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		m.embedding.close()
		m.engine.free()
	}
	return nil
}
