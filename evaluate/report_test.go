package evaluate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

func TestText(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact)
	require.NoError(t, err)
	assert.Equal(t, `score        0.667  mean, 95 % interval 0.300 to 0.903
rows             6  1 failed
LM calls         0  0 prompt tokens, 0 decoded

failed rows:
  dev.csv:4: the text is empty
`, report.String())

	var b bytes.Buffer
	require.NoError(t, report.Text(&b, evaluate.Rows))
	assert.Equal(t, `score        0.667  mean, 95 % interval 0.300 to 0.903
rows             6  1 failed
LM calls         0  0 prompt tokens, 0 decoded

dev.csv:1   1.000  {"label":"ham"}
dev.csv:2   1.000  {"label":"spam"}
dev.csv:3   1.000  {"label":"smishing"}
dev.csv:4   0.000  error: the text is empty
dev.csv:5   0.000  {"label":"ham"}
dev.csv:6   1.000  {"label":"ham"}
`, b.String())
}

func TestTextOfObjective(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact, evaluate.By(metric.MacroF1(labelOf)))
	require.NoError(t, err)
	text := report.String()
	assert.Regexp(t, `^score        0\.778  macro F1, 95 % interval 0\.\d{3} to \d\.\d{3}\nmean         0\.667  of the rows' scores\n`, text)
	assert.Equal(t, text, report.String())
}

func TestTextWithTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := module.Func[SMS, Verdict](func(ctx context.Context, in SMS) (Verdict, error) {
			time.Sleep(20 * time.Millisecond)
			return (&rules{}).Run(ctx, in)
		})
		report, err := evaluate.Run(t.Context(), slow, dev(), metric.Exact, evaluate.Concurrency(2))
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, report.Text(&b, evaluate.Times, evaluate.Rows))
		assert.Contains(t, b.String(), "time          60ms  a row takes 20ms (median), 20ms (95th percentile), 20ms (99th)\n")
		assert.Contains(t, b.String(), "dev.csv:1   1.000        20ms  {\"label\":\"ham\"}\n")

		b.Reset()
		require.NoError(t, report.WriteJSON(&b, evaluate.Times))
		var got struct {
			Times map[string]float64
			Rows  []struct{ Seconds float64 }
		}
		require.NoError(t, json.Unmarshal(b.Bytes(), &got))
		assert.Equal(t, map[string]float64{"wall_s": 0.06, "row_median_s": 0.02, "row_p95_s": 0.02, "row_p99_s": 0.02}, got.Times)
		assert.Equal(t, 0.02, got.Rows[5].Seconds)
	})
}

func TestManyFailures(t *testing.T) {
	t.Parallel()
	p := module.Func[SMS, Verdict](func(_ context.Context, in SMS) (Verdict, error) {
		return Verdict{}, fmt.Errorf("two\n lines of %q", in.Text)
	})
	data := append(dev(), dev()...)
	report, err := evaluate.Run(t.Context(), p, data, metric.Exact)
	require.NoError(t, err)
	assert.Contains(t, report.String(), "  dev.csv:1: two lines of \"see you at noon\"\n")
	assert.Contains(t, report.String(), "  and 7 more\n")
}

func TestJSON(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev()[2:5], metric.Exact)
	require.NoError(t, err)
	got, err := json.Marshal(report)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"objective": "mean", "score": 0.3333333333333333, "mean": 0.3333333333333333,
		"interval": {"low": 0.06149194472039624, "high": 0.7923403991979522, "level": 0.95},
		"ran": 3, "failed": 1, "skipped": 0,
		"usage": {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0},
		"rows": [
			{"id": "dev.csv:3", "in": {"text": "pay the toll at http://example.com"}, "want": {"label": "smishing"}, "got": {"label": "smishing"}, "score": 1},
			{"id": "dev.csv:4", "in": {"text": ""}, "want": {"label": "ham"}, "score": 0, "error": "the text is empty"},
			{"id": "dev.csv:5", "in": {"text": "cheap loans, call now"}, "want": {"label": "spam"}, "got": {"label": "ham"}, "score": 0}
		]}`, string(got))
	again, err := evaluate.Run(t.Context(), &rules{}, dev()[2:5], metric.Exact)
	require.NoError(t, err)
	same, err := json.Marshal(again)
	require.NoError(t, err)
	assert.Equal(t, string(got), string(same))
}

func TestLatencyPercentileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := module.Func[int, int](func(_ context.Context, i int) (int, error) {
			time.Sleep(time.Duration(i) * time.Second)
			return i, nil
		})
		run := func(n int) *evaluate.Report[int, int] {
			data := make([]module.Example[int, int], n)
			for i := range data {
				data[i].In = i + 1
			}
			report, err := evaluate.Run(t.Context(), wait, data, metric.Exact, evaluate.Concurrency(n))
			require.NoError(t, err)
			return report
		}
		// Durations are 1s, 2s and so on: the percentile is its rank.
		hundred := run(100)
		for p := range 101 {
			assert.Equal(t, time.Duration(max(p, 1))*time.Second, hundred.LatencyPercentile(float64(p)), "%d of 100", p)
		}
		assert.Equal(t, 8*time.Second, hundred.LatencyPercentile(7.001))
		assert.Equal(t, 161*time.Second, run(250).LatencyPercentile(64.4))
		assert.Equal(t, 33*time.Second, run(375).LatencyPercentile(8.8))
	})
}

func TestTextOfSkippedRows(t *testing.T) {
	t.Parallel()
	failing := module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) { return Verdict{}, errNoText })
	report, err := evaluate.Run(t.Context(), failing, dev()[:3], metric.Exact, evaluate.MaxErrors(1), evaluate.Concurrency(1))
	require.ErrorIs(t, err, errNoText)
	var b bytes.Buffer
	require.NoError(t, report.Text(&b, evaluate.Rows))
	assert.Contains(t, b.String(), "dev.csv:2   0.000  error: the text is empty\ndev.csv:3       -  did not run\n")
}
