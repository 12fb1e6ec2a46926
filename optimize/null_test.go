package optimize_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/optimize"
)

// worldsFlag makes TestNull the one of docs/optimizers.md: scripts/check runs it with 200.
var worldsFlag = flag.Int("worlds", 40, "how many null worlds TestNull looks at")

const (
	// Worlds from nullFrom on are for this test alone; they were fixed before it first ran.
	nullFrom = 1000
	// nullAlpha is the probability that a winner that is no better passes the test that
	// confirms it: half of its two-sided level.
	nullAlpha = 0.025
)

// nullOptimizers are small searches of every optimizer that chooses by a score.
var nullOptimizers = []optimize.Optimizer{
	optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 4},
	optimize.MIPROv2{Candidates: 4, Trials: 4, MaxBootstrapped: 2, MinibatchSize: 20, FullEvalEvery: 2},
	optimize.Race{Instructions: 4, Demos: 8, MaxDemos: 4, MaxRuns: 200},
	optimize.COPRO{Breadth: 4, Depth: 2},
	optimize.OPRO{Steps: 2, Proposals: 4, Rows: 20, EvalEvery: 1},
	optimize.SIMBA{BatchSize: 10, Candidates: 2, Steps: 2},
	optimize.GEPA{MaxMetricCalls: 250},
}

// TestNull runs every optimizer where nothing helps, in worlds in which no prompt is better
// than another: with Confirm the program stays as it was, but for the few winners that pass
// a test at this level by chance.
func TestNull(t *testing.T) {
	t.Parallel()
	worlds := *worldsFlag
	if race {
		worlds = min(worlds, 10)
	}
	limit := binomialQuantile(worlds, nullAlpha, 0.99)
	for _, opt := range nullOptimizers {
		t.Run(fmt.Sprintf("%T", opt), func(t *testing.T) {
			t.Parallel()
			changed, kept := 0, 0
			for world := range worlds {
				m := synthWorld(t, lmtest.SynthNull, nullFrom+world)
				fresh := synthItems(m, lmtest.SynthConfirm, 100)
				r, err := optimize.Compile(t.Context(), opt, synthOne(m), synthItems(m, 0, 40), metric.Exact,
					optimize.Val(synthItems(m, lmtest.SynthDev, 40)), optimize.Confirm(fresh), optimize.Concurrency(1))
				if err != nil {
					t.Fatalf("world %d: %v", nullFrom+world, err)
				}
				switch {
				case r.Winner >= 0 && r.Confirmed:
					changed++
				case r.Confirmation != nil:
					if r.Confirmation.Value != 0 { // else it may have been the program as it was
						kept++
					}
					if r.Winner != -1 || r.Score != r.Baseline {
						t.Errorf("world %d: the winner was not confirmed, but is the result: %s", nullFrom+world, r)
					}
				}
			}
			t.Logf("%s: %d false gains in %d worlds, at most %d; in %d a winner was refused", opt, changed, worlds, limit, kept)
			if changed > limit {
				t.Errorf("%d false gains in %d worlds; want at most %d", changed, worlds, limit)
			}
			if kept == 0 {
				t.Error("no winner was ever refused, so the test saw nothing")
			}
		})
	}
}

// binomialQuantile returns the smallest k that no more than k successes of n have, with at
// least this probability.
func binomialQuantile(n int, p, level float64) int {
	term, sum := 1.0, 0.0
	for range n {
		term *= 1 - p
	}
	for k := range n + 1 {
		if sum += term; sum >= level {
			return k
		}
		term *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	return n
}

// TestBinomialQuantile compares with values of a table.
func TestBinomialQuantile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n        int
		p, level float64
		want     int
	}{
		{200, 0.025, 0.99, 11},
		{20, 0.025, 0.99, 3},
		{10, 0.5, 0.99, 9},
		{1, 0.5, 0.4, 0},
	} {
		if got := binomialQuantile(tt.n, tt.p, tt.level); got != tt.want {
			t.Errorf("of %d at %v: %d, want %d", tt.n, tt.p, got, tt.want)
		}
	}
}
