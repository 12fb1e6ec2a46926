package assert_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

type (
	stubbornIn  struct{ Q string }
	stubbornOut struct{ A string }
)

// stubborn suggests that the answer is "good".
type stubborn struct {
	Ask *module.Predict[stubbornIn, stubbornOut]
}

func (p *stubborn) Run(ctx context.Context, in stubbornIn) (stubbornOut, error) {
	out, err := p.Ask.Run(ctx, in)
	if err != nil {
		return out, err
	}
	return out, assert.Suggest(ctx, out.A == "good", "Be good.", assert.Target("ask"))
}

// TestRepeatedAnswer asks a model that repeats itself as another rollout: the same prompt
// would end the same way.
func TestRepeatedAnswer(t *testing.T) {
	t.Parallel()
	answer := func(r *lm.Request) (string, error) {
		if r.Rollout < 2 {
			return "[[ ## a ## ]]\nbad", nil
		}
		return "[[ ## a ## ]]\ngood", nil
	}
	type sent struct {
		rollout     int
		temperature string
	}
	for name, tt := range map[string]struct {
		opts []assert.Option
		want []sent
		good bool
	}{
		"memory": {
			[]assert.Option{assert.MaxBacktracks(4)},
			[]sent{{0, "0"}, {0, "0"}, {1, "0.7"}, {2, "0.7"}},
			true,
		},
		"full rerun": {
			[]assert.Option{assert.MaxBacktracks(2), assert.FullRerun()},
			[]sent{{0, "0"}, {0, "0"}, {0, "0"}},
			false,
		},
	} {
		model := lmtest.Answer(answer)
		p := &stubborn{module.MustPredict[stubbornIn, stubbornOut]("", module.WithLM(model), module.Temperature(0))}
		out, err := assert.Wrap(p, tt.opts...).Run(t.Context(), stubbornIn{"?"})
		if err != nil || (out.A == "good") != tt.good {
			t.Errorf("%s: %v, %v", name, out, err)
		}
		var got []sent
		for _, r := range model.Requests() {
			got = append(got, sent{r.Rollout, fmt.Sprint(*r.Temperature)})
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: sent were %v, want %v", name, got, tt.want)
		}
	}
}
