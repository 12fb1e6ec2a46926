package evaluate

import (
	"encoding/json"
	"io"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
)

type jsonReport struct {
	Objective   string           `json:"objective"`
	Score       float64          `json:"score"`
	Interval    *metric.Interval `json:"interval,omitempty"`
	Mean        float64          `json:"mean"`
	Ran         int              `json:"ran"`
	Failed      int              `json:"failed"`
	Skipped     int              `json:"skipped"`
	Assertions  *jsonTally       `json:"assertions,omitempty"`
	Usage       jsonUsage        `json:"usage"`
	MetricUsage *jsonUsage       `json:"metric_usage,omitempty"`
	Times       *jsonTimes       `json:"times,omitempty"`
	Rows        []jsonRow        `json:"rows"`
}

type jsonUsage struct {
	Calls            int `json:"calls"`
	CachedCalls      int `json:"cached_calls,omitempty"`
	PromptTokens     int `json:"prompt_tokens"`
	CachedTokens     int `json:"cached_tokens,omitempty"`
	CompletionTokens int `json:"completion_tokens"`
	ForcedTokens     int `json:"forced_tokens,omitempty"`
	ReasoningTokens  int `json:"reasoning_tokens,omitempty"`
	// PricedCalls have cost CostUSD; what the others did is not known.
	PricedCalls int      `json:"priced_calls,omitempty"`
	CostUSD     *float64 `json:"cost_usd,omitempty"`
}

// jsonTally is there where an assertion or a suggestion has failed.
type jsonTally struct {
	Asserts          int `json:"asserts"`
	Suggestions      int `json:"suggestions"`
	UnmetAsserts     int `json:"unmet_asserts"`
	UnmetSuggestions int `json:"unmet_suggestions"`
	// UnmetRows is the number of rows with an unmet one; of the report alone.
	UnmetRows *int `json:"unmet_rows,omitempty"`
}

type jsonTimes struct {
	Wall   float64 `json:"wall_s"`
	Median float64 `json:"row_median_s"`
	P95    float64 `json:"row_p95_s"`
	P99    float64 `json:"row_p99_s"`
}

type jsonRow struct {
	ID         string       `json:"id"`
	In         any          `json:"in"`
	Want       any          `json:"want"`
	Got        any          `json:"got,omitempty"`
	Score      *float64     `json:"score,omitempty"`
	Feedback   string       `json:"feedback,omitempty"`
	Error      string       `json:"error,omitempty"`
	Skipped    bool         `json:"skipped,omitempty"`
	Assertions *jsonTally   `json:"assertions,omitempty"`
	Choices    []jsonChoice `json:"choices,omitempty"`
	Seconds    *float64     `json:"seconds,omitempty"`
}

func usageJSON(u lm.Usage) jsonUsage {
	j := jsonUsage{
		Calls: u.Calls, CachedCalls: u.CachedCalls, PromptTokens: u.PromptTokens, CachedTokens: u.CachedTokens,
		CompletionTokens: u.CompletionTokens, ForcedTokens: u.ForcedTokens, ReasoningTokens: u.ReasoningTokens, PricedCalls: u.PricedCalls,
	}
	if u.PricedCalls > 0 {
		cost := u.Cost.Dollars()
		j.CostUSD = &cost
	}
	return j
}

func tallyJSON(c assert.Tally) *jsonTally {
	if c.Failed() == 0 {
		return nil
	}
	return &jsonTally{Asserts: c.Asserts, Suggestions: c.Suggestions, UnmetAsserts: c.UnmetAsserts, UnmetSuggestions: c.UnmetSuggestions}
}

// MarshalJSON writes the report with all rows and without times: the same for
// the same answers, byte for byte. Inputs and outputs are written as
// encoding/json writes their types.
func (r *Report[In, Out]) MarshalJSON() ([]byte, error) { return json.Marshal(r.json(false)) }

// WriteJSON writes the report as indented JSON; [Times] adds durations, in
// seconds.
func (r *Report[In, Out]) WriteJSON(w io.Writer, details ...Detail) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r.json(has(details, Times)))
}

func (r *Report[In, Out]) json(times bool) jsonReport {
	out := jsonReport{
		Objective: r.objective.Name, Score: r.Score, Mean: r.Mean,
		Ran: r.Ran(), Failed: r.Failed, Skipped: r.Skipped, Usage: usageJSON(r.Usage),
		Rows: make([]jsonRow, len(r.Rows)),
	}
	if out.Assertions = tallyJSON(r.Assertions); out.Assertions != nil {
		out.Assertions.UnmetRows = &r.Unmet
	}
	if iv, err := r.Interval(metric.Resampling{}); err == nil {
		out.Interval = &iv
	}
	if r.MetricUsage != (lm.Usage{}) {
		u := usageJSON(r.MetricUsage)
		out.MetricUsage = &u
	}
	if times {
		out.Times = &jsonTimes{r.Wall.Seconds(), r.LatencyPercentile(50).Seconds(), r.LatencyPercentile(95).Seconds(), r.LatencyPercentile(99).Seconds()}
	}
	for i := range r.Rows {
		out.Rows[i] = r.Rows[i].json(times)
	}
	return out
}

func (row *Row[In, Out]) json(times bool) jsonRow {
	j := jsonRow{ID: row.Name(), In: row.Example.In, Want: row.Example.Out, Skipped: row.Skipped}
	if row.Err != nil {
		j.Error = row.Err.Error()
	}
	if row.Skipped {
		return j
	}
	if row.Err == nil {
		j.Got = row.Out
	}
	j.Assertions = tallyJSON(row.Assertions)
	j.Score, j.Feedback = &row.Score.Value, row.Score.Feedback
	for _, c := range row.Choices {
		j.Choices = append(j.Choices, choiceJSON(c))
	}
	if times {
		s := row.Duration.Seconds()
		j.Seconds = &s
	}
	return j
}

type jsonChoice struct {
	Field   string       `json:"field"`
	Picked  string       `json:"picked"`
	Options []jsonOption `json:"options"`
}

type jsonOption struct {
	Text string  `json:"text"`
	Prob float64 `json:"prob"`
}

func choiceJSON(c lm.Choice) jsonChoice {
	j := jsonChoice{Field: c.Name, Options: make([]jsonOption, len(c.Options))}
	for i, o := range c.Options {
		j.Options[i] = jsonOption{o.Text, o.Prob}
		if i == c.Picked {
			j.Picked = o.Text
		}
	}
	return j
}
