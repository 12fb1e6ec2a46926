package llamacpp

import (
	"context"
	"math"

	"github.com/whetgo/whet/lm"
)

// embedJob is a call on its way through the embedder's goroutine.
type embedJob struct {
	ctx     context.Context
	done    chan error // holds one, so that the goroutine never waits for a caller
	texts   [][]int32  // tokens
	tokens  int        // of all texts
	next    int        // index of the text that has not been begun
	left    int        // texts without a vector
	vectors [][]float32
	ended   bool
}

func newEmbedJob(ctx context.Context, texts int) *embedJob {
	return &embedJob{
		ctx: ctx, done: make(chan error, 1),
		texts: make([][]int32, texts), left: texts, vectors: make([][]float32, texts),
	}
}

// embedText is a text that is being computed.
type embedText struct {
	job   *embedJob
	index int
	seq   int32     // or -1 where it has none yet
	done  int       // tokens that are computed
	sum   []float64 // of their states, where they were computed in several steps
}

func (t *embedText) tokens() []int32 { return t.job.texts[t.index] }

// vector makes a text's vector of the sum of states.
func (t *embedText) vector(sum []float64, pool Pool, normalize bool) ([]float32, error) {
	scale := 1.0
	if pool == PoolMean {
		scale = 1 / float64(len(t.tokens()))
	}
	if normalize {
		square := 0.0
		for _, x := range sum {
			square += x * x
		}
		scale = 1 / math.Sqrt(square)
	}
	if math.IsInf(scale, 0) || scale == 0 || math.IsNaN(scale) {
		return nil, failure(lm.ErrModel, "the vector of text %d has no direction: its numbers are all 0, or some are infinite or not a number; the model's weights are damaged, or of a type that overflows", t.index)
	}
	out := make([]float32, len(sum))
	for i, x := range sum {
		out[i] = float32(x * scale)
		if x := float64(out[i]); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, failure(lm.ErrModel, "the vector of text %d has the number %v; the model's weights are damaged, or of a type that overflows", t.index, x)
		}
	}
	return out, nil
}
