package module_test

import (
	"context"
	"errors"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	model := lmtest.Script(reply("label", "ham"), "nonsense")
	p := newSMS()
	ctx, tr := trace.Start(lm.With(context.Background(), model))
	if _, err := p.Run(ctx, sms{"first"}); err != nil {
		t.Fatal(err)
	}
	_, second := p.Run(ctx, sms{"second"})
	_, third := p.Run(ctx, sms{"third"})
	if second == nil || third == nil {
		t.Fatal("calls succeeded that should fail")
	}
	tr.Add(trace.Step{Predictor: "of another kind"})
	steps := module.Steps(tr)
	if len(steps) != 3 {
		t.Fatalf("%d steps, want 3", len(steps))
	}
	for i, q := range []string{"first", "second", "third"} {
		if s := steps[i]; s.Predictor != p.Predictor() || !s.Inputs.Equal(signature.RecordOf("text", q)) {
			t.Errorf("step %d: %+v", i, s)
		}
	}
	ok, failed := steps[0], steps[1]
	if ok.Err != nil || !ok.Outputs.Equal(signature.RecordOf("label", "ham")) || ok.Prediction == nil || ok.Prediction.Usage.Calls != 1 {
		t.Errorf("step of a good call: %+v", ok)
	}
	var pe *adapter.ParseError
	if !errors.As(failed.Err, &pe) || failed.Outputs.Len() != 0 || failed.Prediction != nil {
		t.Errorf("step of a failed call: %+v", failed)
	}
	if failed.Raw != "nonsense" || failed.Usage.Calls != 1 || failed.Usage.CompletionTokens != 1 || ok.Raw != reply("label", "ham") || ok.Usage != ok.Prediction.Usage {
		t.Errorf("what the calls cost: %+v and %+v", ok, failed)
	}
	if !errors.Is(steps[2].Err, lm.ErrUnavailable) {
		t.Errorf("step of a failed model: %+v", steps[2])
	}
	if steps[2].Usage != (lm.Usage{}) || steps[2].Raw != "" {
		t.Errorf("a call without a reply has one: %+v", steps[2])
	}
	if module.Steps(nil) != nil {
		t.Error("steps of no trace")
	}
}
