package assert_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
)

// faulty is a model that breaks a requirement with probability fail and, shown what was
// wrong, meets it with probability repair.
type faulty struct {
	rng          *rand.Rand
	fail, repair float64
	calls        int
}

var queried, failed, met = reply("query", "q"), reply("answer", "bad"), reply("answer", "good")

// Generate implements lm.LM, for one caller at a time.
func (m *faulty) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	m.calls++
	last := r.Messages[len(r.Messages)-1].Text()
	text := met
	switch {
	case strings.Contains(last, "[[ ## question ## ]]"):
		text = queried
	case strings.Contains(last, "[[ ## feedback ## ]]"):
		if m.rng.Float64() >= m.repair {
			text = failed
		}
	case m.rng.Float64() < m.fail:
		text = failed
	}
	return &lm.Response{Text: text, Finish: lm.FinishStop, Usage: lm.Usage{Calls: 1}}, nil
}

// z is that of a 99 % interval.
const z = 2.5758

// TestRepairProbability holds what a run with k backtracks must show: it passes with
// probability 1 - f(1-g)^k, and asks 1 + the sum of f(1-g)^i over i < k times. The program
// has a predictor before the one that fails, which is asked once, or with FullRerun as
// often as the other.
func TestRepairProbability(t *testing.T) {
	t.Parallel()
	draws := 100_000
	if race || testing.Short() {
		draws = 5_000
	}
	for _, tt := range []struct {
		name    string
		f, g    float64
		k       int
		suggest bool
		full    bool
	}{
		{"one backtrack", 0.5, 0.5, 1, true, false},
		{"two", 0.3, 0.6, 2, true, false},
		{"three", 0.6, 0.4, 3, true, false},
		{"two, asserted", 0.3, 0.6, 2, false, false}, // the run that could only fail is not made
		{"two, whole reruns", 0.3, 0.6, 2, true, true},
		{"none", 0.4, 0.9, 0, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := &faulty{rng: rand.New(rand.NewPCG(11, 7)), fail: tt.f, repair: tt.g}
			check, limit := assert.Suggest, tt.k
			if !tt.suggest {
				check, limit = assert.That, tt.k+1
			}
			p := newSteps(model, func(ctx context.Context, _ query, a answer) error {
				return check(ctx, a.Answer == "good", "be good")
			})
			opts := []assert.Option{assert.MaxBacktracks(limit)}
			if tt.full {
				opts = append(opts, assert.FullRerun())
			}
			w := assert.Wrap(p, opts...)
			passed := 0
			var spread float64 // sum of squares of the calls of a run
			for range draws {
				before := model.calls
				out, err := w.Run(t.Context(), question{"?"})
				if err != nil && tt.suggest {
					t.Fatal(err)
				}
				if err == nil && out.Answer == "good" {
					passed++
				}
				n := float64(model.calls - before)
				spread += n * n
			}
			n := float64(draws)
			wantPass := 1 - tt.f*math.Pow(1-tt.g, float64(tt.k))
			gotPass := float64(passed) / n
			if math.Abs(gotPass-wantPass) > z*math.Sqrt(wantPass*(1-wantPass)/n) {
				t.Errorf("passed %.4f, want %.4f", gotPass, wantPass)
			}
			tries := 1.0
			for i := range tt.k {
				tries += tt.f * math.Pow(1-tt.g, float64(i))
			}
			wantCalls := 1 + tries
			if tt.full {
				wantCalls = 2 * tries
			}
			gotCalls := float64(model.calls) / n
			sd := math.Sqrt(max(spread/n-gotCalls*gotCalls, 0))
			if math.Abs(gotCalls-wantCalls) > z*sd/math.Sqrt(n)+1e-9 {
				t.Errorf("%.4f calls a run, want %.4f", gotCalls, wantCalls)
			}
			t.Logf("passed %.4f (%.4f expected), %.4f calls a run (%.4f)", gotPass, wantPass, gotCalls, wantCalls)
		})
	}
}

func BenchmarkPassing(b *testing.B) {
	model := &faulty{rng: rand.New(rand.NewPCG(1, 1))}
	p := newSteps(model, func(ctx context.Context, _ query, a answer) error {
		return assert.That(ctx, a.Answer == "good", "be good")
	})
	for name, prog := range map[string]module.Program[question, answer]{"bare": p, "wrapped": assert.Wrap(p)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := prog.Run(b.Context(), question{"?"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
