//go:build llamacpp

package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

// onEmbedders runs a test once for each of the two models, opened for embeddings.
func onEmbedders(t *testing.T, test func(*testing.T, *Embedder), opts ...EmbedOption) {
	t.Parallel()
	for _, name := range []string{"smollm2", "gemma"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := modelPath(t, "WHET_MODEL_"+strings.ToUpper(name))
			computing.Lock()
			defer computing.Unlock()
			test(t, openEmbedder(t, path, opts...))
		})
	}
}

func openEmbedder(t testing.TB, path string, opts ...EmbedOption) *Embedder {
	t.Helper()
	e, err := OpenEmbedder(path, append([]EmbedOption{Threads(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func embed(t testing.TB, e lm.Embedder, texts ...string) [][]float32 {
	t.Helper()
	r, err := e.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Vectors) != len(texts) {
		t.Fatalf("%d vectors of %d texts", len(r.Vectors), len(texts))
	}
	return r.Vectors
}

// mixed returns texts of 1 to some 60 words, no two alike.
func mixed(n int) []string {
	words := strings.Fields("the ferry leaves at noon and the harbour is full of boats that wait for rain " +
		"while somebody counts apples in a cellar under the old town hall and thinks of nothing at all")
	out := make([]string, n)
	for i := range out {
		length := 1 + i*i*7%60
		var b strings.Builder
		for k := range length {
			fmt.Fprintf(&b, "%s ", words[(i*5+k*(1+i%3))%len(words)])
		}
		out[i] = fmt.Sprintf("%s%d", b.String(), i)
	}
	return out
}

// A batch of texts of mixed lengths has the vectors of each text alone, in its order. The
// sums of attention are rounded by where in the cache a text lies; quantised weights make
// more of that, since the least difference may change what is rounded to 8 bits.
func TestEmbedBatch(t *testing.T) {
	onEmbedders(t, func(t *testing.T, e *Embedder) {
		compareBatch(t, e, 64, 0.997)
	})
}

// With weights of 32 bits nothing but the rounding is left.
func TestEmbedBatchExactly(t *testing.T) {
	t.Parallel()
	path := modelPath(t, "WHET_MODEL_SMOLLM2")
	computing.Lock()
	defer computing.Unlock()
	exact := filepath.Join(t.TempDir(), "f32.gguf")
	if err := quantize(path, exact, typeF32); err != nil {
		t.Fatal(err)
	}
	e := openEmbedder(t, exact)
	compareBatch(t, e, 32, 0.999999)
	quantised := openEmbedder(t, path)
	least := 1.0
	texts := mixed(8)
	a, b := embed(t, e, texts...), embed(t, quantised, texts...)
	for i := range texts {
		least = min(least, cosine(a[i], b[i]))
	}
	t.Logf("the quantised computation has vectors with a cosine of %.6f and more with these", least)
}

func compareBatch(t *testing.T, e *Embedder, n int, least float64) {
	t.Helper()
	texts := mixed(n)
	together := embed(t, e, texts...)
	steps := e.loop.stats.steps
	worst, sum := 1.0, 0.0
	for i, text := range texts {
		alone := embed(t, e, text)[0]
		if len(alone) != e.Dimensions() {
			t.Fatalf("%d numbers, and Dimensions is %d", len(alone), e.Dimensions())
		}
		if d := math.Abs(length(alone) - 1); d > 1e-6 {
			t.Errorf("text %d: the vector's length is off by %g", i, d)
		}
		c := cosine(alone, together[i])
		worst, sum = min(worst, c), sum+c
		for k := range texts { // in order: no other text's vector is nearer
			if k != i && cosine(alone, together[k]) >= c {
				t.Errorf("the vector of text %d is nearer to text %d alone", k, i)
			}
		}
	}
	t.Logf("%d texts in %d steps: the least cosine with the vector of the text alone is %.7f, the mean %.7f", n, steps, worst, sum/float64(n))
	if worst <= least {
		t.Errorf("a vector has the cosine %f with that of its text alone", worst)
	}
}

// A text that is computed in several steps has the vector that it has in one step.
func TestEmbedInParts(t *testing.T) {
	onPools(t, func(t *testing.T, path string, pool Pool) {
		whole := openEmbedder(t, path, Pooling(pool), BatchTokens(512))
		parts := openEmbedder(t, path, Pooling(pool), BatchTokens(96))
		long := strings.Join(mixed(12), ". ")
		if n, err := whole.CountTokens(t.Context(), long); err != nil || n < 200 || n > 400 {
			t.Fatal(n, err)
		}
		texts := append(mixed(3), long)
		a, b := embed(t, whole, texts...), embed(t, parts, texts...)
		if n := parts.loop.stats.steps; n < 3 {
			t.Errorf("%d steps", n)
		}
		for i := range texts {
			if c := cosine(a[i], b[i]); c < 0.995 {
				t.Errorf("text %d: cosine %f", i, c)
			}
		}
	})
}

// Our pooling is llama.cpp's own, which computes the logits besides.
func TestEmbedPoolsAsLlama(t *testing.T) {
	theirs := embedOption(func(c *embedConfig) { c.theirs = true })
	onPools(t, func(t *testing.T, path string, pool Pool) {
		ours := openEmbedder(t, path, Pooling(pool), Normalize(false), BatchTokens(64))
		ref := openEmbedder(t, path, Pooling(pool), Normalize(false), BatchTokens(64), theirs)
		worst := 0.0
		for i, text := range mixed(6) {
			a, b := embed(t, ours, text)[0], embed(t, ref, text)[0]
			for k := range a {
				d := math.Abs(float64(a[k]-b[k])) / (1 + math.Abs(float64(b[k])))
				if worst = max(worst, d); d > 1e-5 {
					t.Fatalf("text %d, number %d: %g, llama.cpp has %g", i, k, a[k], b[k])
				}
			}
		}
		t.Logf("the largest difference is %.2g", worst)
	})
}

// onPools runs a test for each model and way of pooling.
func onPools(t *testing.T, test func(t *testing.T, path string, pool Pool)) {
	t.Parallel()
	for _, variable := range []string{"WHET_MODEL_SMOLLM2", "WHET_MODEL_GEMMA"} {
		for _, pool := range []Pool{PoolMean, PoolCLS, PoolLast} {
			t.Run(variable+"/"+pool.String(), func(t *testing.T) {
				t.Parallel()
				path := modelPath(t, variable)
				computing.Lock()
				defer computing.Unlock()
				test(t, path, pool)
			})
		}
	}
}

// What a special token is written as is text: it has several tokens, and changes the
// vector as text does.
func TestEmbedSpecialTokens(t *testing.T) {
	onEmbedders(t, func(t *testing.T, e *Embedder) {
		for _, special := range []string{"<|im_end|>", "<|im_start|>", "<|endoftext|>", "<bos>", "<eos>", "<end_of_turn>", "<start_of_turn>", "<pad>", "<unk>", "</s>"} {
			plain, err := e.CountTokens(t.Context(), "hello")
			if err != nil {
				t.Fatal(err)
			}
			n, err := e.CountTokens(t.Context(), "hello"+special)
			if err != nil {
				t.Fatal(err)
			}
			if n < plain+3 {
				t.Errorf("%q adds %d tokens to a text", special, n-plain)
			}
		}
	})
}

func TestEmbedUnicode(t *testing.T) {
	onEmbedders(t, func(t *testing.T, e *Embedder) {
		texts := []string{"Übergrößenträger", "日本語のテキスト", "👩‍👩‍👧 🏴‍☠️", "a\x00b", "bad \xff\xfe utf-8 \xc3", "e\u0301", "مرحبا", "\n\t ", strings.Repeat("ß", 300)}
		for i, v := range embed(t, e, texts...) {
			if math.Abs(length(v)-1) > 1e-6 {
				t.Errorf("%q has the vector %v", texts[i], v[:4])
			}
		}
	})
}

func TestEmbedLimits(t *testing.T) {
	onEmbedders(t, func(t *testing.T, e *Embedder) {
		if e.MaxTokens() != 50 {
			t.Fatal(e.MaxTokens())
		}
		fits, n := "", 0
		for n < 50 { // exactly
			fits += " word"
			var err error
			if n, err = e.CountTokens(t.Context(), fits); err != nil {
				t.Fatal(err)
			}
		}
		embed(t, e, fits)
		_, err := e.Embed(t.Context(), []string{"short", fits + " word"})
		var over *lm.ContextLengthError
		if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &over) || over.Prompt != 51 || over.Limit != 50 || !strings.Contains(err.Error(), "text 1 ") {
			t.Errorf("a text that is too long: %v", err)
		}
		r, err := e.Embed(t.Context(), []string{"ok", ""})
		if n, _ := e.CountTokens(t.Context(), ""); n > 0 { // a BOS token
			if err != nil || len(r.Vectors) != 2 {
				t.Errorf("an empty text of %d tokens: %v", n, err)
			}
		} else if !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), "text 1 ") {
			t.Errorf("an empty text without tokens: %v", err)
		}
		if r, err := e.Embed(t.Context(), nil); err != nil || len(r.Vectors) != 0 {
			t.Errorf("no texts: %v %v", r, err)
		}
	}, ContextSize(50))
}

// Many callers at once get their own vectors, whatever is cancelled beside them.
func TestEmbedConcurrently(t *testing.T) {
	onEmbedders(t, func(t *testing.T, e *Embedder) {
		texts := mixed(24)
		want := embed(t, e, texts...)
		var wg sync.WaitGroup
		for g := range 12 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if g%4 == 3 {
					cancel()
				}
				at := g % 6 * 4
				r, err := e.Embed(ctx, texts[at:at+4])
				if g%4 == 3 {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("a cancelled call: %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				for i, v := range r.Vectors {
					if c := cosine(v, want[at+i]); c < 0.997 {
						t.Errorf("caller %d, text %d: cosine %f", g, i, c)
					}
				}
			})
		}
		wg.Wait()
	})
}

// A step that nobody waits for is stopped, and Close does not wait for it either.
func TestEmbedStops(t *testing.T) {
	t.Parallel()
	path := modelPath(t, "WHET_MODEL_SMOLLM2")
	computing.Lock()
	defer computing.Unlock()
	e := openEmbedder(t, path, BatchTokens(2048))
	long := []string{strings.Repeat("all work and no play makes a dull day ", 200)}
	e.engine.abort(true) // llama.cpp leaves a step that it has begun
	if _, err := e.Embed(t.Context(), long); !errors.Is(err, lm.ErrUnavailable) || e.loop.stats.evaluated != 0 {
		t.Fatalf("%d tokens were computed to the end: %v", e.loop.stats.evaluated, err)
	}
	many := slices.Repeat(long, 100)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := e.Embed(ctx, many); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	embed(t, e, "and the next call is computed")
	closing := make(chan error, 1)
	go func() {
		_, err := e.Embed(t.Context(), many)
		closing <- err
	}()
	for computed := false; !computed; runtime.Gosched() {
		e.loop.mu.Lock()
		computed = len(e.loop.inStep) > 0
		e.loop.mu.Unlock()
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-closing; !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("a call during Close: %v", err)
	}
	if _, err := e.Embed(t.Context(), long); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("a call after Close: %v", err)
	}
	if _, err := e.CountTokens(t.Context(), "a"); !errors.Is(err, lm.ErrUnavailable) {
		t.Errorf("CountTokens after Close: %v", err)
	}
}

func TestOpenEmbedderRefuses(t *testing.T) {
	t.Parallel()
	path := modelPath(t, "WHET_MODEL_SMOLLM2")
	if _, err := OpenEmbedder(path, ContextSize(1<<20)); !errors.Is(err, lm.ErrModel) {
		t.Errorf("a context that is too long: %v", err)
	}
	if _, err := OpenEmbedder(t.TempDir()); !errors.Is(err, lm.ErrModel) {
		t.Errorf("a directory: %v", err)
	}
	for _, u := range unfitModels {
		if u.architecture == "t5encoder" {
			continue // has vectors, but the file has no tokenizer
		}
		_, err := OpenEmbedder(tinyModel(t, u.architecture, u.metadata, u.tensors))
		if !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), u.kind) {
			t.Errorf("a %s model: %v", u.kind, err)
		}
	}
	tiny := tinyModel(t, "llama", append([]metadata{{"rope.dimension_count", uint32(8)}}, feedForward...), attentionLayer)
	if _, err := OpenEmbedder(tiny); !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), "tokenizer") {
		t.Errorf("a model without a tokenizer: %v", err)
	}
}

// In these, two sentences say nearly the same, and the third is about something else.
var triplets = [][3]string{
	{"The cat sleeps on the sofa.", "A kitten is dozing on the couch.", "The bank has raised its interest rates."},
	{"How do I reset my password?", "I forgot my password and need a new one.", "The soup needs more salt."},
	{"The train to Leeds is late.", "Our rail service is delayed.", "She planted tulips in the garden."},
	{"It will rain tomorrow.", "Tomorrow's forecast is wet.", "The court found him guilty."},
	{"He plays the violin well.", "He is a skilled violinist.", "The bridge is closed to lorries."},
	{"The shop sells fresh bread.", "You can buy newly baked loaves at the bakery.", "The satellite orbits the Earth."},
	{"My phone's battery is empty.", "The mobile has run out of power.", "They married in a small church."},
	{"The doctor gave her antibiotics.", "A physician prescribed medicine for the infection.", "The team lost the final match."},
	{"Prices have gone up this year.", "Everything costs more than last year.", "The lake freezes in winter."},
	{"The children are playing outside.", "Kids are having fun in the yard.", "The compiler reports a syntax error."},
}

// On average, sentences that say the same are nearer to each other. These models were not
// trained for vectors, so that no more is asked of them.
func TestEmbedRelated(t *testing.T) {
	onEmbedders(t, func(t *testing.T, e *Embedder) {
		right, related, unrelated := 0, 0.0, 0.0
		for _, tr := range triplets {
			v := embed(t, e, tr[:]...)
			near, far := cosine(v[0], v[1]), cosine(v[0], v[2])
			if near > far {
				right++
			}
			related, unrelated = related+near/float64(len(triplets)), unrelated+far/float64(len(triplets))
		}
		t.Logf("%d of %d triplets in order; the mean cosine of related sentences is %.4f, of others %.4f", right, len(triplets), related, unrelated)
		if related <= unrelated {
			t.Error("related sentences are not nearer to each other")
		}
	})
}
