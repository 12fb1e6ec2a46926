package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// stressRequest is one of some hundred requests of mixed lengths and shapes.
func stressRequest(kind int) *lm.Request {
	prompt := fmt.Sprintf("%[1]s%[1]s%[2]d:", "Text: abc Label: ham\n"[:kind%21+1], kind)
	r := &lm.Request{Prompt: prompt, MaxTokens: 1 + kind%9, Seed: lm.Seed(uint64(kind))}
	choice := lm.Segment{Hole: lm.HoleChoice, Name: "label", Choices: labels(" ham", " spam", " spammer")}
	switch kind % 7 {
	case 0, 1:
		r.Shape = &lm.Shape{Segments: []lm.Segment{choice, {Literal: "\n\n"}}}
	case 2:
		r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleText}, {Literal: "\nLabel:"}, choice, {Literal: "."}}}
	case 3:
		r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(`{"type": "array", "items": {"type": "integer"}, "maxItems": 4}`)}, {Literal: "\n"}, {Hole: lm.HoleBool}}}
	case 4:
		r.Temperature, r.TopK = lm.Temperature(1.5), 30
	case 5:
		r.Messages, r.Prompt = []lm.Message{lm.User(prompt)}, ""
		r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HolePattern, Pattern: `[a-z]{1,6}`}}}
	}
	return r
}

// Every request is answered as it is alone, or fails for its context; no cell and no
// memory is lost. It is not parallel, since it looks at the heap of the process.
func TestStress(t *testing.T) {
	const kinds, callers = 210, 64
	each := 1000
	if testing.Short() {
		each = 50
	}
	want := make([]*lm.Response, kinds)
	alone, _ := openFakeWith(t, 512, config{slots: 1, queue: 1, maxTokens: 40})
	for kind := range want {
		var err error
		want[kind], err = alone.Generate(t.Context(), stressRequest(kind))
		require.NoError(t, err)
	}
	alone.Close()
	m, f := openFakeWith(t, 1024, config{slots: 8, queue: 32, maxTokens: 40}, func(f *fakeEngine) { f.facts.patience = 800 })
	f.forget = true
	var answered, ended, failed atomic.Int64
	round := func(from, to int) (heap uint64) {
		var wg sync.WaitGroup
		for caller := range callers {
			ctx := t.Context()
			if caller%4 == 0 {
				ctx = lm.WithQueue(ctx)
			}
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(caller), uint64(from)))
				for range to - from {
					kind := rng.IntN(kinds)
					ctx, cancel := context.WithTimeout(ctx, time.Hour)
					switch after := time.Duration(rng.IntN(3000)) * time.Microsecond; rng.IntN(10) {
					case 0:
						cancel()
						ctx, cancel = context.WithTimeout(t.Context(), after)
					case 1:
						time.AfterFunc(after, cancel)
					}
					got, err := m.Generate(ctx, stressRequest(kind))
					switch {
					case err == nil && alike(got, want[kind]):
						answered.Add(1)
					case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
						ended.Add(1)
					case failed.Add(1) < 5:
						t.Errorf("request of kind %d: %+v %v", kind, got, err)
					}
					cancel()
				}
			})
		}
		wg.Wait()
		runtime.GC()
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		return mem.HeapAlloc
	}
	early := round(0, each/10)
	late := round(each/10, each)
	m.Close()
	require.Zero(t, failed.Load())
	require.EqualValues(t, callers*each, answered.Load()+ended.Load())
	require.Positive(t, ended.Load())
	require.Greater(t, answered.Load(), ended.Load())
	require.Less(t, int64(late)-int64(early), int64(4<<20), "the heap has grown from %d bytes", early)
	t.Logf("%d answered, %d ended early, %d steps, most cells in use %d", answered.Load(), ended.Load(), m.Stats().Steps, f.peak)
	checkAccount(t, m, f)
}
