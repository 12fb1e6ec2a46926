package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"gonum.org/v1/gonum/stat"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/optimize"
)

// miproGridRun is what a search of MIPROv2 chose on the grid of a world.
type miproGridRun struct {
	calls, unique int
	accuracy      float64
}

// miproGridKey names one.
type miproGridKey struct{ world, trials int }

// miproPart is miproGrid as part of the command: -dspy names the file with DSPy's side.
func (s *settings) miproPart(ctx context.Context, w io.Writer) error {
	if s.dspyFile == "" {
		return errors.New("want -dspy, a file with what `synthlm.py dspy-grid` prints")
	}
	f, err := os.Open(s.dspyFile)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.miproGrid(ctx, w, f, []int{27, 90}, 10)
}

// miproGrid prints what MIPROv2's search chooses on the grid beside what DSPy's own class
// chose there, which `synthlm.py dspy-grid` prints. Both have the same choices, schedule and
// calls; what differs are the estimator's draws. Several seeds show how much these matter;
// the first is the default, the one that DSPy has.
func (s *settings) miproGrid(ctx context.Context, w io.Writer, dspy io.Reader, trials []int, seeds int) error {
	theirs, err := readMIPROGrid(dspy)
	if err != nil {
		return err
	}
	for _, n := range trials {
		runs, err := each(ctx, s, func(ctx context.Context, world int) ([]miproGridRun, error) {
			out := make([]miproGridRun, seeds)
			for seed := range out {
				var err error
				if out[seed], err = runMIPROGrid(ctx, world, n, int64(9+seed)); err != nil {
					return nil, err
				}
			}
			return out, nil
		})
		if err != nil {
			return err
		}
		var first, mean, peer []float64 // by world; of the first two the difference
		for i, world := range s.worlds {
			p, ok := theirs[miproGridKey{world, n}]
			if !ok {
				return fmt.Errorf("there is no run of DSPy's for world %d and %d trials", world, n)
			}
			sum := 0.0
			for _, r := range runs[i] {
				sum += r.accuracy / float64(seeds)
			}
			r := runs[i][0]
			first, mean, peer = append(first, r.accuracy-p.accuracy), append(mean, sum-p.accuracy), append(peer, p.accuracy)
			fmt.Fprintf(w, "world %2d, %d trials: DSPy %.4f after %d calls (%d unique), whet %.4f after %d (%d)\n", world, n, p.accuracy, p.calls, p.unique, r.accuracy, r.calls, r.unique)
		}
		fmt.Fprintf(w, "%d worlds, %d trials: DSPy %.4f", len(peer), n, stat.Mean(peer, nil))
		for _, d := range []struct {
			name string
			diff []float64
		}{{"whet", first}, {fmt.Sprintf("whet, mean of %d seeds", seeds), mean}} {
			low, high := interval(d.diff)
			diff := stat.Mean(d.diff, nil)
			fmt.Fprintf(w, "; %s %.4f, difference %+.4f, 95 %% interval %+.4f to %+.4f", d.name, stat.Mean(peer, nil)+diff, diff, low, high)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// readMIPROGrid reads what synthlm.py prints.
func readMIPROGrid(r io.Reader) (map[miproGridKey]miproGridRun, error) {
	runs := map[miproGridKey]miproGridRun{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var k miproGridKey
		var run miproGridRun
		if n, _ := fmt.Sscanf(lines.Text(), "MIPROv2 on the grid, world %d, %d trials: calls %d unique %d expected %f", &k.world, &k.trials, &run.calls, &run.unique, &run.accuracy); n == 5 {
			runs[k] = run
		}
	}
	return runs, lines.Err()
}

// runMIPROGrid runs MIPROv2 among the fixed choices of a world.
func runMIPROGrid(ctx context.Context, world, trials int, seed int64) (miproGridRun, error) {
	m, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: world})
	if err != nil {
		return miproGridRun{}, err
	}
	p, err := newProgram(m)
	if err != nil {
		return miproGridRun{}, err
	}
	strategies, sets := m.Grid(gridInstructions, gridSets, gridDemos)
	opt := optimize.MIPROv2{Candidates: gridSets, Trials: trials, Seed: seed, Space: gridSpace(m, p, strategies, sets)}
	r, err := optimize.Compile(ctx, opt, p, examples(m, 0, lmtest.SynthTrain), metric.Exact, optimize.Val(examples(m, lmtest.SynthDev, lmtest.SynthDevEnd)))
	if err != nil {
		return miproGridRun{}, err
	}
	return miproGridRun{r.Calls.Requested, m.Calls().Unique, truth(m, r.States[0].State)}, nil
}
