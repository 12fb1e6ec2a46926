package metric

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String returns what Text writes.
func (c *Confusion) String() string {
	var b strings.Builder
	_ = c.Text(&b) // a Builder returns no error
	return b.String()
}

// Text writes the matrix and the figures of the classes as aligned tables. The
// text is the same for the same counts, byte for byte; a star marks a figure
// that is undefined and shown as 0.
func (c *Confusion) Text(w io.Writer) error {
	matrix := [][]string{append(append([]string{"truth \\ answer"}, printable(c.set.labels)...), "failed")}
	for i, l := range printable(c.set.labels) {
		row := []string{l}
		for j := range c.n.k + 1 {
			row = append(row, strconv.Itoa(c.n.at(i, j)))
		}
		matrix = append(matrix, row)
	}
	figures := [][]string{{"class", "precision", "recall", "F1", "rows"}}
	starred := false
	add := func(name string, p PRF, precision, recall, f1 bool, rows int) {
		mark := func(v float64, undefined bool) string {
			starred = starred || undefined
			if undefined {
				return fmt.Sprintf("%.3f*", v)
			}
			return fmt.Sprintf("%.3f ", v)
		}
		figures = append(figures, []string{
			name, mark(p.Precision, precision), mark(p.Recall, recall), mark(p.F1, f1), strconv.Itoa(rows),
		})
	}
	for _, cl := range c.Classes() {
		add(printable([]string{cl.Label})[0], cl.PRF, cl.Predicted == 0, cl.Support == 0, cl.Predicted+cl.Support == 0, cl.Support)
	}
	add("macro", c.Macro(), false, false, false, c.Total())
	add("weighted", c.Weighted(), false, false, false, c.Total())
	add("micro", c.Micro(), false, false, false, c.Total())

	var b strings.Builder
	align(&b, matrix)
	b.WriteByte('\n')
	align(&b, figures)
	if starred {
		b.WriteString("* no such row or answer: undefined, counted as 0\n")
	}
	fmt.Fprintf(&b, "\naccuracy %.3f", c.Accuracy())
	if iv, err := Wilson(c.Correct(), c.Total(), 0.95); err == nil {
		fmt.Fprintf(&b, " (%s)", iv)
	}
	fmt.Fprintf(&b, ", balanced accuracy %.3f\n", c.BalancedAccuracy())
	_, err := io.WriteString(w, b.String())
	return err
}

// printable quotes the labels that would break a table.
func printable(labels []string) []string {
	out := make([]string, len(labels))
	for i, l := range labels {
		if q := strconv.Quote(l); l == "" || q != `"`+l+`"` {
			l = q
		}
		out[i] = l
	}
	return out
}

// align writes rows with the first column to the left and the others to the
// right.
func align(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for j, cell := range r {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for j, cell := range r {
			pad := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell))
			if j == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
