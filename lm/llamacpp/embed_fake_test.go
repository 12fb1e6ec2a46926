package llamacpp

import (
	"hash/fnv"
	"math"
	"slices"
	"sync"
	"testing"
)

// fakeEmbedder is an engine for embeddings without a model. A token's state is a function
// of all tokens of its text up to it, so that a sequence that holds anything else shows. It
// checks what llama.cpp would assert.
type fakeEmbedder struct {
	t     testing.TB
	about embedFacts
	bos   bool

	entered chan []int32  // gets the tokens of each step, where there is one
	proceed chan struct{} // each step waits for one, where there is one
	broken  int           // the step that fails, counted from 1

	mu      sync.Mutex
	aborted bool
	wake    chan struct{} // closed by abort
	steps   int
	seqs    map[int32][]int32
	freed   bool
}

const fakeWidth = 6

func newFakeEmbedder(t testing.TB, l embedLimits, pool Pool, whole bool) *fakeEmbedder {
	return &fakeEmbedder{
		t: t, about: embedFacts{limits: l, width: fakeWidth, pool: pool, whole: whole},
		wake: make(chan struct{}), seqs: map[int32][]int32{},
	}
}

func (f *fakeEmbedder) facts() embedFacts { return f.about }

// tokenize makes a token of each byte.
func (f *fakeEmbedder) tokenize(text string) []int32 {
	var out []int32
	if f.bos {
		out = append(out, 1)
	}
	for _, b := range []byte(text) {
		out = append(out, int32(b)+2)
	}
	return out
}

func fakeState(prefix []int32) (out [fakeWidth]float64) {
	h := fnv.New64a()
	for _, token := range prefix {
		_, _ = h.Write([]byte{byte(token), byte(token >> 8)})
	}
	x := h.Sum64()
	for i := range out {
		out[i] = float64(x>>(8*i)&255)/128 - 1
	}
	return out
}

// vector is what a text should get.
func (f *fakeEmbedder) vector(text string, pool Pool, normalize bool) []float32 {
	tokens := f.tokenize(text)
	var sum [fakeWidth]float64
	for i := range tokens {
		switch {
		case pool == PoolCLS && i > 0, pool == PoolLast && i < len(tokens)-1:
			continue
		}
		for k, x := range fakeState(tokens[:i+1]) {
			sum[k] += x
		}
	}
	scale := 1.0
	if pool == PoolMean {
		scale = 1 / float64(len(tokens))
	}
	if normalize {
		square := 0.0
		for _, x := range sum {
			square += x * x
		}
		scale = 1 / math.Sqrt(square)
	}
	out := make([]float32, fakeWidth)
	for k, x := range sum {
		out[k] = float32(x * scale)
	}
	return out
}

func (f *fakeEmbedder) step(b *embedBatch) error {
	f.mu.Lock()
	f.steps++
	n, wake := f.steps, f.wake
	f.mu.Unlock()
	if f.entered != nil {
		f.entered <- slices.Clone(b.token)
	}
	if f.proceed != nil {
		select {
		case <-f.proceed:
		case <-wake:
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.aborted {
		return errAborted
	}
	if len(b.token) == 0 || len(b.token) > f.about.limits.batch || len(b.parts) > f.about.limits.texts {
		f.t.Errorf("a step of %d tokens and %d texts", len(b.token), len(b.parts))
	}
	if n == f.broken {
		return errBroken
	}
	for i, token := range b.token {
		seq := b.seq[i]
		if int(b.pos[i]) != len(f.seqs[seq]) {
			f.t.Errorf("position %d in sequence %d, which holds %d tokens", b.pos[i], seq, len(f.seqs[seq]))
		}
		f.seqs[seq] = append(f.seqs[seq], token)
		if b.into[i] < 0 {
			continue
		}
		row := b.row(int(b.into[i]), fakeWidth)
		for k, x := range fakeState(f.seqs[seq]) {
			row[k] += x
		}
	}
	return nil
}

func (f *fakeEmbedder) forget(seq int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seqs, seq)
}

func (f *fakeEmbedder) abort(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.freed {
		f.t.Error("abort after free")
	}
	if on && !f.aborted {
		close(f.wake)
	}
	if !on && f.aborted {
		f.wake = make(chan struct{})
	}
	f.aborted = on
}

func (f *fakeEmbedder) free() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.freed {
		f.t.Error("freed twice")
	}
	f.freed = true
	if len(f.seqs) > 0 {
		f.t.Errorf("%d sequences are left", len(f.seqs))
	}
}

func startFake(t testing.TB, f *fakeEmbedder, opts ...EmbedOption) *Embedder {
	t.Helper()
	cfg, err := newEmbedConfig(opts)
	if err != nil {
		t.Fatal(err)
	}
	e := newEmbedder(f, cfg, "fake")
	t.Cleanup(func() {
		e.Close()
		if len(e.loop.seqs) != f.about.limits.texts {
			t.Errorf("%d of %d sequences were given back", len(e.loop.seqs), f.about.limits.texts)
		}
	})
	return e
}
