//go:build llamacpp

package llamacpp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// ofAllKinds are requests of all kinds with prefixes in common.
func ofAllKinds(n int) []*lm.Request {
	shared := "Say whether the message is ham, spam or smishing.\n\n" + strings.Repeat("Text: see you at the station at nine\nLabel: ham\n\n", 3)
	out := make([]*lm.Request, n)
	for i := range out {
		text := fmt.Sprintf("Text: message %d, call %d now and win %d pounds\n", i, i*7919%1000, i*31%97)
		label := lm.Segment{Hole: lm.HoleChoice, Name: "label", Choices: labels(" ham", " spam", " smishing")}
		r := &lm.Request{Prompt: shared + text + "Label:", Shape: &lm.Shape{Segments: []lm.Segment{label, {Literal: "\n"}}}}
		switch i % 5 {
		case 1:
			r = &lm.Request{Prompt: shared + text + "Why:", MaxTokens: 6 + i%11, Stop: []string{"\n"}, Logprobs: true, TopLogprobs: 2}
		case 2:
			r = &lm.Request{Messages: []lm.Message{lm.System("Answer in one word."), lm.User(text + "Is it spam?")}, MaxTokens: 5, Temperature: lm.Temperature(0.8), TopP: lm.Temperature(0.9), Seed: lm.Seed(uint64(i))}
		case 3:
			r.Shape = &lm.Shape{Segments: []lm.Segment{label, {Literal: "\nPounds:"}, {Literal: " "}, {Hole: lm.HoleInt, Name: "pounds"}, {Literal: "\n"}, {Hole: lm.HoleBool, Name: "sure"}, {Literal: "\n"}}}
		case 4:
			r.Shape = &lm.Shape{Segments: []lm.Segment{{Literal: " "}, {Hole: lm.HoleJSON, Name: "json", Schema: []byte(`{"type": "object", "properties": {"label": {"enum": ["ham", "spam"]}, "words": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 3}}, "required": ["label", "words"]}`)}}}
			r.MaxTokens = 24
		}
		out[i] = r
	}
	return out
}

// same compares two replies to the last bit, but for what was cached.
func same(a, b *lm.Response) error {
	x, y := *a, *b
	x.Usage, y.Usage = lm.Usage{}, lm.Usage{}
	if s, t := fmt.Sprintf("%#v", x), fmt.Sprintf("%#v", y); s != t {
		return fmt.Errorf("%s\nis not\n%s", s, t)
	}
	return nil
}

func openOn(t testing.TB, tm *testModel, options ...Option) *Model {
	t.Helper()
	m, err := Open(modelPath(t, tm.variable), append(append([]Option{ContextSize(4096), Weights(WeightsAsShipped)}, tm.options...), options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// A Deterministic model answers each request as a fresh model would, to the last bit,
// whatever it has done before and whatever waits beside.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	for _, tm := range models {
		t.Run(tm.name, func(t *testing.T) {
			t.Parallel()
			modelPath(t, tm.variable)
			computing.Lock()
			defer computing.Unlock()
			requests := ofAllKinds(tm.few)
			want := make([]*lm.Response, len(requests))
			for i, r := range requests {
				m := openOn(t, tm, Deterministic())
				var err error
				want[i], err = m.Generate(t.Context(), r)
				require.NoError(t, err)
				m.Close()
			}
			m := openOn(t, tm, Deterministic())
			var reused atomic.Int32
			for round := range uint64(2) {
				var wg sync.WaitGroup
				for _, i := range rand.New(rand.NewPCG(round, 5)).Perm(len(requests)) {
					wg.Go(func() {
						got, err := m.Generate(t.Context(), requests[i])
						if err != nil {
							t.Error(i, err)
						} else if err := same(got, want[i]); err != nil {
							t.Errorf("request %d: %v", i, err)
						} else if got.Usage.CachedTokens > 0 {
							reused.Add(1)
						}
					})
					if round == 0 {
						wg.Wait() // one after the other
					}
				}
				wg.Wait()
			}
			require.Positive(t, reused.Load(), "no prefix was taken over")
		})
	}
}

// How often a model that is not Deterministic answers as it would for one request
// alone is printed, not demanded.
func TestAgreementInCompany(t *testing.T) {
	t.Parallel()
	for _, tm := range models {
		t.Run(tm.name, func(t *testing.T) {
			t.Parallel()
			modelPath(t, tm.variable)
			computing.Lock()
			defer computing.Unlock()
			requests := ofAllKinds(3 * tm.few)
			alone, together := openOn(t, tm, Slots(1)), openOn(t, tm)
			want := make([]*lm.Response, len(requests))
			for i, r := range requests {
				var err error
				want[i], err = alone.Generate(t.Context(), r)
				require.NoError(t, err)
			}
			var mu sync.Mutex
			var wg sync.WaitGroup
			agree := 0
			for i, r := range requests {
				wg.Go(func() {
					got, err := together.Generate(t.Context(), r)
					if err != nil {
						t.Error(i, err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if got.Text == want[i].Text {
						agree++
					}
				})
			}
			wg.Wait()
			t.Logf("%d of %d replies are the same in company", agree, len(requests))
			require.Greater(t, 2*agree, len(requests))
		})
	}
}

// A text that grows has the tokens that it would have at once, in real vocabularies.
func TestExtendReal(t *testing.T) {
	onModels(t, func(t *testing.T, _ *testModel, m *Model) {
		checkExtend(t, m.engine, 4)
		checkPrompts(t, m.engine, 150)
	})
}
