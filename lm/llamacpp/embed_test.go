package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestEmbedOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		opts []EmbedOption
		want string // of the error
	}{
		{[]EmbedOption{Threads(2), GPULayers(0), ContextSize(100), BatchTokens(64), Pooling(PoolLast), Normalize(false)}, ""},
		{[]EmbedOption{Threads(0)}, "Threads(0)"},
		{[]EmbedOption{ContextSize(-1)}, "ContextSize(-1)"},
		{[]EmbedOption{BatchTokens(-1)}, "BatchTokens(-1)"},
		{[]EmbedOption{Pooling(9)}, "Pooling(9)"},
		{[]EmbedOption{Slots(4)}, "only ContextSize, Threads and GPULayers"},
		{[]EmbedOption{Template("gemma")}, "only ContextSize, Threads and GPULayers"},
	} {
		_, err := OpenEmbedder("none.gguf", tt.opts...)
		switch {
		case tt.want != "":
			if !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		case available && !errors.Is(err, lm.ErrModel), !available && !errors.Is(err, lm.ErrUnavailable):
			t.Errorf("a file that is not there: %v", err)
		}
	}
}

func TestEmbedLimitsChosen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		opts         []EmbedOption
		train, vocab int
		whole        bool
		want         embedLimits
	}{
		{nil, 8192, 49152, false, embedLimits{context: 2048, batch: 512, texts: 64}},
		{nil, 32768, 262144, false, embedLimits{context: 2048, batch: 128, texts: 64}},
		{nil, 512, 30522, true, embedLimits{context: 512, batch: 512, texts: 64}},
		{nil, 8192, 30522, true, embedLimits{context: 2048, batch: 2048, texts: 64}},
		{[]EmbedOption{ContextSize(4096), BatchTokens(16)}, 8192, 30522, true, embedLimits{context: 4096, batch: 4096, texts: 64}},
		{[]EmbedOption{ContextSize(4096), BatchTokens(16)}, 8192, 30522, false, embedLimits{context: 4096, batch: 16, texts: 16}},
		{[]EmbedOption{ContextSize(2), BatchTokens(1 << 30)}, 8192, 100, false, embedLimits{context: 2, batch: 128, texts: 64}},
	} {
		cfg, err := newEmbedConfig(tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.limits(tt.train, tt.vocab, tt.whole); got != tt.want {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

func TestPoolResolve(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pool   Pool
		file   int
		want   Pool
		reason string
	}{
		{PoolDefault, -1, PoolMean, ""},
		{PoolDefault, 0, PoolMean, ""},
		{PoolDefault, 1, PoolMean, ""},
		{PoolDefault, 2, PoolCLS, ""},
		{PoolDefault, 3, PoolLast, ""},
		{PoolDefault, 4, PoolDefault, "reranker"},
		{PoolDefault, 5, PoolDefault, "pooling type 5"},
		{PoolLast, 1, PoolLast, ""},
		{PoolMean, 4, PoolMean, ""},
	} {
		got, reason := tt.pool.resolve(tt.file)
		if got != tt.want || (reason == "") != (tt.reason == "") || !strings.Contains(reason, tt.reason) {
			t.Errorf("%v and %d in the file: %v %q", tt.pool, tt.file, got, reason)
		}
	}
}

// Texts of all lengths, computed together, in parts and whole, get their own vectors.
func TestEmbedVectors(t *testing.T) {
	t.Parallel()
	texts := make([]string, 40)
	for i := range texts {
		texts[i] = strings.Repeat(string(rune('a'+i%26)), 1+i*i%37) + fmt.Sprint(i)
	}
	total := len(strings.Join(texts, ""))
	for _, l := range []embedLimits{{40, 40, 8}, {40, 64, 8}, {40, 200, 64}, {40, 7, 7}, {40, 1, 1}} {
		for _, pool := range []Pool{PoolMean, PoolCLS, PoolLast} {
			for _, normalize := range []bool{true, false} {
				whole := l.batch >= l.context
				f := newFakeEmbedder(t, l, pool, whole)
				e := startFake(t, f, Normalize(normalize))
				r, err := e.Embed(t.Context(), texts)
				if err != nil {
					t.Fatal(err)
				}
				for i, text := range texts {
					for k, x := range f.vector(text, pool, normalize) {
						if math.Abs(float64(x-r.Vectors[i][k])) > 1e-6 {
							t.Fatalf("%+v, %v: text %d has %v, want %v", l, pool, i, r.Vectors[i], f.vector(text, pool, normalize))
						}
					}
				}
				want := lm.Usage{Calls: 1, PricedCalls: 1, PromptTokens: total, ComputedTokens: total}
				if r.Usage != want || r.Model != e.Name() {
					t.Errorf("%+v of %s", r.Usage, r.Model)
				}
				name := "fake:" + pool.String()
				if !normalize {
					name += ":unnormalized"
				}
				if e.Name() != name {
					t.Errorf("its name is %s", e.Name())
				}
				e.Close()
			}
		}
	}
}

func TestEmbedRefusesTexts(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 5, batch: 8, texts: 4}, PoolMean, false)
	e := startFake(t, f)
	_, err := e.Embed(t.Context(), []string{"abc", "abcde", "abcdef"})
	var over *lm.ContextLengthError
	if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &over) || over.Prompt != 6 || over.Limit != 5 || !strings.Contains(err.Error(), "text 2 ") {
		t.Errorf("a text that is too long: %v", err)
	}
	if _, err = e.Embed(t.Context(), []string{"abc", ""}); !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), "text 1 ") {
		t.Errorf("an empty text: %v", err)
	}
	if r, err := e.Embed(t.Context(), nil); err != nil || len(r.Vectors) != 0 {
		t.Errorf("no text: %v", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.steps != 0 {
		t.Errorf("%d steps for texts that have no vector", f.steps)
	}
}

func TestEmbedEmptyWithBOS(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 5, batch: 8, texts: 4}, PoolMean, false)
	f.bos = true
	e := startFake(t, f)
	if r, err := e.Embed(t.Context(), []string{""}); err != nil || len(r.Vectors[0]) != fakeWidth {
		t.Error(err)
	}
	if n, err := e.CountTokens(t.Context(), "abc"); err != nil || n != 4 {
		t.Error(n, err)
	}
}

// A call of one text does not wait for all of a call of many, and texts of waiting calls
// share a step.
func TestEmbedFairly(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 8, batch: 8, texts: 8}, PoolMean, false)
	f.entered, f.proceed = make(chan []int32), make(chan struct{})
	e := startFake(t, f)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := e.Embed(t.Context(), slices.Repeat([]string{"aa"}, 40)); err != nil {
			t.Error(err)
		}
	})
	<-f.entered
	small := make(chan error, 1)
	wg.Go(func() {
		_, err := e.Embed(t.Context(), []string{"bb"})
		small <- err
	})
	waitFor(t, e, 1)
	f.proceed <- struct{}{}
	if tokens := <-f.entered; !slices.Contains(tokens, 'b'+2) || !slices.Contains(tokens, 'a'+2) {
		t.Errorf("the second step has the tokens %v", tokens)
	}
	f.proceed <- struct{}{}
	if err := <-small; err != nil {
		t.Error(err)
	}
	for range 8 { // 4 texts a step, the b instead of one a
		<-f.entered
		f.proceed <- struct{}{}
	}
	<-f.entered
	f.proceed <- struct{}{}
	wg.Wait()
}

// waitFor waits until so many calls have handed over their texts.
func waitFor(t *testing.T, e *Embedder, n int) {
	t.Helper()
	for {
		e.loop.mu.Lock()
		got := len(e.loop.incoming)
		e.loop.mu.Unlock()
		if got == n {
			return
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// A call that is cancelled leaves; the step of others goes on, and one that nobody waits
// for is stopped.
func TestEmbedCancelled(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 20, batch: 8, texts: 8}, PoolMean, false)
	f.entered, f.proceed = make(chan []int32), make(chan struct{})
	e := startFake(t, f)
	call := func(ctx context.Context, text string) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := e.Embed(ctx, []string{text})
			done <- err
		}()
		return done
	}
	first, leave := context.WithCancel(t.Context())
	a := call(onlyDone{first}, "aaaaaaaaaaaaaaa") // two steps
	<-f.entered
	b := call(t.Context(), "bb")
	c := call(onlyDone{first}, "cc")
	waitFor(t, e, 2)
	leave() // nobody waits for the step: it needs no proceed
	for _, done := range []chan error{a, c} {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if tokens := <-f.entered; !slices.Equal(tokens, []int32{'b' + 2, 'b' + 2}) {
		t.Errorf("the next step has the tokens %v", tokens)
	}
	second, leaveSecond := context.WithCancel(t.Context())
	d := call(second, "dd") // leaves before its step
	waitFor(t, e, 1)
	leaveSecond()
	if err := <-d; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	f.proceed <- struct{}{}
	if err := <-b; err != nil {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(cancelled, []string{"e"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := e.CountTokens(cancelled, "e"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestEmbedClose(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 20, batch: 8, texts: 8}, PoolMean, false)
	f.entered, f.proceed = make(chan []int32), make(chan struct{})
	e := startFake(t, f)
	done := make(chan error, 2)
	for i := range 2 {
		go func() {
			_, err := e.Embed(t.Context(), []string{"aaaaaaaaaaaaaaa"})
			done <- err
		}()
		if i == 0 {
			<-f.entered
		}
	}
	waitFor(t, e, 1)
	if err := e.Close(); err != nil { // in the middle of a step
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; !errors.Is(err, lm.ErrUnavailable) {
			t.Errorf("a call during Close: %v", err)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := e.Embed(t.Context(), []string{"a"}); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("a call after Close: %v", err)
	}
}

// A step that fails ends the calls in it and no others.
func TestEmbedFailure(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 20, batch: 8, texts: 8}, PoolMean, false)
	f.broken = 2
	e := startFake(t, f)
	if _, err := e.Embed(t.Context(), []string{"aaaaaaaaaa"}); !errors.Is(err, errBroken) || !errors.Is(err, lm.ErrBackend) {
		t.Error(err)
	}
	if _, err := e.Embed(t.Context(), []string{"aaaaaaaaaa", "b"}); err != nil {
		t.Error(err)
	}
}

// 64 callers with calls of all sizes, some of which leave.
func TestEmbedManyCallers(t *testing.T) {
	t.Parallel()
	f := newFakeEmbedder(t, embedLimits{context: 30, batch: 40, texts: 8}, PoolMean, false)
	e := startFake(t, f)
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range 50 {
				texts := make([]string, (g+i)%5)
				for k := range texts {
					texts[k] = strings.Repeat(fmt.Sprint(g, i, k), 1+(g+k)%4)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if (g+i)%7 == 0 {
					go cancel()
				}
				r, err := e.Embed(ctx, texts)
				cancel()
				if err != nil {
					if (g+i)%7 != 0 || !errors.Is(err, context.Canceled) {
						t.Errorf("caller %d, call %d: %v", g, i, err)
					}
					continue
				}
				for k, text := range texts {
					if want := f.vector(text, PoolMean, true); math.Abs(cosine(want, r.Vectors[k])-1) > 1e-6 {
						t.Errorf("caller %d, call %d, text %d: %v, want %v", g, i, k, r.Vectors[k], want)
					}
				}
			}
		})
	}
	wg.Wait()
}

func length(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

func cosine(a, b []float32) float64 {
	ab := 0.0
	for i, x := range a {
		ab += float64(x) * float64(b[i])
	}
	return ab / length(a) / length(b)
}
