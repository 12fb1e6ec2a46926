package llamacpp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Model is a model file that answers requests. It is safe for concurrent use, and
// requests that wait at the same time are evaluated together.
type Model struct {
	name      string
	engine    engine
	scheduler *scheduler
	maxTokens int

	template    chatTemplate
	templateErr error // why there is none

	mu     sync.RWMutex // held for reading while a request uses the vocabulary
	closed bool
}

var _ interface {
	lm.Named
	lm.Tokenizer
} = (*Model)(nil)

// Open loads a GGUF file. It fails with an [*lm.Error] of kind [lm.ErrUnavailable]
// when llama.cpp was not built in, of kind [lm.ErrModel] when the file is not a
// whole model, and of kind [lm.ErrInvalidRequest] when an option makes no sense.
// The model holds memory that Go does not manage: call Close.
func Open(path string, opts ...Option) (*Model, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, &lm.Error{Kind: lm.ErrInvalidRequest, Provider: provider, Err: err}
	}
	if !available {
		return nil, failure(lm.ErrUnavailable, "llama.cpp is not built in: run `make setup` once, then build with `-tags llamacpp` in the environment that `scripts/setup env` prints")
	}
	if err := checkFile(path); err != nil {
		return nil, badModel(path, err)
	}
	sum := make(chan string, 1)
	var sumErr error
	go func() { // as long as loading takes
		s, err := hashFile(path)
		sumErr = err
		sum <- s
	}()
	e, reason := load(path, cfg)
	hash := <-sum
	if e == nil {
		return nil, badModel(path, errors.New(reason))
	}
	if sumErr != nil {
		e.free()
		return nil, badModel(path, sumErr)
	}
	m, err := newModel(e, cfg)
	if err != nil {
		e.free()
		return nil, badModel(path, err)
	}
	m.name = provider + ":" + filepath.Base(path) + ":sha256:" + hash[:12]
	return m, nil
}

func badModel(path string, err error) *lm.Error {
	return &lm.Error{Kind: lm.ErrModel, Provider: provider, Model: path, Err: err}
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// newModel starts the goroutine that owns the engine from now on.
func newModel(e engine, cfg config) (*Model, error) {
	m := &Model{engine: e, maxTokens: cfg.maxTokens}
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
	m.scheduler = newScheduler(e, e, e.info(), cfg.slots)
	go m.scheduler.loop()
	return m, nil
}

// Name implements [lm.Named]: the file's name and the beginning of its sha256.
func (m *Model) Name() string { return m.name }

// Generate implements [lm.LM].
func (m *Model) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	m.scheduler.planning.Add(1)
	j, err := m.plan(ctx, r)
	m.scheduler.planning.Add(-1)
	if err != nil {
		return nil, err
	}
	resp, err := m.scheduler.run(ctx, j)
	if err != nil {
		return nil, err
	}
	resp.Model = m.name
	return resp, nil
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
	return len(head) + len(m.engine.tokenize(tail, false)), nil
}

// Close stops what is running, fails what waits with an error of kind
// [lm.ErrUnavailable] and frees the model's memory. It may be called twice.
func (m *Model) Close() error {
	m.scheduler.close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		m.engine.free()
	}
	return nil
}
