//go:build llamacpp

package llamacpp

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
)

// A model that generates has the vectors of its file opened for embeddings, also while it
// generates.
func TestModelEmbed(t *testing.T) {
	t.Parallel()
	path := modelPath(t, "WHET_MODEL_SMOLLM2")
	computing.Lock()
	defer computing.Unlock()
	m, err := Open(path, ContextSize(512), Threads(1), Weights(WeightsAsShipped))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	texts := mixed(5)
	want := embed(t, openEmbedder(t, path), texts...)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i, text := range texts {
				r, err := m.Embed(t.Context(), []string{text})
				if err != nil {
					t.Error(err)
					return
				}
				if c := cosine(r.Vectors[0], want[i]); c < 0.997 || r.Model != m.Name()+":mean" {
					t.Errorf("text %d: cosine %f with the embedder's vector, of %s", i, c, r.Model)
				}
			}
		})
		wg.Go(func() {
			if _, err := m.Generate(t.Context(), &lm.Request{Prompt: "The capital of France is", MaxTokens: 5}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r, err := m.Embed(t.Context(), slices.Repeat([]string{"a"}, 3)); err != nil || len(r.Vectors) != 3 {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Embed(t.Context(), texts); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("Embed after Close: %v", err)
	}
}

func TestModelEmbedUnused(t *testing.T) {
	t.Parallel()
	m, err := Open(modelPath(t, "WHET_MODEL_SMOLLM2"), ContextSize(256), Threads(1), Weights(WeightsAsShipped))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Embed(t.Context(), []string{"a"}); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("the first Embed after Close: %v", err)
	}
}
