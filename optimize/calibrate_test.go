package optimize_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// rare returns messages of which most are ham: i%10 of 0 is spam and of 5
// smishing.
func rare(from, n int) []example {
	out := make([]example, n)
	for i := range out {
		k := from + i
		l := label("ham")
		switch k % 10 {
		case 0:
			l = "spam"
		case 5:
			l = "smishing"
		}
		out[i] = example{In: message{fmt.Sprintf("message %d", k)}, Out: verdict{l}, ID: strconv.Itoa(k)}
	}
	return out
}

// biased knows the right label of rare's messages, with some noise, and prefers
// spam by 6 nats whatever the message.
func biased(noise float64) *scoring {
	return &scoring{logProbs: func(r *lm.Request, _ string, texts []string) []float64 {
		k, err := strconv.Atoi(messageNumber.FindStringSubmatch(question(r))[1])
		if err != nil {
			return nil
		}
		right := string(rare(k, 1)[0].Out.Label)
		rng := rand.New(rand.NewPCG(uint64(k), 7))
		lp := make([]float64, len(texts))
		for i, t := range texts {
			lp[i] = noise * rng.NormFloat64()
			if strings.Contains(t, right) {
				lp[i] += 3
			}
			if strings.Contains(t, "spam") {
				lp[i] += 6
			}
		}
		return lp
	}}
}

func macroF1() optimize.Option {
	return optimize.By(metric.MacroF1(func(v verdict) label { return v.Label }))
}

func TestCalibrateRecoversAccuracy(t *testing.T) {
	t.Parallel()
	for _, method := range []optimize.Method{optimize.MaxObjective, optimize.MaxLikelihood} {
		t.Run(method.String(), func(t *testing.T) {
			t.Parallel()
			model := biased(0.8)
			p := module.MustPredict[message, verdict]("", module.WithLM(model))
			train, val := rare(0, 100), rare(1000, 400)
			r, err := optimize.Compile(t.Context(), optimize.Calibrate{Method: method}, p, train, metric.Exact, optimize.Val(val), macroF1())
			if err != nil {
				t.Fatal(err)
			}
			if r.Baseline > 0.2 || r.Score < 0.9 {
				t.Errorf("macro F1 %.3f before and %.3f after, want below 0.2 and above 0.9", r.Baseline, r.Score)
			}
			b := r.States[0].State.Biases["label"]
			if len(b) != 3 || b["ham"] != 0 || b["spam"] > -4 || b["spam"] < -9 || math.Abs(b["smishing"]) > 2.5 {
				t.Errorf("unexpected biases %v", b)
			}
			// Each row is asked once, and known under the biases.
			if n := int(model.calls.Load()); n != 500 || r.Calls.Paid != 500 || r.Calls.Requested != 900 {
				t.Errorf("%d calls were made and %+v counted, want 500 of 900", n, r.Calls)
			}
			// The store's answer under biases is the model's.
			if err := r.Apply(p); err != nil {
				t.Fatal(err)
			}
			right := 0.0
			for i, ex := range val {
				got, err := p.Run(t.Context(), ex.In)
				if err != nil {
					t.Fatal(err)
				}
				if s := r.Trials[r.Winner].Subscores[i]; (s == 1) != (got == ex.Out) {
					t.Fatalf("row %d: the search scored %v, but the program answers %v", i, s, got)
				}
				if got == ex.Out {
					right++
				}
			}
			if right < 380 {
				t.Errorf("%v of 400 answers are right", right)
			}
		})
	}
}

// TestCalibrateNoGain keeps a program whose model needs no bias.
func TestCalibrateNoGain(t *testing.T) {
	t.Parallel()
	model := &scoring{logProbs: func(r *lm.Request, _ string, texts []string) []float64 {
		i := strings.Index(question(r), "message ")
		k := int(question(r)[i+8] - '0')
		lp := make([]float64, len(texts))
		lp[k%len(texts)] = 2
		return lp
	}}
	p := module.MustPredict[message, verdict]("", module.WithLM(model))
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, messages(9), metric.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if r.Score != 1 || r.Baseline != 1 || r.Winner != -1 || r.Improved() || r.States[0].State.Biases != nil {
		t.Errorf("unexpected result: %s", r)
	}
}

func TestCalibratedSearch(t *testing.T) {
	t.Parallel()
	model := biased(0.8)
	p := module.MustChainOfThought[message, verdict]("", module.WithLM(model))
	opt := optimize.RandomSearch{MaxBootstrapped: 2, MaxLabeled: 4, Candidates: 2}
	r, err := optimize.Compile(t.Context(), opt, p, rare(0, 60), metric.Exact, macroF1(), optimize.Calibrated(optimize.Calibrate{}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Trials) != 5 {
		t.Fatalf("%d trials, want 5", len(r.Trials))
	}
	for _, trial := range r.Trials {
		if trial.Raw > 0.2 || trial.Score < 0.85 || len(trial.States[0].State.Biases["label"]) != 3 {
			t.Errorf("%s: macro F1 %.3f raw and %.3f calibrated, biases %v", trial.Name, trial.Raw, trial.Score, trial.States[0].State.Biases)
		}
	}
	if r.Baseline != r.Trials[0].Raw {
		t.Errorf("the baseline %v is not that of the program as it was, %v", r.Baseline, r.Trials[0].Raw)
	}
}

// TestCalibrateLeavesOutDemos gives a model that repeats the labels of its demos
// with certainty and prefers spam otherwise. Fitted to the demos' rows too, the
// biases would be too small.
func TestCalibrateLeavesOutDemos(t *testing.T) {
	t.Parallel()
	model := biased(0.5)
	inner := model.logProbs
	model.logProbs = func(r *lm.Request, hole string, texts []string) []float64 {
		q := question(r)
		for i, m := range r.Messages[:len(r.Messages)-1] {
			if m.Role == lm.RoleUser && messageNumber.FindString(m.Text()) == messageNumber.FindString(q) {
				lp := make([]float64, len(texts))
				for j, text := range texts {
					if strings.Contains(r.Messages[i+1].Text(), "\n"+text+"\n") {
						lp[j] = 100
					}
				}
				return lp
			}
		}
		return inner(r, hole, texts)
	}
	p := module.MustPredict[message, verdict]("", module.WithLM(model))
	train := rare(0, 60)
	var progress strings.Builder
	r, err := optimize.Compile(t.Context(), optimize.LabeledFewShot{K: 50}, p, train, metric.Exact,
		optimize.Val(rare(1000, 200)), macroF1(), optimize.Calibrated(optimize.Calibrate{Method: optimize.MaxLikelihood}), optimize.Progress(&progress))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(progress.String(), "from 10 examples") {
		t.Errorf("the fit did not leave out the 50 demos of 60 examples:\n%s", progress.String())
	}
	if r.Score < 0.8 {
		t.Errorf("macro F1 is %.3f", r.Score)
	}
}

type flags struct {
	Urgent bool `json:"urgent"`
	Safe   bool `json:"safe"`
}

// TestCalibrateBools fits two fields of one call.
func TestCalibrateBools(t *testing.T) {
	t.Parallel()
	number := func(r *lm.Request) int {
		k, _ := strconv.Atoi(messageNumber.FindStringSubmatch(question(r))[1])
		return k
	}
	model := &scoring{logProbs: func(r *lm.Request, hole string, texts []string) []float64 {
		k := number(r)
		yes, shift := k%4 == 0, 5.0
		if hole == "safe" {
			yes, shift = k%3 != 0, -7
		}
		lp := make([]float64, len(texts))
		for i, text := range texts {
			if strings.EqualFold(text, "true") {
				lp[i] = shift
				if yes {
					lp[i] += 2
				}
			}
		}
		return lp
	}}
	var train []module.Example[message, flags]
	for k := range 48 {
		train = append(train, module.Example[message, flags]{In: message{fmt.Sprintf("message %d", k)}, Out: flags{k%4 == 0, k%3 != 0}})
	}
	p := module.MustPredict[message, flags]("", module.WithLM(model))
	half := func(_ context.Context, ex module.Example[message, flags], got flags, _ *trace.Trace) (metric.Score, error) {
		s := metric.Score{}
		if got.Urgent == ex.Out.Urgent {
			s.Value += 0.5
		}
		if got.Safe == ex.Out.Safe {
			s.Value += 0.5
		}
		return s, nil
	}
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, train, half)
	if err != nil {
		t.Fatal(err)
	}
	if r.Score != 1 || r.Baseline > 0.4 {
		t.Errorf("score %.3f before and %.3f after, biases %v", r.Baseline, r.Score, r.States[0].State.Biases)
	}
}

func TestCalibrateErrors(t *testing.T) {
	t.Parallel()
	p := module.MustPredict[message, verdict]("", module.WithLM(lmtest.Answer(golden)))
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, messages(8), metric.Exact)
	if !errors.Is(err, optimize.ErrNoChoices) {
		t.Errorf("got %v, want ErrNoChoices", err)
	}
	if r == nil || r.Winner != -1 || r.Score != r.Baseline || len(r.Trials) != 1 {
		t.Errorf("want the program as it was, got %v", r)
	}
	_, err = optimize.Compile(t.Context(), optimize.RandomSearch{}, p, messages(8), metric.Exact, optimize.Calibrated(optimize.Calibrate{}))
	if !errors.Is(err, optimize.ErrNoChoices) {
		t.Errorf("in a search: got %v, want ErrNoChoices", err)
	}

	type route struct {
		Kind label `json:"kind"`
	}
	inner := module.MustPredict[message, route]("", module.WithLM(biased(0)))
	q := &routed{Inner: inner.Predictor(), run: func(ctx context.Context, in message) (verdict, error) {
		got, err := inner.Run(ctx, in)
		return verdict{got.Kind}, err
	}}
	if _, err = optimize.Compile(t.Context(), optimize.Calibrate{}, q, messages(8), metric.Exact); !errors.Is(err, optimize.ErrNoReference) {
		t.Errorf("got %v, want ErrNoReference", err)
	}
}

// TestCalibrateSettings refuses settings before any call.
func TestCalibrateSettings(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]optimize.Calibrate{
		"Method(9)":      {Method: 9},
		"Smoothing NaN":  {Smoothing: math.NaN()},
		"Softening +Inf": {Softening: math.Inf(1)},
		"Softening 75":   {Softening: 75},
	} {
		model := biased(0)
		r, err := optimize.Compile(t.Context(), c, newClassifier(model), messages(8), metric.Exact)
		if err == nil || r != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v and %v, want an error that says %q", r, err, want)
		}
		r, err = optimize.Compile(t.Context(), search, newClassifier(model), messages(8), metric.Exact, optimize.Calibrated(c))
		if err == nil || r != nil || !strings.Contains(err.Error(), want) || model.calls.Load() != 0 {
			t.Errorf("in a search: got %v and %v, want an error that says %q", r, err, want)
		}
	}
}

// TestCalibrateWithBrokenScores has a metric that is no number for some answers
// which the program, as it is, never gives: they count as failed, here as in an
// evaluation.
func TestCalibrateWithBrokenScores(t *testing.T) {
	t.Parallel()
	broken := func(ctx context.Context, ex example, got verdict, tr *trace.Trace) (metric.Score, error) {
		if got.Label == "ham" && ex.Out.Label != "ham" {
			return metric.Score{Value: math.NaN()}, nil
		}
		return metric.Exact(ctx, ex, got, tr)
	}
	r, err := optimize.Compile(t.Context(), optimize.Calibrate{}, newClassifier(biased(0.8)), rare(0, 100), broken)
	if err != nil {
		t.Fatal(err)
	}
	if r.Baseline > 0.2 || r.Score < 0.9 {
		t.Errorf("got %s", r)
	}
}

type routed struct {
	Inner *module.Predictor
	run   func(context.Context, message) (verdict, error)
}

func (r *routed) Run(ctx context.Context, in message) (verdict, error) { return r.run(ctx, in) }
