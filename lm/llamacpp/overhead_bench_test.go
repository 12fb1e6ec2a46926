//go:build llamacpp

package llamacpp

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

// stopwatch is an engine that sums up the time in llama_decode: of all steps, of those
// that llama.cpp attends to token by token, and of those that it does in tiles of 64.
type stopwatch struct {
	engine
	decoding time.Duration
	short    stepTime // less than 64 tokens
	long     stepTime // at least 256
}

type stepTime struct {
	tokens int
	time   time.Duration
}

// report reports the time of a token in steps of that kind, if there were any.
func (s stepTime) report(b *testing.B, unit string) {
	if s.tokens > 0 {
		b.ReportMetric(s.time.Seconds()*1000/float64(s.tokens), unit)
	}
}

func (s *stopwatch) decode(b *batch) error {
	start := time.Now()
	defer func() {
		took := time.Since(start)
		s.decoding += took
		kind := &stepTime{}
		switch n := b.len(); {
		case n < 64:
			kind = &s.short
		case n >= 256:
			kind = &s.long
		}
		kind.tokens += b.len()
		kind.time += took
	}()
	return s.engine.decode(b)
}

// BenchmarkOverhead measures what part of the time is spent outside of llama_decode
// while 16 requests run at once: classifications, free text, and JSON under a grammar.
func BenchmarkOverhead(b *testing.B) {
	story := func(shape *lm.Shape) []*lm.Request {
		out := make([]*lm.Request, 32)
		for i := range out {
			out[i] = &lm.Request{Prompt: fmt.Sprintf("%sStory %d:\n", strings.Repeat("A story has a beginning and an end. ", 20), i), MaxTokens: 48, Seed: lm.Seed(uint64(i)), Shape: shape}
		}
		return out
	}
	list := &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(`{"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0, "maximum": 120}}, "required": ["name", "age"]}, "minItems": 9}`)}}}
	for _, tm := range models {
		for _, work := range []struct {
			name     string
			requests []*lm.Request
		}{{"choices", classification()}, {"text", story(nil)}, {"json", story(list)}} {
			b.Run(tm.name+"/"+work.name, func(b *testing.B) {
				cfg, err := newConfig(append([]Option{ContextSize(4096), Slots(16)}, tm.options...))
				if err != nil {
					b.Fatal(err)
				}
				e, reason := load(modelPath(b, tm.variable), cfg)
				if e == nil {
					b.Fatal(reason)
				}
				watch := &stopwatch{engine: e}
				m, err := newModel(watch, cfg)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					var wg sync.WaitGroup
					for _, r := range work.requests {
						wg.Go(func() {
							if _, err := m.Generate(b.Context(), r); err != nil {
								b.Error(err)
							}
						})
					}
					wg.Wait()
				}
				b.StopTimer()
				m.Close()
				b.ReportMetric(100-100*watch.decoding.Seconds()/b.Elapsed().Seconds(), "%-outside")
				b.ReportMetric(float64(m.Stats().Steps)/float64(b.N), "steps/op")
				watch.short.report(b, "ms/token-short")
				watch.long.report(b, "ms/token-long")
			})
		}
	}
}
