package main

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"

	"github.com/whetgo/whet/lm/llamacpp"
)

// clean is how many cores may be busy elsewhere during a run that is to be trusted.
const clean = 0.05

// report is all that was found.
type report struct {
	Machine    string                           `json:"machine"`
	Model      string                           `json:"model"`
	Shipped    string                           `json:"shipped"` // the type of most weights in the file
	Chosen     map[llamacpp.WeightType]prepared `json:"weights"`
	Threads    int                              `json:"threads"`
	Rounds     int                              `json:"rounds"`
	ServerKV   int                              `json:"server_context"`
	DSPy       string                           `json:"dspy,omitempty"`
	NoPeer     string                           `json:"no_peer,omitempty"`
	Cold       bool                             `json:"cold,omitempty"`
	SameChat   *bool                            `json:"prompts_identical"` // nil: not compared
	Summaries  []summary                        `json:"configurations,omitempty"`
	Fits       map[string]fitted                `json:"calibrations,omitempty"`
	Searches   []searchSummary                  `json:"searches,omitempty"`
	CleanLimit float64                          `json:"clean_below_cores"`
}

// figure is the median of the runs, and from which to which they went.
type figure struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// summary is what the runs of one configuration say. Speedup and Memory are ratios to
// the peer's configuration Against: of the medians of rows per second and of the peak of
// the memory; 0 where the peer did not run.
type summary struct {
	Name     string     `json:"name"`
	Seconds  figure     `json:"s_per_100_rows"`
	Speed    float64    `json:"rows_per_s"`
	Against  string     `json:"against,omitempty"`
	Speedup  float64    `json:"speedup,omitempty"`
	Prompt   int        `json:"prompt_tokens"`
	Computed int        `json:"computed_tokens"`
	Decoded  int        `json:"decoded_tokens"`
	PeakMB   float64    `json:"peak_rss_mb"`
	Memory   float64    `json:"memory_ratio,omitempty"`
	Accuracy float64    `json:"accuracy"`
	MacroF1  float64    `json:"macro_f1"`
	Failed   int        `json:"failed_rows"`
	OtherCPU *float64   `json:"other_cpu"` // the most of any run
	Runs     []measured `json:"runs"`
}

// searchSummary is what the runs of one search say.
type searchSummary struct {
	Name    string     `json:"name"`
	Seconds figure     `json:"s"`
	Runs    []searched `json:"runs"`
}

func (b *bench) report() *report {
	r := &report{
		Machine: machineName(), Model: b.modelName(), Chosen: map[llamacpp.WeightType]prepared{}, Threads: b.threads, Rounds: b.rounds, ServerKV: b.serverContext,
		NoPeer: b.noPeer, Cold: b.cold, Fits: b.fits, CleanLimit: clean,
	}
	for t, w := range b.weights {
		w.Path = "" // it names the user's home directory
		r.Chosen[t], r.Shipped = w, w.Shipped
	}
	for _, c := range b.configs {
		if runs := b.searches[c.name()]; len(runs) > 0 {
			r.Searches = append(r.Searches, searchSummary{c.name(), figureOf(runs, func(s searched) float64 { return s.Wall }), runs})
		}
		runs := b.runs[c.name()]
		if len(runs) == 0 {
			continue
		}
		r.Summaries = append(r.Summaries, summarise(c, runs, b.runs[c.against().name()]))
		if c.peer {
			r.DSPy = runs[0].DSPy
		}
	}
	r.SameChat = b.samePrompts()
	return r
}

// summarise sums up a configuration's runs; peer are those of the one that it is
// compared with.
func summarise(c config, runs, peer []measured) summary {
	s := summary{Name: c.name(), Runs: runs, Seconds: figureOf(runs, secondsPer100)}
	median := func(of func(measured) float64) float64 { return figureOf(runs, of).Median }
	s.Speed = 100 / s.Seconds.Median
	s.Prompt = int(median(func(m measured) float64 { return float64(m.PromptTokens) }))
	s.Computed = int(median(func(m measured) float64 { return float64(m.ComputedTokens) }))
	s.Decoded = int(median(func(m measured) float64 { return float64(m.CompletionTokens) }))
	s.PeakMB, s.Accuracy, s.MacroF1 = median(peakMB), median(accuracy), median(func(m measured) float64 { return m.MacroF1 })
	for _, m := range runs {
		s.OtherCPU = most(s.OtherCPU, m.OtherCPU)
		s.Failed = max(s.Failed, m.FailedRows)
	}
	if c.peer || len(peer) == 0 {
		return s
	}
	s.Against = c.against().name()
	s.Speedup = figureOf(peer, secondsPer100).Median / s.Seconds.Median
	if mb := figureOf(peer, peakMB).Median; mb > 0 {
		s.Memory = s.PeakMB / mb
	}
	return s
}

func secondsPer100(m measured) float64 { return 100 * m.Wall / float64(m.Rows) }
func peakMB(m measured) float64        { return m.PeakMB }
func accuracy(m measured) float64      { return m.Accuracy }

// figureOf sums up a number of runs, of which there is at least one. The median of an
// even number is the mean of the two in the middle.
func figureOf[T any](runs []T, of func(T) float64) figure {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	n := len(values)
	return figure{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1]}
}

// most returns the larger, where both are known; nil is not known.
func most(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// samePrompts reports whether our chat programs sent the peer's messages to the byte.
func (b *bench) samePrompts() *bool {
	var same *bool
	for _, c := range b.configs {
		ours, theirs := b.runs[c.name()], b.runs[c.against().name()]
		if c.peer || len(ours) == 0 || len(theirs) == 0 || ours[0].Prompts == "" {
			continue
		}
		equal := ours[0].Prompts == theirs[0].Prompts && (same == nil || *same)
		same = &equal
	}
	return same
}

// write writes the report as JSON.
func (r *report) write(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// cores formats a number of cores that may not be known.
func cores(v *float64) string {
	if v == nil {
		return "?"
	}
	return strconv.FormatFloat(*v, 'f', 2, 64)
}
