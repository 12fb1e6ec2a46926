package module_test

import (
	"errors"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// TestLMIn takes the state's model before the option's, and that before the context's.
func TestLMIn(t *testing.T) {
	t.Parallel()
	models := map[string]lm.LM{}
	for _, name := range []string{"state", "option", "context"} {
		models[name] = lmtest.Answer(func(*lm.Request) (string, error) { return name, nil })
	}
	sig := signature.MustParse("question -> answer")
	ctx := lm.With(t.Context(), models["context"])
	ctx = lm.Wrap(ctx, func(lm.LM) lm.LM { t.Error("it was wrapped"); return nil })
	bare, own := module.MustDynamic(sig), module.MustDynamic(sig, module.WithLM(models["option"]))
	if m, err := bare.Predictor().LMIn(ctx); err != nil || m != models["context"] {
		t.Errorf("the context's: %v, %v", m, err)
	}
	if m, err := own.Predictor().LMIn(ctx); err != nil || m != models["option"] {
		t.Errorf("the option's: %v, %v", m, err)
	}
	states, err := module.States{}.With(own.Predictor(), module.State{LM: models["state"]})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := own.Predictor().LMIn(module.WithStates(ctx, states)); err != nil || m != models["state"] {
		t.Errorf("the state's: %v, %v", m, err)
	}
	if _, err := bare.Predictor().LMIn(t.Context()); !errors.Is(err, module.ErrNoLM) {
		t.Errorf("none: %v", err)
	}
}
