package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// The grid's size, and what asking everything takes.
const (
	gridInstructions = 9
	gridSets         = 18
	gridDemos        = 8
	raceRuns         = 3000
)

// shown are the numbers of calls of the table.
func shown() []int { return []int{200, 400, 600, 800, 1000, 1250, 1500, 2000, 3000, 5000, 8000} }

// point is what is recommended after so many paid calls.
type point struct {
	calls    int
	accuracy float64
}

// gridRun is an optimizer's run on a world's grid.
type gridRun struct {
	points  []point
	stopped int // calls
}

// gridWorld is what was measured on one world.
type gridWorld struct {
	zero, best, exhaustive float64
	runs                   []gridRun // by optimizer
}

// optimizers are those that choose from a given space, and which runs of the table they are.
func (s *settings) optimizers(space optimize.Space) (names []string, opts []optimize.Optimizer) {
	names = append(names, "Race, until the budget", "Race, as it stops by itself")
	opts = append(opts, optimize.Race{Space: space, MaxRuns: raceRuns, Limit: optimize.None, Seed: s.seed}, optimize.Race{Space: space, MaxRuns: raceRuns, Seed: s.seed})
	if s.mipro > 0 {
		names = append(names, fmt.Sprintf("MIPROv2's search, %d trials", s.mipro))
		opts = append(opts, optimize.MIPROv2{Space: space, Candidates: gridSets, Trials: s.mipro, Seed: s.seed})
	}
	return names, opts
}

func (s *settings) grid(ctx context.Context, w io.Writer) error {
	worlds, err := each(ctx, s, s.gridWorld)
	if err != nil {
		return err
	}
	names, _ := s.optimizers(nil)
	n := float64(len(worlds))
	var zero, best, exhaustive float64
	for _, g := range worlds {
		zero, best, exhaustive = zero+g.zero/n, best+g.best/n, exhaustive+g.exhaustive/n
	}
	fmt.Fprintf(w, "%d worlds, rugged %d, grid %d x %d, 300 examples: zero-shot %.4f, best cell %.4f, exhaustive choice (%d calls) %.4f, 99 %% of it %.4f\n",
		len(worlds), s.rugged, gridInstructions, gridSets, zero, best, 300*gridInstructions*gridSets, exhaustive, 0.99*exhaustive)
	fmt.Fprintf(w, "mean exact expected accuracy of the recommendation after so many paid calls; calls to 99 %%: first crossing of the mean curve, and the 90 %% bound of 1,000 bootstraps over worlds\n\n")
	var b strings.Builder
	fmt.Fprintf(&b, "| search |")
	for _, at := range shown() {
		fmt.Fprintf(&b, " %d |", at)
	}
	b.WriteString(" stopped after | then | calls to 99 % | 90 % bound |\n|---|" + strings.Repeat("---|", len(shown())+4) + "\n")
	for i, name := range names {
		fmt.Fprintf(&b, "| %s |", name)
		runs := make([]gridRun, len(worlds))
		truth := make([]float64, len(worlds))
		stopped, last := 0.0, 0.0
		longest := 0
		for k, g := range worlds {
			runs[k], truth[k] = g.runs[i], g.exhaustive
			stopped += float64(g.runs[i].stopped) / n
			last += g.runs[i].after(1<<30) / n
			longest = max(longest, g.runs[i].stopped)
		}
		for _, at := range shown() {
			if at > longest {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %.4f |", meanAfter(runs, at))
		}
		at, bound := crossing(runs, truth), crossingBound(runs, truth)
		fmt.Fprintf(&b, " %.0f | %.4f | %s | %s |\n", stopped, last, orNever(at), orNever(bound))
	}
	_, err = io.WriteString(w, b.String()+"\n")
	return err
}

func orNever(calls int) string {
	if calls < 0 {
		return "not"
	}
	return fmt.Sprint(calls)
}

// after returns the accuracy of what was recommended after so many calls.
func (r gridRun) after(calls int) float64 {
	v := r.points[0].accuracy
	for _, p := range r.points {
		if p.calls <= calls {
			v = p.accuracy
		}
	}
	return v
}

func meanAfter(runs []gridRun, calls int) float64 {
	sum := 0.0
	for _, r := range runs {
		sum += r.after(calls)
	}
	return sum / float64(len(runs))
}

// crossing returns after how many calls the mean curve first reaches 99 % of what asking
// everything chooses, -1 for never.
func crossing(runs []gridRun, exhaustive []float64) int {
	want := 0.0
	at := map[int]bool{}
	for i, r := range runs {
		want += 0.99 * exhaustive[i] / float64(len(runs))
		for _, p := range r.points {
			at[p.calls] = true
		}
	}
	calls := make([]int, 0, len(at))
	for c := range at {
		calls = append(calls, c)
	}
	slices.Sort(calls)
	for _, c := range calls {
		if meanAfter(runs, c) >= want {
			return c
		}
	}
	return -1
}

// crossingBound is the upper 90 % bound of the crossing, over worlds; -1 where more than a tenth
// of the bootstraps never cross.
func crossingBound(runs []gridRun, exhaustive []float64) int {
	const resamples = 1000
	rng := rand.New(rand.NewPCG(1, 2))
	var at []int
	for range resamples {
		rs, es := make([]gridRun, len(runs)), make([]float64, len(runs))
		for i := range rs {
			k := rng.IntN(len(runs))
			rs[i], es[i] = runs[k], exhaustive[k]
		}
		c := crossing(rs, es)
		if c < 0 {
			c = 1 << 30
		}
		at = append(at, c)
	}
	slices.Sort(at)
	if bound := at[resamples*9/10-1]; bound < 1<<30 {
		return bound
	}
	return -1
}

// gridWorld runs all optimizers on one world.
func (s *settings) gridWorld(ctx context.Context, world int) (gridWorld, error) {
	m, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: world, Rugged: s.rugged})
	if err != nil {
		return gridWorld{}, err
	}
	strategies, sets := m.Grid(gridInstructions, gridSets, gridDemos)
	g := gridWorld{zero: m.Expected(0, nil)}
	most := -1
	for _, strategy := range strategies {
		for _, set := range sets {
			right := 0
			for q := lmtest.SynthDev; q < lmtest.SynthDevEnd; q++ {
				if m.Answer(strategy, set, q, 0) == m.Label(q) {
					right++
				}
			}
			expected := m.Expected(strategy, set)
			g.best = max(g.best, expected)
			if right > most {
				most, g.exhaustive = right, expected
			}
		}
	}
	p, err := newProgram(m)
	if err != nil {
		return gridWorld{}, err
	}
	_, opts := s.optimizers(gridSpace(m, p, strategies, sets))
	for _, opt := range opts {
		// What confirms the winner is of no interest here, but it keeps the search from
		// keeping some of the 300 examples for that.
		r, err := optimize.Compile(ctx, opt, p, examples(m, 0, lmtest.SynthTrain), metric.Exact,
			optimize.Val(examples(m, lmtest.SynthDev, lmtest.SynthDevEnd)),
			optimize.Confirm(examples(m, lmtest.SynthConfirm, lmtest.SynthConfirmEnd)))
		if err != nil {
			return gridWorld{}, fmt.Errorf("%s: %w", opt, err)
		}
		run := gridRun{stopped: r.Searching.Calls.Paid}
		for _, at := range r.Curve {
			state := r.Base[0].State
			if at.Trial >= 0 {
				state = r.Trials[at.Trial].States[0].State
			}
			run.points = append(run.points, point{at.Calls.Paid, truth(m, state)})
		}
		g.runs = append(g.runs, run)
	}
	return g, nil
}

// gridSpace is the grid for a program. Its first cell is the program as it is.
func gridSpace(m *lmtest.SynthLM, p *module.Predict[question, answer], strategies []int, sets [][]lmtest.SynthDemo) optimize.Space {
	c := optimize.Choices{Instructions: []string{p.Predictor().Signature().Instructions()}}
	for _, s := range strategies[1:] {
		c.Instructions = append(c.Instructions, fmt.Sprintf("Answer the question with one label. Use strategy-%02d.", s))
	}
	for _, set := range sets {
		demos := make([]module.Demo, len(set))
		for i, d := range set {
			demos[i].Fields = signature.RecordOf("question", m.Question(d.Item), "answer", d.Label)
		}
		c.Demos = append(c.Demos, demos)
	}
	return optimize.Space{"self": c}
}
