//go:build llamacpp

package llamacpp

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// all sends requests from several callers at once and returns their usage.
func all(t *testing.T, m *Model, requests []*lm.Request, callers int) lm.Usage {
	t.Helper()
	var usage lm.Usage
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan *lm.Request)
	for range callers {
		wg.Go(func() {
			for r := range work {
				resp, err := m.Generate(t.Context(), r)
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				usage = usage.Add(resp.Usage)
				mu.Unlock()
			}
		})
	}
	for _, r := range requests {
		work <- r
	}
	close(work)
	wg.Wait()
	return usage
}

// On the real model the tokens that llama_decode was handed, counted in C, are the
// different ones of the data set and at most 2 per cent more, those that fill up steps
// included; the usage says what was evaluated.
func TestEachTokenOnceReal(t *testing.T) {
	t.Parallel()
	for _, tm := range models {
		t.Run(tm.name, func(t *testing.T) {
			t.Parallel()
			path := modelPath(t, tm.variable)
			computing.Lock()
			defer computing.Unlock()
			cfg, err := newConfig(append([]Option{ContextSize(8192), PrefixCache(6000)}, tm.options...))
			require.NoError(t, err)
			e, reason := load(path, cfg)
			require.NotNil(t, e, reason)
			r := newRecorder(e)
			m, err := newModel(r, cfg)
			require.NoError(t, err)
			defer m.Close()
			usage := all(t, m, classification(), 16)
			stats := m.Stats()
			require.Equal(t, stats.Computed, usage.ComputedTokens)
			require.Equal(t, stats.Computed, r.given)
			require.GreaterOrEqual(t, stats.Handed, stats.Computed)
			require.LessOrEqual(t, float64(stats.Handed), 1.02*float64(len(r.seen)))
			require.Zero(t, usage.CompletionTokens)
			t.Logf("%d tokens handed to llama_decode in %d steps, %d of them to fill up steps; %d different ones in prompts of %d",
				stats.Handed, stats.Steps, stats.Handed-stats.Computed, len(r.seen), usage.PromptTokens)
		})
	}
}

// A thousand requests of all kinds on the real model, some of which end early: each is
// answered or fails for its context, and no cell is lost.
func TestStressReal(t *testing.T) {
	t.Parallel()
	modelPath(t, models[0].variable)
	computing.Lock()
	defer computing.Unlock()
	m := openOn(t, models[0], Weights(WeightsAuto), CacheDir(t.TempDir()), Queue(24))
	kinds := ofAllKinds(100)
	for _, r := range kinds {
		r.MaxTokens = min(max(r.MaxTokens, 1), 6)
	}
	var answered, ended atomic.Int64
	var wg sync.WaitGroup
	const callers, requests = 40, 1000
	for caller := range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(caller), 8))
			for range requests / callers {
				ctx, cancel := context.WithCancel(t.Context())
				if rng.IntN(8) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(1000))*time.Millisecond)
				}
				resp, err := m.Generate(ctx, kinds[rng.IntN(len(kinds))])
				switch {
				case err == nil && resp.Text != "" || err == nil && resp.Usage.CompletionTokens == 0:
					answered.Add(1)
				case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
					ended.Add(1)
				default:
					t.Errorf("%+v %v", resp, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, requests, answered.Load()+ended.Load())
	stats := m.Stats()
	t.Logf("%d answered, %d ended early, %d steps, %d tokens", answered.Load(), ended.Load(), stats.Steps, stats.Computed)
	m.scheduler.close()
	checkCells(t, m)
}

// With a sliding window llama.cpp gives away cells that lie before it; those of kept
// prefixes must stay, however full the cache is.
func TestSlidingWindow(t *testing.T) {
	t.Parallel()
	modelPath(t, models[1].variable)
	computing.Lock()
	defer computing.Unlock()
	m := openOn(t, models[1], ContextSize(2560))
	rng := rand.New(rand.NewPCG(4, 4))
	words := strings.Fields("boat harbour rain people dog board morning letter station ticket winter garden")
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[rng.IntN(len(words))] + " ")
		}
		return b.String()
	}
	begins := []string{text(700), text(650), text(300)}
	kept := 0
	for range 14 {
		_, err := m.Generate(t.Context(), &lm.Request{Prompt: begins[rng.IntN(len(begins))] + text(40+rng.IntN(350)), MaxTokens: 2})
		require.NoError(t, err)
	}
	m.scheduler.close()
	e := m.engine.(*llamaEngine)
	m.scheduler.kept.walk(&m.scheduler.kept.root, func(p *prefix) {
		require.Zero(t, e.first(p.seq.id), "the beginning of a sequence of %d tokens is gone", len(p.seq.tokens))
		if len(p.seq.tokens) > 600 {
			kept++
		}
	})
	require.Positive(t, kept, "no prefix that is longer than the window was kept")
	checkCells(t, m)
}
