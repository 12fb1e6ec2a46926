package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/optimize"
)

// print writes a table for each test set, how sure the difference between the
// baselines and the best program is, and the confusion matrices of both; of several
// saved programs, the differences alone.
func (e *experiment) print(w io.Writer) error {
	fmt.Fprintf(w, "\nSmishing: %s\n", e.data.title)
	fmt.Fprintf(w, "model %s, adapter %s, %d training rows, few-shot search of %d candidates\n", modelName(e.model), e.adapter.Name(), len(e.data.train), e.searched())
	for i, set := range e.data.tests {
		if err := e.printSet(w, i, set); err != nil {
			return err
		}
	}
	return nil
}

func (e *experiment) printSet(w io.Writer, i int, set testSet) error {
	fmt.Fprintf(w, "\n%s, %d rows\n\n", set.name, len(set.rows))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "program\tmacro F1\t95 % interval\taccuracy\tham F1\tspam F1\tsmishing F1\tfailed\ttrain score")
	for _, v := range e.variants {
		r := v.reports[i]
		c, err := confusion(r)
		if err != nil {
			return err
		}
		iv, err := r.Interval(e.resampling)
		if err != nil {
			return err
		}
		train := ""
		if v.result != nil {
			train = fmt.Sprintf("%.3f", v.score)
		}
		fmt.Fprintf(tw, "%s\t%.3f\t%.3f to %.3f\t%.3f", v.name, r.Score, iv.Low, iv.High, c.Accuracy())
		for _, class := range c.Classes() {
			fmt.Fprintf(tw, "\t%.3f", class.F1)
		}
		fmt.Fprintf(tw, "\t%d\t%s\n", r.Failed, train)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, v := range e.variants {
		if failed := v.reports[i].Failures(); len(failed) > 0 {
			fmt.Fprintf(w, "\n%s: %d rows failed, the first with: %v\n", v.name, len(failed), failed[0].Err)
		}
	}
	shown := e.saved
	if len(shown) == 0 {
		shown = []*variant{e.best()}
	}
	for _, v := range shown {
		for _, name := range []string{"typed", "always ham", "naive Bayes, same training rows"} {
			base := e.find(name)
			if base == nil {
				continue
			}
			d, err := evaluate.Compare(base.reports[i], v.reports[i], e.resampling)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\n%s against %s: %s", v.name, name, d)
		}
	}
	fmt.Fprintln(w)
	if len(shown) > 1 {
		return nil
	}
	for _, v := range append([]*variant{e.find("typed")}, shown...) {
		if v == nil {
			continue
		}
		c, err := confusion(v.reports[i])
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s\n%s", v.name, c)
	}
	return nil
}

// searched is how many candidates a few-shot search has: the fixed three, and those
// of shuffled data.
func (e *experiment) searched() int {
	if e.candidates == optimize.None {
		return 3
	}
	return 3 + e.candidates
}

func (e *experiment) find(name string) *variant {
	for _, v := range e.variants {
		if v.name == name {
			return v
		}
	}
	return nil
}

func confusion(r *report) (*metric.Confusion, error) {
	return evaluate.Confusion(r, func(v Verdict) Label { return v.Label })
}
