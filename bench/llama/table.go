package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// print writes the report for people.
func (r *report) print(out io.Writer) error {
	w := &writer{out: out}
	w.printf("\n%s; %s (%s); %d threads; rounds: %d\n", r.Machine, r.Model, r.Shipped, r.Threads, r.Rounds)
	for _, t := range slices.Sorted(maps.Keys(r.Chosen)) {
		w.printf("weights %s: %s\n", t, r.Chosen[t].Why)
	}
	switch {
	case r.NoPeer != "" && len(r.Searches) == 0:
		w.printf("DSPy + llama-server did not run: %s\n", r.NoPeer)
	case r.DSPy != "":
		w.printf("DSPy %s + llama-server -np %d -c %d\n", r.DSPy, peerSlots, r.ServerKV)
	}
	if r.SameChat != nil {
		answer := "no"
		if *r.SameChat {
			answer = "yes, to the byte"
		}
		w.printf("Chat's messages are DSPy's: %s\n", answer)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fits)) {
		f := r.Fits[name]
		w.printf("calibration of %s, not in its time below: %.1f s, %d calls, macro F1 on the training rows %.3f, other CPU %s\n",
			name, f.Wall, f.Calls, f.MacroF1, mark(f.OtherCPU))
	}
	if r.Cold {
		w.printf("whet was not warmed up\n")
	}
	w.printf("\n")
	if len(r.Summaries) > 0 {
		w.table(r.rows())
		w.printf("\nMedians; rows/s x and MB x are ratios to DSPy on the same file, for weights auto to DSPy on the file as shipped.\n" +
			"MB is the peak of the resident memory, that of llama-server for dspy. other CPU is the most of any run.\n")
	}
	if len(r.Searches) > 0 {
		w.table(r.searchRows())
	}
	if r.unclean() {
		w.printf("* more than %.2f cores were busy elsewhere: not to be trusted\n", clean)
	}
	return w.err
}

// rows is the table of the runs.
func (r *report) rows() [][]string {
	rows := [][]string{{"configuration", "s/100 rows", "from-to", "rows/s", "rows/s x", "prompt tok", "computed", "decoded", "MB", "MB x", "accuracy", "macro F1", "failed", "other CPU"}}
	for _, s := range r.Summaries {
		rows = append(rows, []string{
			s.Name, fmt.Sprintf("%.1f", s.Seconds.Median), fmt.Sprintf("%.1f-%.1f", s.Seconds.Low, s.Seconds.High),
			fmt.Sprintf("%.2f", s.Speed), ratio(s.Speedup),
			fmt.Sprint(s.Prompt), fmt.Sprint(s.Computed), fmt.Sprint(s.Decoded),
			fmt.Sprintf("%.0f", s.PeakMB), ratio(s.Memory), fmt.Sprintf("%.2f", s.Accuracy), fmt.Sprintf("%.3f", s.MacroF1),
			fmt.Sprint(s.Failed), mark(s.OtherCPU),
		})
	}
	return rows
}

// searchRows is the table of the searches.
func (r *report) searchRows() [][]string {
	rows := [][]string{{"search", "minutes", "from-to", "candidates", "rows", "calls", "paid", "prompt tok", "computed", "decoded", "MB", "score", "baseline", "other CPU"}}
	for _, s := range r.Searches {
		last := s.Runs[len(s.Runs)-1]
		peak := figureOf(s.Runs, func(s searched) float64 { return s.PeakMB }).Median
		rows = append(rows, []string{
			s.Name, fmt.Sprintf("%.2f", s.Seconds.Median/60), fmt.Sprintf("%.2f-%.2f", s.Seconds.Low/60, s.Seconds.High/60),
			fmt.Sprint(last.Candidates), fmt.Sprint(last.Rows), fmt.Sprint(last.Requested), fmt.Sprint(last.Paid),
			fmt.Sprint(last.PromptTokens), fmt.Sprint(last.ComputedTokens), fmt.Sprint(last.Completion),
			fmt.Sprintf("%.0f", peak), fmt.Sprintf("%.3f", last.Score), fmt.Sprintf("%.3f", last.Baseline), mark(s.otherCPU()),
		})
	}
	return rows
}

func (s searchSummary) otherCPU() *float64 {
	var v *float64
	for _, r := range s.Runs {
		v = most(v, r.OtherCPU)
	}
	return v
}

// unclean reports whether a figure of the tables bears the mark.
func (r *report) unclean() bool {
	return slices.ContainsFunc(r.Summaries, func(s summary) bool { return dirty(s.OtherCPU) }) ||
		slices.ContainsFunc(r.Searches, func(s searchSummary) bool { return dirty(s.otherCPU()) }) ||
		slices.ContainsFunc(slices.Collect(maps.Values(r.Fits)), func(f fitted) bool { return dirty(f.OtherCPU) })
}

func dirty(v *float64) bool { return v != nil && *v > clean }

// mark formats a number of cores and puts a star behind one that is too many.
func mark(v *float64) string {
	if dirty(v) {
		return cores(v) + "*"
	}
	return cores(v)
}

// ratio formats a ratio that may be missing.
func ratio(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// writer keeps the first error.
type writer struct {
	out io.Writer
	err error
}

func (w *writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format, args...)
	}
}

func (w *writer) table(rows [][]string) {
	t := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, r := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(r, "\t")+"\t"); err != nil && w.err == nil {
			w.err = err
		}
	}
	if err := t.Flush(); err != nil && w.err == nil {
		w.err = err
	}
}
