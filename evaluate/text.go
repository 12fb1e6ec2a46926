package evaluate

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
)

// Detail asks for more in what a report writes.
type Detail int

const (
	// Times adds durations, which differ from run to run.
	Times Detail = iota + 1
	// Rows adds every row to the text (JSON has them anyway).
	Rows
)

func has(details []Detail, d Detail) bool {
	for _, x := range details {
		if x == d {
			return true
		}
	}
	return false
}

// shownFailures is how many failed rows a text lists unless it lists all rows.
const shownFailures = 5

// String returns what Text writes without details.
func (r *Report[In, Out]) String() string {
	var b strings.Builder
	_ = r.Text(&b) // a Builder returns no error
	return b.String()
}

// Text writes the report as a table: score with its 95 % interval (10,000
// resamples, seed 0), rows, costs, and the first failed rows. Without [Times] the
// text is the same for the same answers, byte for byte.
func (r *Report[In, Out]) Text(w io.Writer, details ...Detail) error {
	lines := [][3]string{{"score", fmt.Sprintf("%.3f", r.Score), r.objective.Name}}
	if iv, err := r.Interval(metric.Resampling{}); err == nil {
		lines[0][2] += ", " + iv.String()
	}
	if !r.isMean {
		lines = append(lines, [3]string{"mean", fmt.Sprintf("%.3f", r.Mean), "of the rows' scores"})
	}
	rows := fmt.Sprintf("%d failed", r.Failed)
	if r.Skipped > 0 {
		rows += fmt.Sprintf("; %d more did not run", r.Skipped)
	}
	lines = append(lines, [3]string{"rows", strconv.Itoa(r.Ran()), rows})
	if n := r.Assertions.Failed(); n > 0 {
		lines = append(lines, [3]string{"assertions", strconv.Itoa(n), assertions(r.Assertions, r.Unmet)})
	}
	lines = append(lines, [3]string{"LM calls", strconv.Itoa(r.Usage.Calls), tokens(r.Usage)})
	if r.MetricUsage.Calls > 0 {
		lines = append(lines, [3]string{"judge calls", strconv.Itoa(r.MetricUsage.Calls), tokens(r.MetricUsage)})
	}
	if all := r.Usage.Add(r.MetricUsage); all.Calls > 0 {
		lines = append(lines, cost(all))
	}
	if has(details, Times) {
		lines = append(lines, [3]string{"time", r.Wall.Round(time.Millisecond).String(), fmt.Sprintf("a row takes %s (median), %s (95th percentile), %s (99th)",
			r.LatencyPercentile(50).Round(time.Microsecond), r.LatencyPercentile(95).Round(time.Microsecond), r.LatencyPercentile(99).Round(time.Microsecond))})
	}
	wide := 0
	for _, l := range lines {
		wide = max(wide, len(l[1]))
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%-11s  %*s  %s\n", l[0], wide, l[1], l[2])
	}
	if has(details, Rows) {
		r.writeRows(&b, has(details, Times))
	} else {
		r.writeFailures(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// assertions says what failed, and how much of it was not mended.
func assertions(c assert.Tally, rows int) string {
	s := fmt.Sprintf("failed: %d asserted, %d suggested; not mended: %d and %d", c.Asserts, c.Suggestions, c.UnmetAsserts, c.UnmetSuggestions)
	if c.Unmet() > 0 {
		s += fmt.Sprintf(", in %d of the rows", rows)
	}
	return s
}

// cost says what calls have cost, and of how many that is not known.
func cost(u lm.Usage) [3]string {
	switch {
	case u.PricedCalls == 0:
		return [3]string{"cost", "?", "unknown; package lm/price knows what providers charge"}
	case !u.CostKnown():
		return [3]string{"cost", u.Cost.String(), fmt.Sprintf("and what %d calls of models without a known price cost", u.Calls-u.PricedCalls)}
	}
	return [3]string{"cost", u.Cost.String(), "in all"}
}

func tokens(u lm.Usage) string {
	s := fmt.Sprintf("%d prompt tokens, %d decoded", u.PromptTokens, u.CompletionTokens)
	if u.CachedTokens > 0 {
		s = fmt.Sprintf("%d prompt tokens (%d not computed again), %d decoded", u.PromptTokens, u.CachedTokens, u.CompletionTokens)
	}
	if u.ForcedTokens > 0 {
		s += fmt.Sprintf(", %d forced", u.ForcedTokens)
	}
	if u.ReasoningTokens > 0 {
		s += fmt.Sprintf(" (%d of them thoughts)", u.ReasoningTokens)
	}
	if u.CachedCalls > 0 {
		s += fmt.Sprintf("; %d calls answered from a store", u.CachedCalls)
	}
	return s
}

func (r *Report[In, Out]) writeFailures(b *strings.Builder) {
	failures := r.Failures()
	for i, row := range failures {
		if i == 0 {
			b.WriteString("\nfailed rows:\n")
		}
		if i == shownFailures {
			fmt.Fprintf(b, "  and %d more\n", len(failures)-i)
			break
		}
		fmt.Fprintf(b, "  %s: %s\n", row.Name(), oneLine(row.Err.Error(), 300))
	}
}

func (r *Report[In, Out]) writeRows(b *strings.Builder, times bool) {
	wide := 0
	for i := range r.Rows {
		wide = max(wide, utf8.RuneCountInString(r.Rows[i].Name()))
	}
	b.WriteByte('\n')
	for i := range r.Rows {
		row := &r.Rows[i]
		var what string
		switch {
		case row.Skipped:
			what = "did not run"
		case row.Err != nil:
			what = "error: " + oneLine(row.Err.Error(), 300)
		default:
			out, err := json.Marshal(row.Out)
			if err != nil {
				out = fmt.Appendf(nil, "%+v", row.Out)
			}
			what = oneLine(string(out), 120)
		}
		name := row.Name()
		score := fmt.Sprintf("%.3f", row.Score.Value)
		if row.Skipped {
			score = "-"
		}
		fmt.Fprintf(b, "%s%s  %6s", name, strings.Repeat(" ", wide-utf8.RuneCountInString(name)), score)
		if times {
			fmt.Fprintf(b, "  %10s", row.Duration.Round(time.Microsecond))
		}
		fmt.Fprintf(b, "  %s\n", what)
	}
}

// oneLine makes a text one line of at most n characters.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}
