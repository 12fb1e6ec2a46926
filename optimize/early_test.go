package optimize_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// calibrated returns a program with good biases, for which taking them off is a
// loss.
func calibrated(t *testing.T, m lm.LM) (*module.Predict[message, verdict], map[string]float64) {
	t.Helper()
	p := newClassifier(m)
	biases := map[string]float64{"ham": 0, "spam": -6, "smishing": 0}
	st := p.Predictor().State()
	st.Biases = map[string]map[string]float64{"label": biases}
	if err := p.Predictor().SetState(st); err != nil {
		t.Fatal(err)
	}
	return p, biases
}

// TestCalibrateEndsEarly keeps the program's biases, whatever ends the search
// after they were taken off.
func TestCalibrateEndsEarly(t *testing.T) {
	t.Parallel()
	train := rare(0, 100)
	check := func(t *testing.T, r *optimize.Result, biases map[string]float64) {
		t.Helper()
		if r == nil {
			t.Fatal("no result")
		}
		if r.Winner != -1 || len(r.Trials) != 1 || r.Score != r.Baseline || r.Score < 0.9 || r.Why != "the search ended early" ||
			!r.Interval.Contains(r.Score) || !maps.Equal(r.States[0].State.Biases["label"], biases) {
			t.Errorf("want the program as it was, got %s, biases %v", r, r.States[0].State.Biases)
		}
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var n atomic.Int64
		m := func(ctx context.Context, ex example, got verdict, tr *trace.Trace) (metric.Score, error) {
			if n.Add(1) == 250 { // in the fit
				cancel()
			}
			return metric.Exact(ctx, ex, got, tr)
		}
		p, biases := calibrated(t, biased(0.8))
		r, err := optimize.Compile(ctx, optimize.Calibrate{}, p, train, m, macroF1())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		check(t, r, biases)
	})
	t.Run("no objective", func(t *testing.T) {
		t.Parallel()
		p, biases := calibrated(t, biased(0.8))
		many := errors.New("too many rows") // of which the fit makes several of each
		mean := metric.Objective[verdict]{Name: "mean of few", Score: func(rows []metric.Outcome[verdict]) (float64, error) {
			if len(rows) > len(train) {
				return 0, many
			}
			return metric.Mean[verdict]().Score(rows)
		}}
		r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, train, metric.Exact, optimize.By(mean))
		if !errors.Is(err, many) {
			t.Errorf("got %v", err)
		}
		check(t, r, biases)
	})
	t.Run("no choices", func(t *testing.T) {
		t.Parallel()
		unscored := lmtest.Answer(func(r *lm.Request) (string, error) {
			resp, err := biased(0).Generate(t.Context(), r)
			if err != nil {
				return "", err
			}
			return resp.Text, nil
		})
		p, biases := calibrated(t, unscored)
		r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, train, metric.Exact, macroF1())
		if !errors.Is(err, optimize.ErrNoChoices) {
			t.Errorf("got %v", err)
		}
		check(t, r, biases)
	})
}

// TestCalibrateTakesOffBiases finds that a program is better without the biases
// that it has.
func TestCalibrateTakesOffBiases(t *testing.T) {
	t.Parallel()
	model := &scoring{logProbs: func(r *lm.Request, _ string, texts []string) []float64 {
		lp := make([]float64, len(texts))
		lp[strings.IndexByte("012", messageNumber.FindStringSubmatch(question(r))[1][0])] = 4
		return lp
	}}
	p, _ := calibrated(t, model)
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, messages(3), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if r.Winner != 0 || r.Score != 1 || r.Baseline == 1 || len(r.States[0].State.Biases) != 0 || !strings.Contains(r.Why, "without its biases") {
		t.Errorf("got %s, biases %v", r, r.States[0].State.Biases)
	}
}

// TestEarlyEndIsNoLoss stops a search whose one trial so far is worse than the
// program as it was.
func TestEarlyEndIsNoLoss(t *testing.T) {
	t.Parallel()
	p := newClassifier(lmtest.Answer(golden))
	r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 8}, p, messages(20), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(p); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var progress cancelAfter
	progress.cancel = cancel
	r, err = optimize.Compile(ctx, search, p, messages(20), metric.Exact, optimize.Progress(&progress))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if len(r.Trials) != 1 || r.Trials[0].Score != 0.75 || r.Winner != -1 || r.Score != 0.9 || len(r.States[0].State.Demos) != 8 {
		t.Errorf("got %s", r)
	}
}

// cancelAfter cancels with the first line.
type cancelAfter struct{ cancel func() }

func (c *cancelAfter) Write(p []byte) (int, error) { c.cancel(); return len(p), nil }

// TestErrorsNameTheExample looks for the ID in whatever an example's error gets
// into.
func TestErrorsNameTheExample(t *testing.T) {
	t.Parallel()
	train := messages(10)
	for i := range train {
		train[i].ID = "first100.csv:" + train[i].ID
	}
	boom := errors.New("boom")
	failing := func(first int) *module.Predict[message, verdict] {
		return newClassifier(lmtest.Answer(func(r *lm.Request) (string, error) {
			if n := messageNumber.FindStringSubmatch(question(r))[1]; int(n[0]-'0') >= first {
				return "", boom
			}
			return golden(r)
		}))
	}
	r, err := optimize.Compile(t.Context(), optimize.RandomSearch{MaxBootstrapped: 20, MaxLabeled: 2, MaxErrors: 3, Candidates: optimize.None}, failing(7), train, metric.Exact)
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "error 3 of at most 3, at training example first100.csv:9: ") {
		t.Errorf("bootstrapping: %v", err)
	}
	if trial := r.Trials[0].Err; !errors.Is(trial, boom) || !strings.HasPrefix(trial.Error(), "first100.csv:7: ") {
		t.Errorf("the trial's error is %v", trial)
	}
	_, err = optimize.Compile(t.Context(), optimize.RandomSearch{MaxLabeled: 2, MaxErrors: 100, Candidates: optimize.None}, failing(0), train, metric.Exact)
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "every example of every candidate failed; the first error: first100.csv:0: ") {
		t.Errorf("where all fail: %v", err)
	}
	// Without an ID it is the number.
	train[0].ID = ""
	_, err = optimize.Compile(t.Context(), optimize.BootstrapFewShot{MaxErrors: optimize.None}, failing(0), train, metric.Exact)
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "at training example number 1: ") {
		t.Errorf("without an ID: %v", err)
	}
	judge := func(context.Context, example, verdict, *trace.Trace) (metric.Score, error) {
		return metric.Score{}, boom
	}
	_, err = optimize.Compile(t.Context(), optimize.BootstrapFewShot{MaxErrors: optimize.None}, failing(10), train[1:], judge)
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "first100.csv:1: metric: boom") {
		t.Errorf("an error of the metric: %v", err)
	}
	bad := messages(3)
	bad[1] = example{In: message{"message 1"}, Out: verdict{"egg"}, ID: "dev.csv:2"}
	for name, opt := range map[string]optimize.Option{"validation": optimize.Val(bad), "fresh": optimize.Confirm(bad)} {
		if _, err := optimize.Compile(t.Context(), search, failing(10), train, metric.Exact, opt); err == nil || !strings.Contains(err.Error(), name+" example dev.csv:2: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCalibrateWhereAllFails says why there is nothing to calibrate, and leaves
// a candidate of a search that fails to the others.
func TestCalibrateWhereAllFails(t *testing.T) {
	t.Parallel()
	boom := errors.New("the prompt is too long")
	dead := newClassifier(lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return nil, boom }))
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, dead, messages(8), metric.Exact)
	if !errors.Is(err, boom) || errors.Is(err, optimize.ErrNoChoices) || !strings.Contains(err.Error(), "every training example failed; the first error: 0: ") || r.Winner != -1 {
		t.Errorf("got %v and %v", r, err)
	}

	model := biased(0.5)
	var long atomic.Bool
	short := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
		if len(r.Messages) > 10 {
			long.Store(true)
			return nil, boom
		}
		return model.Generate(ctx, r)
	})
	opt := optimize.RandomSearch{MaxBootstrapped: optimize.None, MaxLabeled: 8, Candidates: optimize.None}
	r, err = optimize.Compile(t.Context(), opt, newClassifier(short), rare(0, 60), metric.Exact, macroF1(), optimize.Calibrated(optimize.Calibrate{}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Trials) != 3 || !long.Load() || r.Trials[1].Failed != 60 || r.Winner != 0 || r.Score < 0.9 {
		t.Errorf("got %s", r)
	}
}

// TestConfirmWhatStays runs nothing on fresh examples where the search itself
// kept the program.
func TestConfirmWhatStays(t *testing.T) {
	t.Parallel()
	p, _ := calibrated(t, biased(0))
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, rare(0, 100), metric.Exact, macroF1(), optimize.Confirm(rare(1000, 50)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Winner != -1 || r.Calls.Paid != 100 || r.Confirmation != nil || !strings.Contains(r.Why, "gained nothing") {
		t.Errorf("got %s", r)
	}
}
