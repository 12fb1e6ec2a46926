package optimize

import (
	"encoding/json"
	"io"
	"math"

	"github.com/whetgo/whet/metric"
)

type resultJSON struct {
	Optimizer    string            `json:"optimizer"`
	Objective    string            `json:"objective"`
	Scored       bool              `json:"scored"`
	Score        float64           `json:"score"`
	Baseline     float64           `json:"baseline"`
	Interval     *metric.Interval  `json:"interval,omitempty"`
	Rows         int               `json:"rows"`
	Winner       int               `json:"winner"`
	Why          string            `json:"why"`
	Confirmed    bool              `json:"confirmed"`
	Confirmation *confirmationJSON `json:"confirmation,omitempty"`
	Seed         int64             `json:"seed"`
	WallSeconds  float64           `json:"wall_s"`
	Total        spentJSON         `json:"total"`
	Phases       phasesJSON        `json:"phases"`
	Curve        []pointJSON       `json:"curve,omitempty"`
	Front        []frontJSON       `json:"front,omitempty"`
	Trials       []trialJSON       `json:"trials"`
}

type confirmationJSON struct {
	Value    float64         `json:"difference"`
	Interval metric.Interval `json:"interval"`
	P        float64         `json:"p"`
	Test     string          `json:"test"`
	Rows     int             `json:"rows"`
}

type phasesJSON struct {
	Bootstrapping *spentJSON `json:"bootstrapping,omitempty"`
	Proposing     *spentJSON `json:"proposing,omitempty"`
	Searching     *spentJSON `json:"searching,omitempty"`
	Confirming    *spentJSON `json:"confirming,omitempty"`
}

type spentJSON struct {
	Requested        int `json:"requested"`
	Paid             int `json:"paid"`
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	ForcedTokens     int `json:"forced_tokens,omitempty"`
	// PricedCalls have cost CostUSD; what the others did is not known.
	PricedCalls int     `json:"priced_calls"`
	CostUSD     float64 `json:"cost_usd"`
}

type pointJSON struct {
	Requested int     `json:"requested"`
	Paid      int     `json:"paid"`
	Score     float64 `json:"score"`
	Trial     int     `json:"trial"`
}

type frontJSON struct {
	Trial  int     `json:"trial"`
	Tokens float64 `json:"tokens"`
	Score  float64 `json:"score"`
}

type trialJSON struct {
	Name      string    `json:"name"`
	Seed      int       `json:"seed"`
	Score     float64   `json:"score"`
	Raw       float64   `json:"raw"`
	Subscores []float64 `json:"subscores,omitempty"`
	Failed    int       `json:"failed,omitempty"`
	Rows      []int     `json:"rows,omitempty"`
	Parents   []int     `json:"parents,omitempty"`
	Note      string    `json:"note,omitempty"`
	Spent     spentJSON `json:"spent"`
}

// WriteJSON writes the result as indented JSON: scores, every trial with its subscores, the
// curve, calls, tokens and cost by phase, time and seed, and why the search ended. What the
// winner looks like is a saved program's to tell (module.Save), and so it holds neither
// prompts nor data, nor any model's name, but for what the note of a trial quotes: a rule of
// [SIMBA], or an error of the prompt model. A score that is no finite number is written as 0.
func (r *Result) WriteJSON(w io.Writer) error {
	out := resultJSON{
		Optimizer: r.Optimizer, Objective: r.Objective, Scored: r.Scored, Score: finite(r.Score), Baseline: finite(r.Baseline),
		Rows: r.Rows, Winner: r.Winner, Why: r.Why, Confirmed: r.Confirmed, Seed: r.Seed, WallSeconds: r.Wall.Seconds(),
		Total: spentOf(Spent{r.Calls, r.Usage}), Trials: make([]trialJSON, len(r.Trials)),
		Phases: phasesJSON{spentOrNil(r.Bootstrapping), spentOrNil(r.Proposing), spentOrNil(r.Searching), spentOrNil(r.Confirming)},
	}
	if r.Scored {
		out.Interval = &r.Interval
	}
	if c := r.Confirmation; c != nil {
		out.Confirmation = &confirmationJSON{c.Value, c.Interval, c.P, c.Test, c.Rows}
	}
	for _, p := range r.Curve {
		out.Curve = append(out.Curve, pointJSON{p.Calls.Requested, p.Calls.Paid, finite(p.Score), p.Trial})
	}
	for _, p := range r.Front {
		out.Front = append(out.Front, frontJSON{p.Trial, finite(p.Tokens), finite(p.Score)})
	}
	for i, t := range r.Trials {
		out.Trials[i] = trialJSON{
			Name: t.Name, Seed: t.Seed, Score: finite(t.Score), Raw: finite(t.Raw), Subscores: t.Subscores, Failed: t.Failed,
			Rows: t.Rows, Parents: t.Parents, Note: t.Note, Spent: spentOf(t.Spent),
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func spentOf(s Spent) spentJSON {
	u := s.Usage
	return spentJSON{s.Calls.Requested, s.Calls.Paid, u.PromptTokens, u.CompletionTokens, u.ForcedTokens, u.PricedCalls, u.Cost.Dollars()}
}

func spentOrNil(s Spent) *spentJSON {
	if s == (Spent{}) {
		return nil
	}
	j := spentOf(s)
	return &j
}

// finite returns a number that JSON can write.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
