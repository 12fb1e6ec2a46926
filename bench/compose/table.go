package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
)

// report runs every variant on the rows that chose nothing, once.
func (b *bench) report(ctx context.Context, w io.Writer) error {
	for _, set := range []struct {
		name string
		rows []row
	}{{"last100.csv", b.data.last}, {"sms.csv, from the start", b.data.fresh}} {
		reports := make([]*report, len(b.variants))
		for i, v := range b.variants {
			fmt.Fprintf(os.Stderr, "%s: %s\n", set.name, v.name)
			var err error
			if reports[i], err = b.evaluate(ctx, v.program, set.rows); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
		}
		if err := b.table(w, fmt.Sprintf("%s, %d rows", set.name, len(set.rows)), reports); err != nil {
			return err
		}
	}
	return nil
}

// table prints what the programs cost for a message, how well they do, and by how much
// better than the single program of the same model, or of the better one on dev, that is.
func (b *bench) table(w io.Writer, title string, reports []*report) error {
	fmt.Fprintf(w, "\n%s; at most %d calls for a message\n\n", title, b.k)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "program\tcalls\ttokens\tmacro F1\t95 % interval\taccuracy\tagainst single (95 %)\tfailed\tsettings")
	for i, r := range reports {
		single := b.variants[i].single
		iv, err := r.Interval(metric.Resampling{})
		if err != nil {
			return err
		}
		right := 0.0
		for _, row := range r.Rows {
			right += row.Score.Value
		}
		against := ""
		if i != single {
			d, err := evaluate.Compare(reports[single], r, metric.Resampling{})
			if err != nil {
				return err
			}
			against = fmt.Sprintf("%+.3f (%+.3f to %+.3f)", d.Value, d.Interval.Low, d.Interval.High)
		}
		n := float64(len(r.Rows))
		fmt.Fprintf(tw, "%s\t%.2f\t%.0f\t%.3f\t%.3f to %.3f\t%.3f\t%s\t%d\t%s\n", b.variants[i].name,
			float64(r.Usage.Calls)/n, float64(r.Usage.Tokens())/n, r.Score, iv.Low, iv.High, right/n, against, r.Failed, b.variants[i].note)
	}
	return tw.Flush()
}
