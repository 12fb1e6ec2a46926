package llamacpp

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func anyToken(int32) bool { return true }

// counts draws n times and returns how often each token came.
func counts(logits []float32, how sampling, admits func(int32) bool, n int) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]float64, len(logits))
	var s sampler
	for range n {
		out[s.sample(logits, how, rng.Float64, admits)] += 1 / float64(n)
	}
	return out
}

func TestSampleCuts(t *testing.T) {
	t.Parallel()
	// Probabilities 0.4, 0.3, 0.2, 0.1 in another order.
	logits := []float32{float32(math.Log(0.2)), float32(math.Log(0.4)), float32(math.Log(0.1)), float32(math.Log(0.3))}
	for _, test := range []struct {
		name   string
		how    sampling
		admits func(int32) bool
		want   []float64
	}{
		{"all", sampling{temperature: 1, topP: 1}, anyToken, []float64{0.2, 0.4, 0.1, 0.3}},
		{"temperature", sampling{temperature: 0.5, topP: 1}, anyToken, []float64{4. / 30, 16. / 30, 1. / 30, 9. / 30}},
		{"top p", sampling{temperature: 1, topP: 0.6}, anyToken, []float64{0, 4. / 7, 0, 3. / 7}},
		{"top k", sampling{temperature: 1, topP: 1, topK: 3}, anyToken, []float64{2. / 9, 4. / 9, 0, 3. / 9}},
		{"top k and p", sampling{temperature: 1, topP: 0.5, topK: 3}, anyToken, []float64{0, 4. / 7, 0, 3. / 7}},
		{"min p", sampling{temperature: 1, topP: 1, minP: 0.6}, anyToken, []float64{0, 4. / 7, 0, 3. / 7}},
		{"what is not admitted leaves its share to the others", sampling{temperature: 1, topP: 1}, func(t int32) bool { return t != 1 }, []float64{2. / 6, 0, 1. / 6, 3. / 6}},
		{"nothing left after the cut", sampling{temperature: 1, topP: 1, topK: 2}, func(t int32) bool { return t == 2 || t == 0 }, []float64{1, 0, 0, 0}},
		{"hardly any temperature", sampling{temperature: 1e-300, topP: 1}, anyToken, []float64{0, 1, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.InDeltaSlice(t, test.want, counts(logits, test.how, test.admits, 40000), 0.012)
		})
	}
	var s sampler
	require.EqualValues(t, -1, s.sample(logits, sampling{temperature: 1, topP: 1}, func() float64 { return 0.5 }, func(int32) bool { return false }))
}

func TestSamplerTop(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	logits := make([]float32, 500)
	for i := range logits {
		logits[i] = float32(rng.IntN(60)) // with many that are equal
	}
	want := make([]int32, len(logits))
	for i := range want {
		want[i] = int32(i)
	}
	slices.SortStableFunc(want, func(a, b int32) int { return int(logits[b]) - int(logits[a]) })
	var s sampler
	for _, n := range []int{0, 1, 5, firstLook, firstLook + 1, 200, 500, 600} {
		require.Equal(t, want[:min(n, len(want))], append([]int32{}, s.top(logits, n)...))
	}
	for _, at := range []int{0, 3, firstLook - 1, firstLook, 499} {
		require.Equal(t, want[at], s.best(logits, func(token int32) bool { return token == want[at] }))
	}
	require.EqualValues(t, -1, s.best(logits, func(int32) bool { return false }))
}
