package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/internal/bayes"
	"github.com/whetgo/whet/metric"
)

// member is a candidate of a model.
type member struct {
	table     *table
	candidate int
}

func (m member) String() string {
	return fmt.Sprintf("%s (%s)", m.table.name, m.table.grid.name(m.candidate))
}

// maxVotes is how many votes an ensemble may have; a member may have several.
const maxVotes = 5

// votes holds the log-probabilities of members under their biases: by member, row and label.
type votes [][][]float64

// biased adds biases and normalises.
func biased(logprobs, biases []float64) []float64 {
	out := make([]float64, len(logprobs))
	sum := 0.0
	for i := range out {
		out[i] = logprobs[i] + biases[i]
		sum += math.Exp(out[i])
	}
	for i := range out {
		out[i] -= math.Log(sum)
	}
	return out
}

// votesOf puts the answers of members under their biases.
func votesOf(members []member, answers [][][]float64) votes {
	v := make(votes, len(members))
	for i, m := range members {
		for _, l := range answers[i] {
			v[i] = append(v[i], biased(l, m.table.biases[m.candidate]))
		}
	}
	return v
}

// sum adds up what some members say of a row.
func (v votes) sum(chosen []int, row int) []float64 {
	out := make([]float64, len(sms.Labels()))
	for _, m := range chosen {
		for i, l := range v[m][row] {
			out[i] += l
		}
	}
	return out
}

// labels returns what some members say together.
func (v votes) labels(chosen []int) []string {
	none := make([]float64, len(sms.Labels()))
	var out []string
	for row := range v[chosen[0]] {
		out = append(out, decide(v.sum(chosen, row), none))
	}
	return out
}

// quality is the share of right answers of some members together, and how likely they think
// these to be.
func (v votes) quality(chosen []int, rows []sms.Row) (right, likelihood float64) {
	zero := make([]float64, len(sms.Labels()))
	for i, label := range v.labels(chosen) {
		if label == rows[i].Out.Label {
			right++
		}
		mean := v.sum(chosen, i)
		for k := range mean {
			mean[k] /= float64(len(chosen))
		}
		likelihood += biased(mean, zero)[slices.Index(sms.Labels(), rows[i].Out.Label)]
	}
	return right / float64(len(rows)), likelihood / float64(len(rows))
}

// grow chooses members one by one, each time the one with which the most rows are right, of
// equals the one with which the right answers are likeliest, and keeps the shortest of the best
// beginnings (Caruana et al., Ensemble Selection from Libraries of Models, 2004).
func (v votes) grow(rows []sms.Row) []int {
	var chosen, best []int
	top := -1.0
	for range maxVotes {
		next, right, likelihood := -1, 0.0, 0.0
		for m := range v {
			r, l := v.quality(append(slices.Clip(chosen), m), rows)
			if next < 0 || r > right || r == right && l > likelihood {
				next, right, likelihood = m, r, l
			}
		}
		if chosen = append(slices.Clip(chosen), next); right > top {
			best, top = chosen, right
		}
	}
	return best
}

// tested is a program with its answers to the test rows.
type tested struct {
	name  string
	calls int
	// before is its share of right answers on the rows that chose it.
	before float64
	labels []string
}

// reportBest tests the best programs that were found, and naive Bayes.
func reportBest(ctx context.Context, g *grid, tables []*table, progress, w io.Writer) error {
	var members []member
	var onGrid [][][]float64
	for _, t := range tables {
		for i := range g.size() {
			if t.found[i] {
				members, onGrid = append(members, member{t, i}), append(onGrid, t.logprobs[i])
			}
		}
	}
	v := votesOf(members, onGrid)
	chosen := v.grow(g.rows)
	// The best single one of each model, and the ensemble's.
	singles := make([]int, len(tables))
	for i, t := range tables {
		singles[i] = -1
		for k, m := range members {
			if m.table == t && (singles[i] < 0 || t.score[m.candidate] > t.score[members[singles[i]].candidate]) {
				singles[i] = k
			}
		}
	}
	answers := make([][][]float64, len(members))
	for k, m := range members {
		if !slices.Contains(chosen, k) && !slices.Contains(singles, k) {
			continue
		}
		fmt.Fprintf(progress, "test rows: %s\n", m)
		var err error
		if answers[k], err = m.table.answers(ctx, m.candidate, g.test); err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
	}
	onTest := votesOf(members, answers)
	known := &bayes.Classifier{}
	for _, r := range append(slices.Clip(g.rows), g.shown...) {
		known.Add(r.In.Text, r.Out.Label)
	}
	programs := []tested{{name: "naive Bayes, same rows", labels: bayesOn(known, g.test), before: math.NaN()}}
	for _, k := range singles {
		before, _ := v.quality([]int{k}, g.rows)
		programs = append(programs, tested{members[k].String(), 1, before, onTest.labels([]int{k})})
	}
	before, _ := v.quality(chosen, g.rows)
	programs = append(programs, tested{"ensemble, summed log-probabilities", len(chosen), before, onTest.labels(chosen)})
	fmt.Fprintf(w, "the best that the searches found, on %d test rows; naive Bayes has read %d rows\n\n", len(g.test), len(g.rows)+len(g.shown))
	if err := printTested(w, g.test, programs); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nthe ensemble's votes:")
	for _, k := range chosen {
		fmt.Fprintf(w, "  %s\n", members[k])
	}
	return nil
}

func bayesOn(b *bayes.Classifier, rows []sms.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, b.Classify(r.In.Text))
	}
	return out
}

// printTested prints how well programs do; the first is the one that others are compared with.
func printTested(w io.Writer, rows []sms.Row, programs []tested) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "program\tcalls\ton the grid\taccuracy\t95 %\tmacro F1\t95 %\tmacro F1 against the first (95 %)")
	macroF1 := sms.MacroF1()
	first := outcomes(rows, programs[0].labels)
	for i, p := range programs {
		o := outcomes(rows, p.labels)
		right := 0
		for k, r := range rows {
			if p.labels[k] == r.Out.Label {
				right++
			}
		}
		accuracy, err := metric.Wilson(right, len(rows), 0.95)
		if err != nil {
			return err
		}
		f1, err := macroF1.Score(o)
		if err != nil {
			return err
		}
		interval, err := macroF1.Interval(o, metric.Resampling{})
		if err != nil {
			return err
		}
		against, before := "", ""
		if i > 0 {
			d, err := metric.BootstrapDifference(macroF1, first, o, metric.Resampling{})
			if err != nil {
				return err
			}
			against = fmt.Sprintf("%+.3f (%+.3f to %+.3f)", d.Value, d.Interval.Low, d.Interval.High)
			before = fmt.Sprintf("%.3f", p.before)
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%.3f\t%.3f to %.3f\t%.3f\t%.3f to %.3f\t%s\n", p.name, p.calls, before,
			float64(right)/float64(len(rows)), accuracy.Low, accuracy.High, f1, interval.Low, interval.High, against)
	}
	return tw.Flush()
}

func outcomes(rows []sms.Row, labels []string) []metric.Outcome[sms.Verdict] {
	var out []metric.Outcome[sms.Verdict]
	for i, r := range rows {
		o := metric.Outcome[sms.Verdict]{ID: r.ID, Truth: r.Out, Got: sms.Verdict{Label: labels[i]}}
		if labels[i] == r.Out.Label {
			o.Score = 1
		}
		out = append(out, o)
	}
	return out
}
