package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// point is a candidate that a search recommended after so many calls.
type point struct{ calls, candidate int }

// curve is what a search recommended, in the order of calls.
type curve []point

// at returns the candidate that is recommended after some calls: before the first
// recommendation the program as it is.
func (c curve) at(calls int) int {
	i, found := slices.BinarySearchFunc(c, calls, func(p point, calls int) int { return p.calls - calls })
	for found && i+1 < len(c) && c[i+1].calls == calls {
		i++
	}
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return c[i].candidate
}

// end is how many calls a search made.
func (c curve) end() int {
	if len(c) == 0 {
		return 0
	}
	return c[len(c)-1].calls
}

// crossing returns after how many calls the mean true score of what some searches recommend
// first reaches a target; false where it never does.
func crossing(curves []curve, score []float64, target float64) (int, bool) {
	var calls []int
	for _, c := range curves {
		for _, p := range c {
			calls = append(calls, p.calls)
		}
	}
	slices.Sort(calls)
	for _, n := range slices.Compact(calls) {
		sum := 0.0
		for _, c := range curves {
			sum += score[c.at(n)]
		}
		// The mean of equal scores may fall short of them by rounding.
		if sum/float64(len(curves)) >= target-1e-12 {
			return n, true
		}
	}
	return 0, false
}

// resamples is how many resamples of the seeds an interval rests on.
const resamples = 1000

// crossingInterval returns the 95 % interval of a crossing, by resampling the seeds.
// math.MaxInt stands for never.
func crossingInterval(curves []curve, score []float64, target float64) (low, high int) {
	rng := rand.New(rand.NewPCG(1, 0))
	values := make([]int, resamples)
	drawn := make([]curve, len(curves))
	for b := range values {
		for i := range drawn {
			drawn[i] = curves[rng.IntN(len(curves))]
		}
		n, ok := crossing(drawn, score, target)
		if !ok {
			n = math.MaxInt
		}
		values[b] = n
	}
	slices.Sort(values)
	return values[resamples*25/1000], values[resamples*975/1000-1]
}

// meanOf returns the mean of some numbers and half the width of its 95 % interval (Student's t).
func meanOf(x []float64) (mean, half float64) {
	mean, sd := stat.MeanStdDev(x, nil)
	n := float64(len(x))
	return mean, distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * sd / math.Sqrt(n)
}

// share is what part of the best candidate's score is to be reached.
const share = 0.99

// race runs the searches and prints what they need.
func (t *table) race(ctx context.Context, c config, w io.Writer) error {
	best := t.score[t.best]
	fmt.Fprintf(w, "%s: calls until what is recommended has %.3f, 99 %% of the best candidate's %.3f; %d searches of each kind\n\n", t.name, share*best, best, c.seeds)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "search\tcalls, mean curve\t95 %\tsearches that reach it\tcalls in all\ttrue score at the end\t95 %\tregret")
	for _, k := range kinds() {
		fmt.Fprintf(c.progress, "%s: %s\n", t.name, k.names[0])
		curves, err := k.search(ctx, t, c.seeds)
		if err != nil {
			return err
		}
		for i, name := range k.names {
			t.line(tw, name, curves[i], best)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return nil
}

// line prints what the searches of a kind need.
func (t *table) line(w io.Writer, name string, curves []curve, best float64) {
	reached := 0
	var calls, scores []float64
	for _, c := range curves {
		calls, scores = append(calls, float64(c.end())), append(scores, t.score[c.at(c.end())])
		if _, ok := crossing([]curve{c}, t.score, share*best); ok {
			reached++
		}
	}
	first, interval := "never", ""
	if n, ok := crossing(curves, t.score, share*best); ok {
		low, high := crossingInterval(curves, t.score, share*best)
		first, interval = fmt.Sprint(n), fmt.Sprintf("%s to %s", count(low), count(high))
	}
	score, half := meanOf(scores)
	fmt.Fprintf(w, "%s\t%s\t%s\t%d of %d\t%.0f\t%.4f\t%.4f to %.4f\t%.4f\n", name, first, interval, reached, len(curves), stat.Mean(calls, nil), score, score-half, score+half, best-score)
}

func count(calls int) string {
	if calls == math.MaxInt {
		return "never"
	}
	return fmt.Sprint(calls)
}
