//go:build llamacpp

package llamacpp

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

// The trial ends in time, its choice is one of the forms that it tried, and the model
// answers. Opened again, it is the same model without a trial.
func TestWeightsTrial(t *testing.T) {
	t.Parallel()
	path, dir := modelPath(t, "WHET_MODEL_SMOLLM2"), t.TempDir()
	computing.Lock()
	defer computing.Unlock()
	open := func() (*Model, time.Duration) {
		start := time.Now()
		m, err := Open(provider+":"+path, ContextSize(1024), CacheDir(dir))
		if err != nil {
			t.Fatal(err)
		}
		return m, time.Since(start)
	}
	m, took := open()
	defer m.Close()
	first := m.Weights()
	t.Logf("the first Open took %.2f s: %s", took.Seconds(), first)
	// The rounds are what the trial can answer for, not how long a busy machine takes to
	// write the files; and where it was busy in the rounds, too, they may take longer.
	limit, rounds := 20*time.Second, time.Duration(0)
	for _, w := range first.Timings {
		if slices.Max(w.Repeats) > slices.Min(w.Repeats)*5/4 {
			limit = 2 * time.Minute
		}
		for _, r := range w.Repeats {
			rounds += r
		}
	}
	if rounds > limit {
		t.Errorf("the rounds took %v: %v", rounds, first.Timings)
	}
	if len(first.Timings) != 4 || !strings.HasPrefix(first.Shipped, "Q4_1") || first.Stored {
		t.Errorf("the report is %+v", first)
	}
	if !slices.ContainsFunc(first.Timings, func(w WeightTiming) bool { return w.Type == first.Type }) {
		t.Errorf("%s was not tried", first.Type)
	}
	if suffix := "+" + string(first.Type); first.Type != WeightsAsShipped && !strings.HasSuffix(m.Name(), suffix) {
		t.Errorf("the name %s does not end with %s", m.Name(), suffix)
	}
	r, err := m.Generate(t.Context(), &lm.Request{Prompt: "The capital of France is", MaxTokens: 3})
	if err != nil || !strings.Contains(r.Text, "Paris") {
		t.Errorf("%+v, %v", r, err)
	}
	again, took := open()
	defer again.Close()
	t.Logf("the second Open took %.2f s", took.Seconds())
	if second := again.Weights(); !second.Stored || second.Type != first.Type || second.Path != first.Path || again.Name() != m.Name() {
		t.Errorf("the second report is %+v", second)
	}
	rest, err := filepath.Glob(filepath.Join(dir, "weights", "*", "*.gguf"))
	if err != nil || first.Type != WeightsAsShipped && !slices.Equal(rest, []string{first.Path}) {
		t.Errorf("the cache holds %v, %v", rest, err)
	}
}

// The same weights as 32-bit numbers tell what is exact. With 16 bits the probabilities of
// a choice are nearer to that than with the file as shipped, whose products are computed
// with 8 bits of the other factor: a form with more bits costs no exactness.
func TestWeightsProbabilities(t *testing.T) {
	onModels(t, func(t *testing.T, tm *testModel, m *Model) {
		tests := choiceTests(t, m)[:weightsTests]
		dir := t.TempDir()
		evaluate := func(w WeightType, fileType int) []float64 {
			path := modelPath(t, tm.variable)
			if w != WeightsAsShipped {
				path = filepath.Join(dir, string(w)+".gguf")
				if err := quantize(modelPath(t, tm.variable), path, fileType); err != nil {
					t.Fatal(err)
				}
			}
			ref := newReference(t, path)
			var out []float64
			for _, test := range tests {
				out = append(out, test.probabilities(t, ref)...)
			}
			return out
		}
		exact, shipped := evaluate("f32", typeF32), evaluate(WeightsAsShipped, 0)
		distances := func(a, b []float64) (largest, median float64) {
			var d []float64
			for k := range a {
				d = append(d, math.Abs(a[k]-b[k]))
			}
			slices.Sort(d)
			return d[len(d)-1], d[len(d)/2]
		}
		far, farMedian := distances(exact, shipped)
		t.Logf("as shipped: a probability is %.1e from the exact one at most, in the median %.1e", far, farMedian)
		for _, f := range forms {
			got := evaluate(f.weights, f.fileType)
			largest, median := distances(exact, got)
			fromShipped, fromMedian := distances(shipped, got)
			t.Logf("%s: %.1e and %.1e, and from the file as shipped %.1e and %.1e", f.weights, largest, median, fromShipped, fromMedian)
			if f.bits() == 16 && (largest > 4e-2 || median > farMedian) {
				t.Errorf("%s: a probability is %.3f from the exact one, in the median %.3f", f.weights, largest, median)
			}
			if fromShipped > 0.2 {
				t.Errorf("%s: a probability is %.3f from that of the file as shipped", f.weights, fromShipped)
			}
		}
	})
}

const weightsTests = 3

// probabilities evaluates each alternative from scratch.
func (c choiceTest) probabilities(t *testing.T, ref *reference) []float64 {
	t.Helper()
	shared := len(c.all[0])
	for _, tokens := range c.all {
		shared = min(shared, common(c.all[0], tokens))
	}
	scores := make([]float64, len(c.all))
	for k, tokens := range c.all {
		scores[k] = ref.logProb(t, tokens, shared)
	}
	return softmax(scores, 1)
}

// A fixed form that cannot be written is an error that says what to do; a trial that
// cannot be written is none.
func TestWeightsNoCache(t *testing.T) {
	t.Parallel()
	path := modelPath(t, "WHET_MODEL_SMOLLM2")
	_, err := Open(path, Weights(WeightsF16), CacheDir(path))
	if !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), "CacheDir") {
		t.Errorf("a fixed form without a cache: %v", err)
	}
	if _, err := Open(path, Weights("q2_k")); !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), "bf16") {
		t.Errorf("an unknown form: %v", err)
	}
	if _, err := Open("llamacpp:"); !errors.Is(err, lm.ErrInvalidRequest) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open("llamacpp:" + filepath.Join(t.TempDir(), "none.gguf")); !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), "make models") {
		t.Errorf("a file that is not there: %v", err)
	}
	m, err := Open(path, ContextSize(256), Threads(1), CacheDir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if r := m.Weights(); r.Type != WeightsAsShipped || r.Path != path || !strings.Contains(r.Reason, "not a directory") || strings.Contains(m.Name(), "+") {
		t.Errorf("without a cache: %s is %+v", m.Name(), r)
	}
}
