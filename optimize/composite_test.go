package optimize_test

import (
	"context"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/trace"
)

// drawing is a model that notes the rollouts that it is asked for, and can be compared.
type drawing struct {
	mu       sync.Mutex
	rollouts map[int]int
}

func (d *drawing) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rollouts[r.Rollout]++
	return &lm.Response{Text: "[[ ## right ## ]]\nFalse", Usage: lm.Usage{Calls: 1}}, nil
}

// TestRoundsKeepRolloutsApart bootstraps a program that asks three times, in two rounds:
// these are six answers.
func TestRoundsKeepRolloutsApart(t *testing.T) {
	t.Parallel()
	model := &drawing{rollouts: map[int]int{}}
	vote := module.MustSelfConsistency(module.MustPredict[drawn, said]("", module.WithLM(model)), 3, 0, module.Voting[said]{})
	opt := optimize.BootstrapFewShot{MaxBootstrapped: 1, MaxLabeled: optimize.None, MaxRounds: 2}
	result, err := optimize.Compile(t.Context(), opt, vote, drawnData(0, 1), metric.Exact)
	if err != nil || len(model.rollouts) != 6 || result.Calls.Requested != 6 || result.Calls.Paid != 6 {
		t.Errorf("%v; the rollouts are %v, and the calls %+v; want 6 apart", err, model.rollouts, result.Calls)
	}
}

// TestCalibrateHeedsTheAnswer fits to what the answer rests on, and not to attempts that
// were not chosen.
func TestCalibrateHeedsTheAnswer(t *testing.T) {
	t.Parallel()
	chosen := biased(0.5)
	model := &scoring{logProbs: func(r *lm.Request, hole string, texts []string) []float64 {
		if r.Rollout == 0 {
			return chosen.logProbs(r, hole, texts)
		}
		return make([]float64, len(texts)) // knows nothing
	}}
	first := func(context.Context, message, *module.Prediction[verdict]) (float64, error) { return 1, nil }
	p := module.MustBestOfN(module.MustPredict[message, verdict]("", module.WithLM(model)), 2, math.Inf(1), first)
	result, err := optimize.Compile(t.Context(), optimize.Calibrate{}, p, rare(0, 60), metric.Exact)
	if err != nil || result.Score < 0.9 || result.Baseline > 0.5 {
		t.Errorf("%v; %.3f after %.3f, want a gain", err, result.Score, result.Baseline)
	}
}

// TestFitsCountTheJudge has a metric that asks a model: what that costs is no cost of the
// programs, but of the fit.
func TestFitsCountTheJudge(t *testing.T) {
	t.Parallel()
	judge := asked("True", 100)
	judged := func(ctx context.Context, _ module.Example[drawn, said], got said, _ *trace.Trace) (metric.Score, error) {
		_, err := judge.Run(ctx, drawn{})
		if err != nil || !got.Right {
			return metric.Score{}, err
		}
		return metric.Score{Value: 1}, nil
	}
	programs := []module.Program[drawn, said]{asked("False", 3), asked("True", 30)}
	c := module.MustCascade(programs, module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure})
	fit, err := optimize.FitCascade(t.Context(), c, drawnData(0, 5), judged, optimize.ForShare(1), optimize.CostInTokens)
	if err != nil || fit.Point.Cost != 33 || fit.Usage.Calls != 20 || fit.Usage.PromptTokens != 5*33+10*100 {
		t.Errorf("FitCascade: %v, %+v", err, fit)
	}
	weights, err := optimize.FitWeights(t.Context(), module.MustEnsemble(programs, module.Voting[said]{}), drawnData(0, 5), judged)
	if err != nil || weights.Usage.Calls != 20 {
		t.Errorf("FitWeights: %v, %+v", err, weights)
	}
}

func TestFitsHaveNoTeacher(t *testing.T) {
	t.Parallel()
	right := looksUp([]bool{true, true, true, true})
	e := module.MustEnsemble([]module.Program[drawn, said]{right}, module.Voting[said]{})
	_, err := optimize.FitWeights(t.Context(), e, drawnData(0, 4), metric.Exact, optimize.TeacherProgram(right))
	if err == nil || !strings.Contains(err.Error(), "TeacherProgram") {
		t.Errorf("FitWeights with a teacher: %v", err)
	}
}
