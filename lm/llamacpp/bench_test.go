//go:build llamacpp

package llamacpp

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
)

// classification is 100 requests for a label, like those of a program with the
// Compact adapter: some 420 tokens that all share, and 30 that vary.
func classification() []*lm.Request {
	var shared strings.Builder
	shared.WriteString("Say whether the message is ham, spam or smishing.\n\n")
	shots := [][2]string{
		{"are we still on for the market on saturday? mum wants to come along too, she asked twice", "ham"},
		{"CONGRATULATIONS! your number was drawn for a week in the sun, text YES to 80808, 1.50 a message", "spam"},
		{"Your account at Northern Savings was limited. Confirm who you are: nsv-check.example/login", "smishing"},
		{"train is late again, start without me and keep a plate warm please", "ham"},
		{"New tones every day! Reply TONE and get the first three free, then 3.00 a week, STOP ends it", "spam"},
		{"Postal office: parcel 88213 waits for a fee of 1.99, pay today at prcl-office.example/88213", "smishing"},
		{"did you see the goal?? unbelievable, call me when you are home", "ham"},
		{"Only today: two pizzas for one at Luigi's, show this text at the counter in Dock Street", "spam"},
		{"Tax refund of 312.40 is ready for you, enter your card within 24 hours: refund.example/id", "smishing"},
		{"ok see you there, i bring the tent and you bring the stove, it may rain all week", "ham"},
	}
	for _, s := range shots {
		fmt.Fprintf(&shared, "Text: %s\nLabel: %s\n\n", s[0], s[1])
	}
	shape := &lm.Shape{Segments: []lm.Segment{
		{Literal: " "},
		{Hole: lm.HoleChoice, Name: "label", Choices: labels("ham", "spam", "smishing")},
		{Literal: "\n"},
	}}
	out := make([]*lm.Request, 100)
	for i := range out {
		out[i] = &lm.Request{Shape: shape, Prompt: shared.String() + fmt.Sprintf(
			"Text: call %d on line %d about the boat, %d people have asked for it and the price goes up\nLabel:", i, i*37%91, i*53%97)}
	}
	return out
}

// BenchmarkClassify measures 100 classifications by as many callers as there are
// slots, each benchmark iteration from a cold cache.
func BenchmarkClassify(b *testing.B) {
	for _, tm := range models {
		for _, slots := range []int{1, 8, 16} {
			b.Run(fmt.Sprintf("%s/slots=%d", tm.name, slots), func(b *testing.B) {
				requests := classification()
				for b.Loop() {
					b.StopTimer()
					m, err := Open(modelPath(b, tm.variable), ContextSize(4096), Slots(slots), Weights(WeightsAsShipped))
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					var prompt, cached int64
					var mu sync.Mutex
					var wg sync.WaitGroup
					rows := make(chan *lm.Request)
					for range 2 * slots {
						wg.Go(func() {
							for r := range rows {
								resp, err := m.Generate(b.Context(), r)
								if err != nil {
									b.Error(err)
									continue
								}
								mu.Lock()
								prompt, cached = prompt+int64(resp.Usage.PromptTokens), cached+int64(resp.Usage.CachedTokens)
								mu.Unlock()
							}
						})
					}
					for _, r := range requests {
						rows <- r
					}
					close(rows)
					wg.Wait()
					b.StopTimer()
					m.Close()
					b.ReportMetric(float64(prompt)/float64(len(requests)), "prompt-tok/row")
					b.ReportMetric(float64(m.scheduler.stats.Computed)/float64(len(requests)), "computed-tok/row")
					b.StartTimer()
				}
				b.ReportMetric(float64(len(requests)*b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
