package optimize_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// Composite programs are compiled as others are: each member has demos of its own, and those
// that voted for another answer than the right one have none.
func TestCompileComposite(t *testing.T) {
	t.Parallel()
	always := func(text string) module.Option { return module.WithLM(lm.LM(&fixed{text, 1})) }
	member := func(text string) module.Program[drawn, said] {
		return module.MustPredict[drawn, said]("", always(text))
	}
	members := []module.Program[drawn, said]{member("True"), member("False"), member("True")}
	for name, tt := range map[string]struct {
		program module.Program[drawn, said]
		want    map[string]int
	}{
		"ensemble": {
			module.MustEnsemble(members, module.Voting[said]{}),
			map[string]int{"programs[0]": 2, "programs[1]": 0, "programs[2]": 2},
		},
		"mixture": {
			module.MustMixtureOfAgents(members, module.MixtureConfig[drawn, said]{Options: []module.Option{always("True")}}),
			map[string]int{"proposers[0]": 2, "proposers[1]": 0, "proposers[2]": 2, "aggregator": 2},
		},
		"cascade": {
			module.MustCascade(members[1:], module.CascadeConfig[drawn, said]{Thresholds: []float64{1}, Score: sure}),
			map[string]int{"programs[0]": 0, "programs[1]": 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := optimize.Compile(context.Background(), optimize.BootstrapFewShot{MaxBootstrapped: 2, MaxLabeled: optimize.None}, tt.program, drawnData(0, 4), metric.Exact)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]int{}
			for _, s := range result.States {
				got[s.Name] = len(s.State.Demos)
				if s.Name == "aggregator" {
					refs, _ := s.State.Demos[0].Fields.Get("references")
					if diff := cmp.Diff([]signature.Value{"true", "false", "true"}, refs); diff != "" {
						t.Error(diff)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if err := result.Apply(tt.program); err != nil {
				t.Fatal(err)
			}
			if out, err := tt.program.Run(context.Background(), drawn{1}); err != nil || !out.Right {
				t.Errorf("%v %v", out, err)
			}
		})
	}
}
