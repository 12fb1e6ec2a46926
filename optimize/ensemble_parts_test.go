package optimize

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

// vote is an answer that says whose it is.
type vote struct {
	Text string
	Who  int
}

// TestEnsembleDecides holds the votes that are counted in memory on those of module.Ensemble:
// whose answer it is, and whether there is none, of members that agree, do not, have no vote,
// fail, or vote several times.
func TestEnsembleDecides(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	broken := errors.New("broken")
	failures := 0
	for n := range 1500 {
		const candidates = 5
		v := ensembleVotes[vote]{maxErrors: n % 3}
		programs := make([]module.Program[int, vote], candidates)
		for k := range candidates {
			text := []string{"a", "b", "c", "", "broken"}[rng.IntN(5)]
			o := metric.Outcome[vote]{Got: vote{text, k}, Failed: text == "broken"}
			if o.Failed {
				o.Got = vote{}
			}
			v.add([]metric.Outcome[vote]{o}, []string{text})
			programs[k] = module.Func[int, vote](func(context.Context, int) (vote, error) {
				if o.Failed {
					return vote{}, broken
				}
				return o.Got, nil
			})
		}
		members := make([]int, 1+rng.IntN(7))
		var asked []module.Program[int, vote]
		var order []int
		var weights []float64
		for i := range members {
			members[i] = rng.IntN(candidates)
			if at := slices.Index(order, members[i]); at >= 0 {
				weights[at]++
				continue
			}
			order, weights, asked = append(order, members[i]), append(weights, 1), append(asked, programs[members[i]])
		}
		e, err := module.NewEnsemble(asked, module.Voting[vote]{Key: func(a vote) string { return a.Text }, Weights: weights, MaxErrors: v.maxErrors})
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.Run(t.Context(), 0)
		if got := v.decide(members, 0); got.Failed != (err != nil) || got.Got != want {
			t.Fatalf("members %v with up to %d errors: %+v, want %+v (%v)", members, v.maxErrors, got, want, err)
		}
		if err != nil {
			failures++
		}
	}
	if failures < 100 || failures > 1400 {
		t.Errorf("%d of 1500 votes failed, so that little was tried", failures)
	}
}
