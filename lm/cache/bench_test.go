package cache_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// benchKeys is how many requests the benchmarks ask in turn.
const benchKeys = 500

// benchRequests are requests of 2 KB, as a prompt with some demos takes.
func benchRequests() []*lm.Request {
	var requests []*lm.Request
	for i := range benchKeys {
		requests = append(requests, &lm.Request{
			Messages: []lm.Message{
				lm.System(strings.Repeat("Instructions. ", 100)),
				lm.User(fmt.Sprintf("Message %d. %s", i, strings.Repeat("Text. ", 100))),
			},
			Temperature: lm.Temperature(0), MaxTokens: 100,
		})
	}
	return requests
}

// fill stores a reply of 200 bytes to each request, and returns a model that cannot answer
// behind the store.
func fill(b *testing.B, s *cache.Store, requests []*lm.Request) lm.LM {
	b.Helper()
	model := &fake{name: "m", answer: func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: strings.Repeat("Reply. ", 30), Finish: lm.FinishStop, Usage: paid}, nil
	}}
	for _, r := range requests {
		ask(b, s.Wrap(model), r)
	}
	return s.Wrap(mute("m"))
}

func hits(b *testing.B, s *cache.Store) {
	requests := benchRequests()
	m := fill(b, s, requests)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := m.Generate(b.Context(), requests[i%benchKeys]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHit answers from memory.
func BenchmarkHit(b *testing.B) { hits(b, open(b, tempFile(b))) }

// BenchmarkDiskHit answers from the file.
func BenchmarkDiskHit(b *testing.B) { hits(b, open(b, tempFile(b), cache.MemoryBytes(0))) }

// BenchmarkHitParallel answers 8 goroutines from memory.
func BenchmarkHitParallel(b *testing.B) {
	s := open(b, tempFile(b))
	requests := benchRequests()
	m := fill(b, s, requests)
	b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
	var worker atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := int(worker.Add(1)) * 50; pb.Next(); i++ {
			if _, err := m.Generate(context.Background(), requests[i%benchKeys]); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hits/s")
}

// BenchmarkStore stores answers, one after the other.
func BenchmarkStore(b *testing.B) {
	s := open(b, tempFile(b))
	m := s.Wrap(numberedModel())
	for i := 0; b.Loop(); i++ {
		if _, err := m.Generate(b.Context(), numbered(i)); err != nil {
			b.Fatal(err)
		}
	}
}
