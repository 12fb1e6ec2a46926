package module_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

type (
	asked  struct{ Question string }
	solved struct{ Answer string }
)

// TestMultiChainGolden compares the prompt with DSPy's, but for the attempts, which the
// golden gives as they are.
func TestMultiChainGolden(t *testing.T) {
	t.Parallel()
	var want struct {
		Messages map[string][]struct{ Role, Content string }
	}
	if err := json.Unmarshal(golden(t, "multichain"), &want); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]adapter.Adapter{"chat": adapter.Chat{}, "json": adapter.JSON{}} {
		model := lmtest.Script("x")
		m := module.MustMultiChainComparison[asked, solved](nil, 3, "", module.WithLM(model), module.WithAdapter(a))
		attempts := []*module.Prediction[solved]{
			{Reasoning: " a\nmore", Out: solved{"b\nmore "}}, {Reasoning: "r2", Out: solved{"a2"}}, {Reasoning: "r3", Out: solved{"a3"}},
		}
		_, _ = m.Compare(context.Background(), asked{"q"}, attempts) // the reply is none
		got := model.Requests()[0]
		if *got.Temperature != 0.7 {
			t.Errorf("%s: the temperature is %v, want 0.7", name, *got.Temperature)
		}
		for i, w := range want.Messages[name] {
			text := got.Messages[i].Text()
			text = strings.Replace(text, "«I'm trying to r2 I'm not sure but my prediction is a2»", "«x»", 1)
			text = strings.Replace(text, "«I'm trying to r3 I'm not sure but my prediction is a3»", "«y»", 1)
			if diff := cmp.Diff(w.Content, text); diff != "" {
				t.Errorf("%s: message %d (-DSPy +whet):\n%s", name, i, diff)
			}
		}
	}
}

func TestMultiChainComparison(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		last := r.Messages[len(r.Messages)-1].Text()
		if !strings.Contains(last, "reasoning_attempt_1") {
			return reply("reasoning", fmt.Sprintf("way %d", r.Rollout), "answer", fmt.Sprint(r.Rollout%2)), nil
		}
		for i := range 3 {
			if want := fmt.Sprintf("«I'm trying to way %d I'm not sure but my prediction is %d»", i, i%2); !strings.Contains(last, want) {
				return "", fmt.Errorf("attempt %d is not shown: %s", i, last)
			}
		}
		return reply("rationale", "two say 0", "answer", "0"), nil
	})
	cot := module.MustChainOfThought[asked, solved]("", module.WithLM(model))
	m := module.MustMultiChainComparison(cot, 3, "", module.WithLM(model))
	ctx, tr := trace.Start(context.Background())
	pred, err := m.Call(ctx, asked{"?"})
	if err != nil {
		t.Fatal(err)
	}
	if pred.Out.Answer != "0" || pred.Reasoning != "two say 0" || pred.Usage.Calls != 4 || len(module.Steps(tr)) != 4 {
		t.Errorf("got %+v and %d steps", pred, len(module.Steps(tr)))
	}
	named, err := module.Predictors(m)
	if err != nil || len(named) != 2 || named[0].Name != "attempts.predict" || named[1].Name != "predict" {
		t.Errorf("the predictors are %+v, %v", named, err)
	}
}

func TestMultiChainErrors(t *testing.T) {
	t.Parallel()
	if _, err := module.NewMultiChainComparison[asked, solved](nil, 0, ""); err == nil {
		t.Error("no attempts: no error")
	}
	m := module.MustMultiChainComparison[asked, solved](nil, 2, "", module.WithLM(lmtest.Script()))
	if _, err := m.Run(t.Context(), asked{}); err == nil || !strings.Contains(err.Error(), "Compare") {
		t.Errorf("Run without a program: %v", err)
	}
	if _, err := m.Compare(t.Context(), asked{}, make([]*module.Prediction[solved], 1)); err == nil {
		t.Error("one attempt of two: no error")
	}
	if _, err := m.Compare(t.Context(), asked{}, make([]*module.Prediction[solved], 2)); err == nil {
		t.Error("an attempt that is nil: no error")
	}
	failing := module.MustMultiChainComparison(module.MustPredict[asked, solved]("", module.WithLM(lmtest.Script(reply("answer", "a")))), 2, "")
	var me *module.MemberError
	if _, err := failing.Run(t.Context(), asked{}); !errors.As(err, &me) || me.Member != "attempts, rollout 1" {
		t.Errorf("an attempt fails: %v", err)
	}
}
