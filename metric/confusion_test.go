package metric_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/metric"
)

func TestConfusionFigures(t *testing.T) {
	t.Parallel()
	c, err := metric.ConfusionOf(eight(), labelOf)
	require.NoError(t, err)
	assert.Equal(t, 8, c.Total())
	assert.Equal(t, 5, c.Correct())
	assert.Equal(t, 3, c.Count("a", "a"))
	assert.Equal(t, 1, c.Count("a", "b"))
	assert.Equal(t, 0, c.Count("a", "no such label"))
	assert.Equal(t, 1, c.Failed("b"))
	assert.Equal(t, 0, c.Failed("no such label"))
	assert.Equal(t, []string{"a", "b", "c"}, c.Labels())

	want := []metric.Class{
		{Label: "a", PRF: metric.PRF{Precision: 3.0 / 4, Recall: 3.0 / 4, F1: 6.0 / 8}, Support: 4, Predicted: 4},
		{Label: "b", PRF: metric.PRF{Precision: 2.0 / 3, Recall: 2.0 / 4, F1: 4.0 / 7}, Support: 4, Predicted: 3},
		{Label: "c", PRF: metric.PRF{Undefined: true}},
	}
	if d := cmp.Diff(want, c.Classes()); d != "" {
		t.Error(d)
	}
	near := func(want, got metric.PRF) {
		t.Helper()
		assert.InDelta(t, want.Precision, got.Precision, 1e-12)
		assert.InDelta(t, want.Recall, got.Recall, 1e-12)
		assert.InDelta(t, want.F1, got.F1, 1e-12)
		assert.Equal(t, want.Undefined, got.Undefined)
	}
	near(metric.PRF{Precision: (3.0/4 + 2.0/3) / 3, Recall: (3.0/4 + 2.0/4) / 3, F1: (6.0/8 + 4.0/7) / 3, Undefined: true}, c.Macro())
	near(metric.PRF{Precision: (3.0/4 + 2.0/3) / 2, Recall: 5.0 / 8, F1: (6.0/8 + 4.0/7) / 2}, c.Weighted())
	near(metric.PRF{Precision: 5.0 / 7, Recall: 5.0 / 8, F1: 10.0 / 15}, c.Micro())
	assert.InDelta(t, 5.0/8, c.Accuracy(), 1e-12)
	assert.InDelta(t, 5.0/8, c.BalancedAccuracy(), 1e-12)
}

func TestConfusionText(t *testing.T) {
	t.Parallel()
	c, err := metric.ConfusionOf(eight(), labelOf)
	require.NoError(t, err)
	assert.Equal(t, `truth \ answer  a  b  c  failed
a               3  1  0       0
b               1  2  0       1
c               0  0  0       0

class     precision  recall      F1  rows
a            0.750   0.750   0.750      4
b            0.667   0.500   0.571      4
c            0.000*  0.000*  0.000*     0
macro        0.472   0.417   0.440      8
weighted     0.708   0.625   0.661      8
micro        0.714   0.625   0.667      8
* no such row or answer: undefined, counted as 0

accuracy 0.625 (95 % interval 0.306 to 0.863), balanced accuracy 0.625
`, c.String())
}

func TestConfusionJSON(t *testing.T) {
	t.Parallel()
	c, err := metric.NewConfusion("no", "yes")
	require.NoError(t, err)
	require.NoError(t, c.Add("no", "no"))
	require.NoError(t, c.Add("yes", "perhaps"))
	require.NoError(t, c.AddFailed("yes"))
	got, err := json.Marshal(c)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"labels": ["no","yes"], "counts": [[1,0,0],[0,0,2]], "total": 3,
		"classes": [
			{"label":"no","precision":1,"recall":1,"f1":1,"support":1,"predicted":1},
			{"label":"yes","precision":0,"recall":0,"f1":0,"undefined":true,"support":2,"predicted":0}],
		"macro": {"precision":0.5,"recall":0.5,"f1":0.5,"undefined":true},
		"micro": {"precision":1,"recall":0.3333333333333333,"f1":0.5},
		"weighted": {"precision":0.3333333333333333,"recall":0.3333333333333333,"f1":0.3333333333333333,"undefined":true},
		"accuracy": 0.3333333333333333, "balanced_accuracy": 0.5}`, string(got))
}

func TestConfusionEdges(t *testing.T) {
	t.Parallel()
	_, err := metric.NewConfusion()
	require.ErrorContains(t, err, "empty")
	_, err = metric.NewConfusion("x", "x")
	require.ErrorContains(t, err, "twice")

	c, err := metric.NewConfusion("x", "", "two\nlines", "größe")
	require.NoError(t, err)
	var le *metric.LabelError
	require.ErrorAs(t, c.Add("y", "x"), &le)
	require.ErrorAs(t, c.AddFailed("y"), &le)
	assert.Zero(t, c.Accuracy())
	assert.Zero(t, c.BalancedAccuracy())
	assert.True(t, c.Micro().Undefined)
	assert.True(t, c.Weighted().Undefined)
	assert.Contains(t, c.String(), `"two\nlines"`)
	assert.Contains(t, c.String(), `größe`)
}
