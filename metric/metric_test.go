package metric_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

type question struct {
	Text string `json:"text"`
}

type label string

func (label) Enum() []string { return []string{"a", "b", "c"} }

type answer struct {
	Label label    `json:"label"`
	Tags  []string `json:"tags"`
	At    time.Time
}

func TestExact(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	same := noon.In(time.FixedZone("CET", 3600))
	tests := []struct {
		name      string
		want, got answer
		score     float64
	}{
		{"equal", answer{Label: "a"}, answer{Label: "a"}, 1},
		{"other label", answer{Label: "a"}, answer{Label: "b"}, 0},
		{"other tags", answer{Tags: []string{"x"}}, answer{Tags: []string{"y"}}, 0},
		{"same instant", answer{At: noon}, answer{At: same}, 1},
		{"letter case counts", answer{Label: "a"}, answer{Label: "A"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := metric.Exact(t.Context(), module.Example[question, answer]{Out: tt.want}, tt.got, nil)
			require.NoError(t, err)
			assert.Equal(t, tt.score, s.Value)
		})
	}
}

func TestExactOn(t *testing.T) {
	t.Parallel()
	m := metric.ExactOn[question](func(a answer) string { return strings.ToLower(string(a.Label)) })
	s, err := m(t.Context(), module.Example[question, answer]{Out: answer{Label: "A", Tags: []string{"x"}}}, answer{Label: "a"}, nil)
	require.NoError(t, err)
	assert.Equal(t, metric.Bool(true), s)
	s, err = m(t.Context(), module.Example[question, answer]{Out: answer{Label: "b"}}, answer{Label: "a"}, nil)
	require.NoError(t, err)
	assert.Equal(t, metric.Bool(false), s)
}

func labelOf(a answer) label { return a.Label }

// eight rows: a is 3 right and 1 as b; b is 2 right, 1 as a, 1 failed; no c.
func eight() []metric.Outcome[answer] {
	row := func(truth, got label) metric.Outcome[answer] {
		o := metric.Outcome[answer]{Truth: answer{Label: truth}, Got: answer{Label: got}, Failed: got == ""}
		if truth == got {
			o.Score = 1
		}
		return o
	}
	return []metric.Outcome[answer]{
		row("a", "a"), row("a", "a"), row("a", "a"), row("a", "b"),
		row("b", "b"), row("b", "b"), row("b", "a"), row("b", ""),
	}
}

func TestObjectives(t *testing.T) {
	t.Parallel()
	tests := []struct {
		objective metric.Objective[answer]
		name      string
		want      float64
	}{
		{metric.Mean[answer](), "mean", 5.0 / 8},
		{metric.Accuracy(labelOf), "accuracy", 5.0 / 8},
		{metric.MacroF1(labelOf), "macro F1", (6.0/8 + 4.0/7 + 0) / 3},
		{metric.MacroF1(labelOf, "a", "b"), "macro F1", (6.0/8 + 4.0/7) / 2},
		{metric.BalancedAccuracy(labelOf), "balanced accuracy", (3.0/4 + 2.0/4) / 2},
		{metric.MacroF1(func(a answer) string { return string(a.Label) }, "b", "a"), "macro F1", (6.0/8 + 4.0/7) / 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.name, tt.objective.Name)
			require.NoError(t, tt.objective.Validate(eight()))
			got, err := tt.objective.Score(eight())
			require.NoError(t, err)
			assert.InDelta(t, tt.want, got, 1e-12)
			stat, err := tt.objective.Stat(eight())
			require.NoError(t, err)
			assert.InDelta(t, tt.want, stat([]int{7, 6, 5, 4, 3, 2, 1, 0}), 1e-12, "order must not matter")
		})
	}
}

func TestObjectiveErrors(t *testing.T) {
	t.Parallel()
	rows := eight()
	rows[4].Truth.Label, rows[4].ID = "hum", "dev.csv:5"
	_, err := metric.MacroF1(labelOf).Score(rows)
	var le *metric.LabelError
	require.ErrorAs(t, err, &le)
	assert.Equal(t, metric.LabelError{Row: "dev.csv:5", Label: "hum", Known: []string{"a", "b", "c"}}, *le)
	assert.EqualError(t, err, `metric: the true label "hum" of row dev.csv:5 is none of a, b, c`)
	require.ErrorAs(t, metric.MacroF1(labelOf).Validate(rows), &le)
	rows[4].ID = ""
	_, err = metric.BalancedAccuracy(labelOf).Score(rows)
	require.ErrorContains(t, err, "row number 5")

	_, err = metric.MacroF1(func(a answer) string { return string(a.Label) }).Score(rows)
	require.ErrorContains(t, err, "no label set")
	_, err = metric.MacroF1(labelOf, "a", "a").Score(rows)
	require.ErrorContains(t, err, `"a" twice`)
	for _, o := range []metric.Objective[answer]{metric.Mean[answer](), metric.MacroF1(labelOf)} {
		_, err = o.Score(nil)
		require.ErrorContains(t, err, "no rows")
		_, err = o.Stat(nil)
		require.ErrorContains(t, err, "no rows")
	}
	require.ErrorContains(t, metric.Objective[answer]{Name: "mine"}.Validate(nil), `"mine" has no Score`)
	_, err = metric.Objective[answer]{Name: "mine"}.Stat(rows)
	require.ErrorContains(t, err, `"mine" has no Score`)
}

func TestOwnObjective(t *testing.T) {
	t.Parallel()
	worst := metric.Objective[answer]{Name: "worst row", Score: func(rows []metric.Outcome[answer]) (float64, error) {
		m := math.Inf(1)
		for _, r := range rows {
			m = min(m, r.Score)
		}
		return m, nil
	}}
	require.NoError(t, worst.Validate(nil))
	stat, err := worst.Stat(eight())
	require.NoError(t, err)
	assert.Equal(t, 1.0, stat([]int{0, 1, 1}))
	assert.Equal(t, 0.0, stat([]int{0, 3}))
	iv, err := worst.Interval(eight(), metric.Resampling{Resamples: 100})
	require.NoError(t, err)
	assert.Equal(t, metric.Interval{Low: 0, High: 1, Level: 0.95}, iv)
}

// TestValidateReadsTheTruthAlone passes rows whose answers an objective could not
// read.
func TestValidateReadsTheTruthAlone(t *testing.T) {
	t.Parallel()
	first := func(a answer) string { return a.Tags[0] }
	rows := []metric.Outcome[answer]{{Truth: answer{Tags: []string{"x"}}}, {Truth: answer{Tags: []string{"y"}}}}
	require.NoError(t, metric.MacroF1(first, "x", "y").Validate(rows))
	var le *metric.LabelError
	require.ErrorAs(t, metric.MacroF1(first, "x").Validate(rows), &le)
	assert.Equal(t, "y", le.Label)
	assert.False(t, rows[0].Failed, "the rows are the caller's")
}
