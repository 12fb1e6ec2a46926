package module_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// BenchmarkPredict measures what whet adds to a model call: the model answers at
// once.
func BenchmarkPredict(b *testing.B) {
	resp := &lm.Response{Text: reply("label", "ham")}
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return resp, nil })
	for _, demos := range []int{0, 8} {
		b.Run(fmt.Sprintf("demos=%d", demos), func(b *testing.B) {
			p := withDemos(b, model, demos)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Run(ctx, sms{"Your parcel waits, see the link."}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Predict takes at most 40 allocations, with demos and without.
func TestPredictAllocations(t *testing.T) { //nolint:paralleltest // allocations of other tests would count
	if race {
		t.Skip("the race detector allocates")
	}
	resp := &lm.Response{Text: reply("label", "ham")}
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return resp, nil })
	for _, demos := range []int{0, 8} {
		p := withDemos(t, model, demos)
		n := testing.AllocsPerRun(100, func() {
			if _, err := p.Run(t.Context(), sms{"Your parcel waits, see the link."}); err != nil {
				t.Fatal(err)
			}
		})
		if n > 40 {
			t.Errorf("%d demos: %v allocations a call", demos, n)
		}
	}
}

func withDemos(b testing.TB, model lm.LM, demos int) *module.Predict[sms, verdict] {
	b.Helper()
	p := module.MustPredict[sms, verdict](smsInstructions, module.WithLM(model))
	var state module.State
	for i := range demos {
		state.Demos = append(state.Demos, module.Demo{Fields: signature.RecordOf("text", fmt.Sprintf("message %d", i), "label", "ham")})
	}
	if err := p.Predictor().SetState(state); err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkPredictMemory makes a million calls and reports by how many bytes the
// heap has grown, which should be next to nothing.
func BenchmarkPredictMemory(b *testing.B) {
	const calls = 1_000_000
	resp := &lm.Response{Text: reply("label", "ham")}
	p := withDemos(b, lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return resp, nil }), 8)
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	ctx := context.Background()
	run := func(n int) {
		for range n {
			if _, err := p.Run(ctx, sms{"Your parcel waits, see the link."}); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		run(1000)
		before := live()
		run(calls)
		b.ReportMetric(float64(int64(live())-int64(before)), "heap-growth-B/1e6")
	}
}
