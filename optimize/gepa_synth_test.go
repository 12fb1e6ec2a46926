package optimize_test

import (
	"context"
	"math"
	"regexp"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// synthTold is an answer, and the instruction that it was given under, so that a metric can
// tell what that lacks.
type synthTold struct {
	Answer      string `json:"answer"`
	Instruction string `json:"instruction"`
}

// synthTaught is the program of the worlds with feedback.
type synthTaught struct {
	Answer *module.Predict[synthQuestion, synthAnswer]
}

func (p *synthTaught) Run(ctx context.Context, in synthQuestion) (synthTold, error) {
	a, err := p.Answer.Run(ctx, in)
	return synthTold{a.Answer, p.Answer.Predictor().StateIn(ctx).Instructions}, err
}

var itemMark = regexp.MustCompile(`item-(\d{4})`)

type toldExample = module.Example[synthQuestion, synthTold]

func toldItems(m *lmtest.SynthLM, from, n int) []toldExample {
	out := make([]toldExample, n)
	for i := range out {
		out[i] = toldExample{In: synthQuestion{m.Question(from + i)}, Out: synthTold{Answer: m.Label(from + i)}}
	}
	return out
}

// synthTeaching is the metric of these worlds, with feedback or without.
func synthTeaching(m *lmtest.SynthLM, feedback bool) metric.Metric[synthQuestion, synthTold] {
	return func(_ context.Context, ex toldExample, got synthTold, _ *trace.Trace) (metric.Score, error) {
		s := metric.Bool(got.Answer == ex.Out.Answer)
		if feedback {
			s.Feedback = m.Feedback(numberIn(itemMark, ex.In.Question), got.Instruction, got.Answer)
		}
		return s, nil
	}
}

// truthCurve is the exact expected accuracy of the best so far, by the calls paid.
type truthCurve struct {
	calls []int
	truth []float64
}

func (c truthCurve) at(calls int) float64 {
	v := c.truth[0]
	for i, n := range c.calls {
		if n <= calls {
			v = c.truth[i]
		}
	}
	return v
}

func newTruthCurve(t testing.TB, m *lmtest.SynthLM, r *optimize.Result) truthCurve {
	var c truthCurve
	for _, p := range r.Curve {
		states := r.Base
		if p.Trial >= 0 {
			states = r.Trials[p.Trial].States
		}
		c.calls = append(c.calls, p.Calls.Paid)
		c.truth = append(c.truth, synthTruth(t, m, states))
	}
	return c
}

// duel runs two optimizers on worlds with feedback, or where the metric gives none, each
// with its own copy of the model, which is its prompt model too.
func duel(t testing.TB, worlds []int, feedback bool, calls, val int, opts ...optimize.Optimizer) [][]truthCurve {
	curves := make([][]truthCurve, len(opts))
	for _, world := range worlds {
		for i, opt := range opts {
			m := synthWorld(t, lmtest.SynthFeedback, world)
			p := &synthTaught{module.MustPredict[synthQuestion, synthAnswer]("", module.WithLM(lm.LM(m)))}
			r, err := optimize.Compile(t.Context(), opt, p, toldItems(m, 0, lmtest.SynthTrain), synthTeaching(m, feedback),
				optimize.Val(toldItems(m, lmtest.SynthDev, val)), optimize.Concurrency(1), optimize.Within(optimize.Budget{Calls: calls}))
			if r == nil || err != nil && r.Calls.Paid < calls {
				t.Fatalf("world %d, %s: %v", world, opt, err)
			}
			curves[i] = append(curves[i], newTruthCurve(t, m, r))
		}
	}
	return curves
}

// meanAt is the mean over worlds after so many calls.
func meanAt(curves []truthCurve, calls int) float64 {
	sum := 0.0
	for _, c := range curves {
		sum += c.at(calls)
	}
	return sum / float64(len(curves))
}

// crossing is the number of calls after which the mean reaches a level for the first time, or
// most+1.
func crossing(curves []truthCurve, level float64, most int) int {
	for n := 0; n <= most; n++ {
		if meanAt(curves, n) >= level {
			return n
		}
	}
	return most + 1
}

// leadAt is the mean by which a is above b after so many calls, and its standard error.
func leadAt(a, b []truthCurve, calls int) (mean, se float64) {
	n := float64(len(a))
	for i := range a {
		mean += (a[i].at(calls) - b[i].at(calls)) / n
	}
	for i := range a {
		d := a[i].at(calls) - b[i].at(calls) - mean
		se += d * d / (n - 1)
	}
	return mean, math.Sqrt(se / n)
}

func someWorlds(from, n int) []int {
	worlds := make([]int, n)
	for i := range worlds {
		worlds[i] = from + i
	}
	return worlds
}

// TestGEPABeatsOPRO compares GEPA and OPRO on worlds in which the same proposer heeds the
// metric's feedback, where it is given any: with it GEPA needs fewer calls, and without it
// there is no difference that could be told. These worlds cannot tell how much of that is the
// feedback's: a blind proposer adds a rule that helps nearly as often. With so few worlds only
// the calls are asserted, not the difference at the end.
func TestGEPABeatsOPRO(t *testing.T) {
	t.Parallel()
	const calls, val = 1000, 60
	worlds := someWorlds(0, 20)
	if race {
		worlds = worlds[:2]
	}
	gepa := optimize.GEPA{MaxMetricCalls: 2 * calls}
	opro := optimize.OPRO{Rows: 50, Proposals: 4, Steps: 20, EvalEvery: 1}
	curves := duel(t, worlds, true, calls, val, gepa, opro)
	blind := duel(t, worlds, false, calls, val, gepa, opro)
	if race {
		return
	}
	final := meanAt(curves[1], calls)
	at := crossing(curves[0], final, calls)
	lead, se := leadAt(curves[0], curves[1], calls)
	t.Logf("with feedback: OPRO reaches %.4f in %d calls, GEPA in %d; after %d calls GEPA is %+.4f above, standard error %.4f", final, calls, at, calls, lead, se)
	if at > calls*2/3 || lead <= 0 {
		t.Errorf("with feedback GEPA needs %d calls for what OPRO needs %d for, and is %+.4f above at the end", at, calls, lead)
	}
	lead, se = leadAt(blind[0], blind[1], calls)
	t.Logf("without feedback: GEPA is %+.4f above, standard error %.4f", lead, se)
	if math.Abs(lead) > 2.1*se || se > 0.02 {
		t.Errorf("without feedback GEPA is %+.4f above OPRO, standard error %.4f: want no difference", lead, se)
	}
}
