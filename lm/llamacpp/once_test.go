package llamacpp

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// A data set is computed in as many tokens as there are different ones: each token with
// what stands before it once, whatever the order and however many run at once.
func TestEachTokenOnce(t *testing.T) {
	t.Parallel()
	label := lm.Segment{Hole: lm.HoleChoice, Name: "label", Choices: labels(" ham", " spam", " spammer", " spamxx")}
	sure := lm.Segment{Hole: lm.HoleBool, Name: "sure"}
	var requests []*lm.Request
	for candidate := range 3 {
		demos := strings.Repeat(fmt.Sprintf("Text: demo %d\nLabel: ham\n", candidate), 6)
		for row := range 50 {
			shape := []lm.Segment{label, {Literal: "\n"}}
			if row%5 == 0 {
				shape = []lm.Segment{label, {Literal: "\nSure: "}, sure, {Literal: "\n"}}
			}
			requests = append(requests, &lm.Request{
				Prompt: fmt.Sprintf("Sort these.\n%sText: %c%c row %d of some\nLabel:", demos, 'a'+row%3, 'a'+row%7, row),
				Shape:  &lm.Shape{Segments: shape},
			})
		}
	}
	for _, slots := range []int{1, 4, 16} {
		for _, order := range []string{"in order", "interleaved"} {
			t.Run(fmt.Sprint(slots, " slots, ", order), func(t *testing.T) {
				t.Parallel()
				m, f := openFakeWith(t, 1<<14, config{slots: slots, queue: 64, cache: 1 << 14})
				var usage lm.Usage
				var mu sync.Mutex
				var wg sync.WaitGroup
				work := make(chan *lm.Request)
				for range 2 * slots {
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
				for i := range requests {
					if order == "interleaved" {
						i = i%3*50 + i/3
					}
					work <- requests[i]
				}
				close(work)
				wg.Wait()
				stats := m.Stats()
				require.Equal(t, f.given, stats.Handed)
				require.Equal(t, stats.Computed, usage.ComputedTokens)
				require.Equal(t, stats.Computed, f.given)
				require.Zero(t, usage.CompletionTokens)
				require.LessOrEqual(t, float64(f.given), 1.02*float64(len(f.seen)), "%d tokens evaluated, %d different ones", f.given, len(f.seen))
				t.Logf("%d tokens evaluated, %d different ones", f.given, len(f.seen))
				if slots == 1 {
					require.Equal(t, stats.Computed, usage.PromptTokens-usage.CachedTokens+usage.ForcedTokens)
				}
			})
		}
	}
}

// recorder is an engine that notes each token that it is given with all that stands
// before it.
type recorder struct {
	engine
	seqs  map[int32][]int32
	seen  map[uint64]bool
	given int
}

func newRecorder(e engine) *recorder {
	return &recorder{engine: e, seqs: map[int32][]int32{}, seen: map[uint64]bool{}}
}

func (r *recorder) decode(b *batch) error {
	for i, token := range b.token {
		for _, id := range b.owners[i] {
			r.seqs[id] = append(r.seqs[id], token)
		}
		r.seen[fakeHash(r.seqs[b.owners[i][0]])] = true
	}
	r.given += b.len()
	return r.engine.decode(b)
}

func (r *recorder) copySeq(src, dst int32, n int) {
	r.seqs[dst] = append(r.seqs[dst][:0], r.seqs[src][:n]...)
	r.engine.copySeq(src, dst, n)
}

func (r *recorder) cutSeq(seq int32, n int) bool {
	ok := r.engine.cutSeq(seq, n)
	if ok {
		r.seqs[seq] = r.seqs[seq][:min(n, len(r.seqs[seq]))]
	}
	return ok
}
