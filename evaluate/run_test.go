package evaluate_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

func TestRunInfersItsTypes(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact)
	require.NoError(t, err)
	assert.InDelta(t, 4.0/6, report.Score, 1e-12)
	assert.InDelta(t, 4.0/6, report.Mean, 1e-12)
	assert.Equal(t, 1, report.Failed)
	assert.Zero(t, report.Skipped)
	assert.Equal(t, 6, report.Ran())
	assert.Equal(t, "mean", report.Objective().Name)
}

func TestRows(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact)
	require.NoError(t, err)
	for i, row := range report.Rows {
		assert.Equal(t, i, row.Index)
		assert.Equal(t, dev()[i], row.Example)
		assert.NotNil(t, row.Trace)
	}
	assert.Equal(t, Verdict{"ham"}, report.Rows[4].Out)
	assert.Zero(t, report.Rows[4].Score.Value)
	require.ErrorIs(t, report.Rows[3].Err, errNoText)
	failures := report.Failures()
	require.Len(t, failures, 1)
	assert.Equal(t, "dev.csv:4", failures[0].Name())
	unnamed := evaluate.Row[SMS, Verdict]{Index: 3}
	assert.Equal(t, "row 4", unnamed.Name())

	outcomes := report.Outcomes()
	require.Len(t, outcomes, 6)
	assert.Equal(t, metric.Outcome[Verdict]{ID: "dev.csv:4", Truth: Verdict{"ham"}, Failed: true}, outcomes[3])
	assert.Equal(t, metric.Outcome[Verdict]{ID: "dev.csv:3", Truth: Verdict{"smishing"}, Got: Verdict{"smishing"}, Score: 1}, outcomes[2])
}

func TestRunByObjective(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact,
		evaluate.By(metric.MacroF1(labelOf)), evaluate.FailureScore(-1))
	require.NoError(t, err)
	// ham: tp 2, fp 1, fn 1; spam: tp 1, fn 1; smishing: tp 1.
	assert.InDelta(t, (4.0/6+2.0/3+1)/3, report.Score, 1e-12)
	assert.InDelta(t, (4.0-1)/6, report.Mean, 1e-12, "the failure score counts in the mean")

	c, err := evaluate.Confusion(report, labelOf)
	require.NoError(t, err)
	assert.Equal(t, 1, c.Failed("ham"))
	assert.Equal(t, 1, c.Count("spam", "ham"))
	iv, err := report.Interval(metric.Resampling{Resamples: 200})
	require.NoError(t, err)
	assert.True(t, iv.Contains(report.Score))
}

func TestIntervalOfMean(t *testing.T) {
	t.Parallel()
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact)
	require.NoError(t, err)
	want, err := metric.Wilson(4, 6, 0.95)
	require.NoError(t, err)
	got, err := report.Interval(metric.Resampling{})
	require.NoError(t, err)
	assert.Equal(t, want, got, "0 and 1 only: Wilson")

	half := func(context.Context, module.Example[SMS, Verdict], Verdict, *trace.Trace) (metric.Score, error) {
		return metric.Score{Value: 0.5}, nil
	}
	report, err = evaluate.Run(t.Context(), &rules{}, dev(), half, evaluate.FailureScore(0.5))
	require.NoError(t, err)
	got, err = report.Interval(metric.Resampling{Resamples: 10})
	require.NoError(t, err)
	assert.Equal(t, metric.Interval{Low: 0.5, High: 0.5, Level: 0.95}, got)
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	badTruth := dev()
	badTruth[2].Out.Label = "phishing"
	var called atomic.Bool
	spy := module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) {
		called.Store(true)
		return Verdict{}, nil
	})
	tests := []struct {
		name string
		data []module.Example[SMS, Verdict]
		opts []evaluate.Option
		want string
	}{
		{"no data", nil, nil, "data set is empty"},
		{"concurrency", dev(), []evaluate.Option{evaluate.Concurrency(0)}, "concurrency 0"},
		{"errors", dev(), []evaluate.Option{evaluate.MaxErrors(-1)}, "at most -1"},
		{"failure score", dev(), []evaluate.Option{evaluate.FailureScore(math.Inf(-1))}, "failure score -Inf"},
		{"objective of another type", dev(), []evaluate.Option{evaluate.By(metric.Mean[SMS]())}, "the program's answers need a metric.Objective"},
		{"objective without a function", dev(), []evaluate.Option{evaluate.By(metric.Objective[Verdict]{Name: "x"})}, "no Score"},
		{"unknown label", badTruth, []evaluate.Option{evaluate.By(metric.MacroF1(labelOf))}, `"phishing" of row dev.csv:3 is none of ham, spam, smishing`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			report, err := evaluate.Run(t.Context(), spy, tt.data, metric.Exact, tt.opts...)
			require.ErrorContains(t, err, tt.want)
			assert.Nil(t, report)
			assert.False(t, called.Load(), "nothing may be paid for")
		})
	}
	_, err := evaluate.Run(t.Context(), spy, nil, metric.Exact)
	require.ErrorIs(t, err, evaluate.ErrNoData)
	_, err = evaluate.Run(t.Context(), spy, dev(), nil)
	require.ErrorContains(t, err, "metric is nil")
	_, err = evaluate.Run(t.Context(), nil, dev(), metric.Exact)
	require.ErrorContains(t, err, "program is nil")
}

func TestMetricFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("judge is ill")
	m := func(_ context.Context, ex module.Example[SMS, Verdict], _ Verdict, _ *trace.Trace) (metric.Score, error) {
		switch ex.ID {
		case "dev.csv:1":
			return metric.Score{Value: 0.7, Feedback: "half of it"}, broken
		case "dev.csv:2":
			return metric.Score{Value: math.NaN()}, nil
		}
		return metric.Score{Value: 1}, nil
	}
	report, err := evaluate.Run(t.Context(), &rules{}, dev(), m)
	require.NoError(t, err)
	assert.Equal(t, 3, report.Failed)
	require.ErrorIs(t, report.Rows[0].Err, broken)
	assert.Equal(t, metric.Score{Feedback: "half of it"}, report.Rows[0].Score)
	assert.Equal(t, Verdict{"ham"}, report.Rows[0].Out, "the answer is kept")
	require.ErrorContains(t, report.Rows[1].Err, "finite")
	assert.InDelta(t, 3.0/6, report.Score, 1e-12)
}

func TestObjectiveFailure(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func([]metric.Outcome[Verdict]) (float64, error){
		"error": func([]metric.Outcome[Verdict]) (float64, error) { return 0, errNoText },
		"NaN":   func([]metric.Outcome[Verdict]) (float64, error) { return math.NaN(), nil },
	} {
		report, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact, evaluate.By(metric.Objective[Verdict]{Name: "mine", Score: f}))
		require.ErrorContains(t, err, "computing the mine", name)
		require.NotNil(t, report, "the answers are not lost")
		assert.InDelta(t, 4.0/6, report.Mean, 1e-12)
	}
}

// TestObjectiveOfPartOfTheRows keeps both errors: why the evaluation stopped, and
// that the rows until then have no score.
func TestObjectiveOfPartOfTheRows(t *testing.T) {
	t.Parallel()
	few := errors.New("too few rows")
	picky := metric.Objective[Verdict]{Name: "picky", Score: func(rows []metric.Outcome[Verdict]) (float64, error) {
		if len(rows) < 6 {
			return 0, few
		}
		return 1, nil
	}}
	failing := module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) { return Verdict{}, errNoText })
	report, err := evaluate.Run(t.Context(), failing, dev(), metric.Exact, evaluate.MaxErrors(1), evaluate.Concurrency(1), evaluate.By(picky))
	var le *evaluate.LimitError
	require.ErrorAs(t, err, &le)
	require.ErrorIs(t, err, few)
	assert.Equal(t, 2, report.Ran())
}

// Items is an answer of which a label can only be read when there is one.
type Items struct {
	Items []Verdict `json:"items"`
}

// TestTruthAloneIsValidated has an objective that cannot read a zero answer: a row
// that has not run, or failed, has none.
func TestTruthAloneIsValidated(t *testing.T) {
	t.Parallel()
	var data []module.Example[SMS, Items]
	for _, ex := range dev() {
		data = append(data, module.Example[SMS, Items]{In: ex.In, Out: Items{[]Verdict{ex.Out}}, ID: ex.ID})
	}
	p := module.Func[SMS, Items](func(ctx context.Context, in SMS) (Items, error) {
		v, err := (&rules{}).Run(ctx, in)
		if err != nil {
			return Items{}, err
		}
		return Items{[]Verdict{v}}, nil
	})
	first := func(v Items) Label { return v.Items[0].Label }
	report, err := evaluate.Run(t.Context(), p, data, metric.Exact, evaluate.By(metric.MacroF1(first)))
	require.NoError(t, err)
	assert.InDelta(t, (4.0/6+2.0/3+1)/3, report.Score, 1e-12)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err = evaluate.Run(ctx, p, data, metric.Exact, evaluate.By(metric.MacroF1(first)))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 6, report.Skipped)
	_, err = evaluate.Confusion(report, first)
	require.NoError(t, err)
}

// Rows finish in another order than they start in, and no more than allowed at
// once.
func TestOrderAndConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		data := make([]module.Example[int, int], 20)
		for i := range data {
			data[i] = module.Example[int, int]{In: i, Out: i * i}
		}
		square := module.Func[int, int](func(_ context.Context, i int) (int, error) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Duration(len(data)-i) * time.Second)
			now.Add(-1)
			return i * i, nil
		})
		report, err := evaluate.Run(t.Context(), square, data, metric.Exact, evaluate.Concurrency(5))
		require.NoError(t, err)
		assert.Equal(t, 1.0, report.Score)
		assert.EqualValues(t, 5, most.Load())
		for i, row := range report.Rows {
			assert.Equal(t, i*i, row.Out)
			assert.Equal(t, time.Duration(len(data)-i)*time.Second, row.Duration)
		}
		// Durations are 1s to 20s.
		for p, want := range map[float64]time.Duration{0: 1, 5: 1, 50: 10, 51: 11, 95: 19, 100: 20, 200: 20, -1: 1} {
			assert.Equal(t, want*time.Second, report.LatencyPercentile(p), "%v", p)
		}
		assert.Greater(t, report.Wall, 20*time.Second)
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		slow := module.Func[SMS, Verdict](func(ctx context.Context, in SMS) (Verdict, error) {
			select {
			case <-time.After(time.Second):
				return (&rules{}).Run(ctx, in)
			case <-ctx.Done():
				return Verdict{}, ctx.Err()
			}
		})
		report, err := evaluate.Run(ctx, slow, dev(), metric.Exact, evaluate.Concurrency(2), evaluate.By(metric.Accuracy(labelOf)))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "stopped after 4 of 6 rows")
		assert.Equal(t, 4, report.Ran())
		assert.Equal(t, 2, report.Skipped)
		assert.Equal(t, 1, report.Failed)
		assert.InDelta(t, 3.0/4, report.Score, 1e-12)
		assert.True(t, report.Rows[5].Skipped)
		require.Error(t, report.Rows[5].Err, "this one was in flight")
		assert.Len(t, report.Outcomes(), 4)
	})
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := evaluate.Run(ctx, &rules{}, dev(), metric.Exact)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, report.Ran())
	assert.Zero(t, report.Score)
	assert.Zero(t, report.LatencyPercentile(50))
	_, err = report.Interval(metric.Resampling{})
	require.ErrorContains(t, err, "no row ran")
	assert.NotEmpty(t, report.String())
	_, err = report.MarshalJSON()
	require.NoError(t, err)
}

// A timeout of the program's own is its failure, and not a cancellation.
func TestOwnTimeoutIsAFailure(t *testing.T) {
	t.Parallel()
	p := module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) {
		return Verdict{}, context.DeadlineExceeded
	})
	report, err := evaluate.Run(t.Context(), p, dev(), metric.Exact)
	require.NoError(t, err)
	assert.Equal(t, 6, report.Failed)
}

func TestMaxErrors(t *testing.T) {
	t.Parallel()
	p := module.Func[SMS, Verdict](func(ctx context.Context, _ SMS) (Verdict, error) {
		return Verdict{}, errNoText
	})
	report, err := evaluate.Run(t.Context(), p, dev(), metric.Exact, evaluate.MaxErrors(2), evaluate.Concurrency(1))
	var le *evaluate.LimitError
	require.ErrorAs(t, err, &le)
	assert.Equal(t, 2, le.Max)
	assert.Equal(t, "dev.csv:3", le.Row)
	require.ErrorIs(t, err, errNoText)
	assert.Equal(t, 3, report.Failed)
	assert.Equal(t, 3, report.Skipped)

	report, err = evaluate.Run(t.Context(), p, dev(), metric.Exact, evaluate.MaxErrors(6))
	require.NoError(t, err)
	assert.Equal(t, 6, report.Failed)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ham := module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) { return Verdict{"ham"}, nil })
	before, err := evaluate.Run(t.Context(), ham, dev(), metric.Exact)
	require.NoError(t, err)
	after, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact)
	require.NoError(t, err)
	d, err := evaluate.Compare(before, after, metric.Resampling{Resamples: 500})
	require.NoError(t, err)
	assert.InDelta(t, 1.0/6, d.Value, 1e-12)
	assert.False(t, d.Significant())

	other, err := evaluate.Run(t.Context(), &rules{}, dev(), metric.Exact, evaluate.By(metric.Accuracy(labelOf)))
	require.NoError(t, err)
	_, err = evaluate.Compare(before, other, metric.Resampling{})
	require.ErrorContains(t, err, `"mean" with one by "accuracy"`)
}
