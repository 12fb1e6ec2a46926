package optimize

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/whetgo/whet/lm"
)

//go:embed report.tmpl.html
var reportText string

// reportTemplate is read once, when the first report is written; a test reads it, too.
var reportTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report").Parse(reportText)
})

// longestNote is how much of a trial's note is shown.
const longestNote = 400

// HTML writes the result as one page: what won and why the search ended, what it has cost, its
// curve, the front of score and length where there is one, what has changed in the prompts,
// and all trials. The page needs nothing else, no network and no script, and follows the
// reader's light or dark mode. It holds no key, and no model's name or address unless a trial's
// note quotes an error of the prompt model; but it holds instructions and demos, and so examples
// of the data. Long texts are cut, and say so.
func (r *Result) HTML(w io.Writer) error {
	t, err := reportTemplate()
	if err != nil {
		return fmt.Errorf("optimize: the report's template: %w", err)
	}
	// A page is written as a whole or not at all.
	var b bytes.Buffer
	if err := t.Execute(&b, r.page()); err != nil {
		return fmt.Errorf("optimize: writing the report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// reportPage is what the template shows.
type reportPage struct {
	Title, Optimizer, Outcome, Why string
	Facts                          []nameValue
	Phases                         []phaseRow
	Curve, Front                   *chart
	Prompts                        []promptView
	Trials                         []trialRow
}

type nameValue struct{ Name, Value string }

type phaseRow struct{ Name, Requested, Paid, In, Out, Cost string }

type trialRow struct {
	Number                           int
	Name, Score, Rows, Failed, Calls string
	Note                             string
	Best                             bool
}

func (r *Result) page() reportPage {
	return reportPage{
		Title: "Optimization", Optimizer: r.Optimizer, Outcome: r.outcome(), Why: r.Why,
		Facts: r.facts(), Phases: r.phaseRows(), Curve: r.curveChart(), Front: r.frontChart(),
		Prompts: r.promptViews(), Trials: r.trialRows(),
	}
}

// outcome says in a sentence what won.
func (r *Result) outcome() string {
	if r.Winner < 0 || r.Winner >= len(r.Trials) {
		return "The program stays as it was."
	}
	text := fmt.Sprintf("Trial %d won: %s", r.Winner+1, r.Trials[r.Winner].Name)
	switch {
	case !r.Scored:
		return text + ". It was not scored."
	case r.Confirmed:
		return text + ". It is better on fresh examples, too."
	case r.Confirmation == nil:
		return text + ". It is not confirmed: the examples that chose it flatter it."
	}
	return text + "."
}

func (r *Result) facts() []nameValue {
	facts := []nameValue{}
	add := func(name, format string, args ...any) {
		facts = append(facts, nameValue{name, fmt.Sprintf(format, args...)})
	}
	if r.Scored {
		add("Score", "%.3f, %s; %.3f before", r.Score, r.Interval, r.Baseline)
		add("Examples", "%s, %s", thousands(r.Rows), r.Objective)
	}
	if r.Confirmation != nil {
		verdict := "no gain, so the program stays as it was"
		if r.Confirmed {
			verdict = "confirmed"
		}
		add("Fresh examples", "%s: %s", r.Confirmation, verdict)
	}
	add("Trials", "%s", thousands(len(r.Trials)))
	add("Seed", "%d", r.Seed)
	if r.Wall > 0 {
		add("Time", "%s", r.Wall.Round(time.Millisecond))
	}
	return facts
}

// phaseRows are the parts of the search that took calls, and the sum.
func (r *Result) phaseRows() []phaseRow {
	var rows []phaseRow
	for _, p := range []struct {
		name  string
		spent Spent
	}{
		{bootstrappingName, r.Bootstrapping},
		{proposingName, r.Proposing},
		{searchingName, r.Searching},
		{confirmingName, r.Confirming},
		{"total", Spent{r.Calls, r.Usage}},
	} {
		if c := p.spent.Calls; c.Requested == 0 {
			continue
		}
		u := p.spent.Usage
		rows = append(rows, phaseRow{
			Name: p.name, Requested: thousands(p.spent.Calls.Requested), Paid: thousands(p.spent.Calls.Paid),
			In: thousands(u.PromptTokens), Out: thousands(u.CompletionTokens + u.ForcedTokens), Cost: costText(u),
		})
	}
	return rows
}

func costText(u lm.Usage) string {
	switch {
	case u.CostKnown():
		return u.Cost.String()
	case u.Cost == 0:
		return "not known"
	}
	return u.Cost.String() + " and more"
}

func (r *Result) trialRows() []trialRow {
	rows := make([]trialRow, len(r.Trials))
	for i, t := range r.Trials {
		row := trialRow{
			Number: i + 1, Name: cutText(t.Name, longestNote), Score: "-", Rows: "-", Failed: "-",
			Calls: thousands(t.Spent.Calls.Requested), Note: cutText(t.Note, longestNote), Best: i == r.Winner,
		}
		if len(t.Subscores) > 0 {
			row.Score, row.Rows, row.Failed = fmt.Sprintf("%.3f", t.Score), thousands(len(t.Subscores)), strconv.Itoa(t.Failed)
		}
		if t.Raw != t.Score && len(t.Subscores) > 0 {
			row.Score += fmt.Sprintf(" (%.3f without biases)", t.Raw)
		}
		if len(t.Parents) > 0 {
			row.Note = joined(parentsText(t.Parents), row.Note)
		}
		rows[i] = row
	}
	return rows
}

// parentsText names the trials that another was made from.
func parentsText(parents []int) string {
	s := "from"
	for i, p := range slices.Compact(slices.Clone(parents)) {
		if i > 0 {
			s += " and"
		}
		s += fmt.Sprintf(" #%d", p+1)
	}
	return s
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}

// cutText cuts a text to a number of characters and says what is gone.
func cutText(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return fmt.Sprintf("%s… (%s more characters)", string(runes[:n]), thousands(len(runes)-n))
}
