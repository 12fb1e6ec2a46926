package module_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/whetgo/whet/module"
)

// A drawn question; experts look their answers up, so that the modules run as they are.
type (
	drawn struct{ N int }
	said  struct {
		Class string `enum:"right,wrong,other"`
	}
)

// draws is how many questions there are: 100,000, and fewer under the race detector, which
// makes them slow.
func draws() int {
	if race {
		return 5_000
	}
	return 100_000
}

// shareRight runs a program over all draws, in both hands, and returns the share of right
// answers.
func shareRight(t *testing.T, p module.Program[drawn, said], each func(*module.Prediction[said])) float64 {
	t.Helper()
	const workers = 2
	n := draws()
	preds := make([]*module.Prediction[said], n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				pred, err := module.Call(context.Background(), p, drawn{i})
				if err != nil {
					t.Errorf("draw %d: %v", i, err)
					return
				}
				preds[i] = pred
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	right := 0
	for _, p := range preds {
		if p.Out.Class == "right" {
			right++
		}
		if each != nil {
			each(p)
		}
	}
	return float64(right) / float64(n)
}

// within99 fails unless a share lies in the 99 % interval of the truth.
func within99(t *testing.T, what string, got, want float64) {
	t.Helper()
	if tolerance := 2.5758 * math.Sqrt(want*(1-want)/float64(draws())); math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.5f, want %.5f +- %.5f", what, got, want, tolerance)
	}
}

func phi(x float64) float64        { return math.Erfc(-x/math.Sqrt2) / 2 }
func phiInverse(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
func choose(n, k int) (c float64) {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	d, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - d)
}

func binomial(n, k int, p float64) float64 {
	return choose(n, k) * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
}

// looksUp is an expert whose answers are drawn beforehand.
func looksUp(answers []string) module.Program[drawn, said] {
	return module.Func[drawn, said](func(_ context.Context, in drawn) (said, error) { return said{answers[in.N]}, nil })
}

// Experts that err together by the one-factor model, against the integral over the factor.
func TestEnsembleTruth(t *testing.T) {
	t.Parallel()
	const experts, p = 5, 0.7
	bar := phiInverse(1 - p)
	for _, r := range []float64{0, 0.3, 0.7, 1} {
		// P(more than half are right) is the mean over z of a binomial tail.
		want := 0.0
		const steps, far = 4000, 8.0
		for i := range steps {
			z := -far + (float64(i)+0.5)*2*far/steps
			err := phi((bar - math.Sqrt(r)*z) / math.Sqrt(max(1-r, 1e-12)))
			tail := 0.0
			for k := experts/2 + 1; k <= experts; k++ {
				tail += binomial(experts, k, 1-err)
			}
			want += tail * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * 2 * far / steps
		}
		if r == 1 && math.Abs(want-p) > 1e-3 {
			t.Fatalf("at correlation 1 theory says %.4f, and there is nothing to gain", want)
		}
		rnd := rand.New(rand.NewPCG(8, uint64(r*10)))
		answers := make([][]string, experts)
		alone := 0
		for range draws() {
			z := rnd.NormFloat64()
			for e := range answers {
				said := "right"
				if math.Sqrt(r)*z+math.Sqrt(1-r)*rnd.NormFloat64() < bar {
					said = "wrong"
				} else if e == 0 {
					alone++
				}
				answers[e] = append(answers[e], said)
			}
		}
		var programs []module.Program[drawn, said]
		for _, a := range answers {
			programs = append(programs, looksUp(a))
		}
		for _, v := range []module.Voting[said]{{}, {EarlyExit: true, Batch: 1}} {
			got := shareRight(t, module.MustEnsemble(programs, v), nil)
			within99(t, "vote", got, want)
			if single := float64(alone) / float64(draws()); r == 1 && got != single {
				t.Errorf("at correlation 1 the vote has %.4f and each expert %.4f", got, single)
			} else if r == 0 && got < single+0.1 {
				t.Errorf("independent experts gain too little: %.4f from %.4f", got, single)
			}
		}
	}
}

// Unequal independent experts of three classes, against the sum over all that they may say.
func TestEnsembleWeightedTruth(t *testing.T) {
	t.Parallel()
	accuracies := []float64{0.88, 0.62, 0.57, 0.51, 0.45}
	classes := []string{"right", "wrong", "other"}
	weights := make([]float64, len(accuracies))
	for i, a := range accuracies {
		weights[i], _ = module.LogOdds(a, len(classes))
	}
	accuracy := func(weights []float64) (want float64) {
		for code := range 243 { // what each of five says, in base 3
			sums, prob := [3]float64{}, 1.0
			first := [3]int{9, 9, 9}
			for i, c := 0, code; i < len(accuracies); i, c = i+1, c/3 {
				sums[c%3] += weights[i]
				first[c%3] = min(first[c%3], i)
				if c%3 == 0 {
					prob *= accuracies[i]
				} else {
					prob *= (1 - accuracies[i]) / 2
				}
			}
			wins := true
			for k := 1; k < 3; k++ {
				wins = wins && (sums[0] > sums[k]+1e-9 || math.Abs(sums[0]-sums[k]) < 1e-9 && first[0] < first[k])
			}
			if wins {
				want += prob
			}
		}
		return want
	}
	rnd := rand.New(rand.NewPCG(8, 1))
	var programs []module.Program[drawn, said]
	for _, a := range accuracies {
		var answers []string
		for range draws() {
			say := "right"
			if rnd.Float64() >= a {
				say = classes[1+rnd.IntN(2)]
			}
			answers = append(answers, say)
		}
		programs = append(programs, looksUp(answers))
	}
	plain, weighted := accuracy([]float64{1, 1, 1, 1, 1}), accuracy(weights)
	if weighted < plain+0.03 {
		t.Fatalf("theory: %.4f weighted, %.4f plain: the case is too easy", weighted, plain)
	}
	within99(t, "plain", shareRight(t, module.MustEnsemble(programs, module.Voting[said]{}), nil), plain)
	// The winner's posterior is as high as it is right.
	sum := 0.0
	e := module.MustEnsemble(programs, module.Voting[said]{Accuracies: accuracies})
	within99(t, "weighted", shareRight(t, e, func(p *module.Prediction[said]) { sum += p.Votes.Share() }), weighted)
	within99(t, "mean posterior", sum/float64(draws()), weighted)
	saved := 0
	early := module.MustEnsemble(programs, module.Voting[said]{Accuracies: accuracies, EarlyExit: true, Batch: 1})
	within99(t, "early exit", shareRight(t, early, func(p *module.Prediction[said]) { saved += p.Votes.Members - p.Votes.Asked }), weighted)
	if mean := float64(saved) / float64(draws()); mean < 1 {
		t.Errorf("an early exit saves only %.2f calls of %d", mean, len(programs))
	}
}

// An aggregator that is right with probability a[k] where k references are.
func TestMixtureOfAgentsTruth(t *testing.T) {
	t.Parallel()
	const n, q, width = 4, 0.55, 3
	a := []float64{0.05, 0.35, 0.6, 0.8, 0.95}
	b := []float64{0.1, 0.4, 0.75, 0.9}
	one, two := 0.0, 0.0
	for k := range n + 1 {
		one += binomial(n, k, q) * a[k]
		for j := range width + 1 {
			two += binomial(n, k, q) * binomial(width, j, a[k]) * b[j]
		}
	}
	rnd := rand.New(rand.NewPCG(8, 2))
	say := func(right bool) string {
		if right {
			return "right"
		}
		return "wrong"
	}
	var proposers []module.Program[drawn, said]
	for range n {
		var answers []string
		for range draws() {
			answers = append(answers, say(rnd.Float64() < q))
		}
		proposers = append(proposers, looksUp(answers))
	}
	aggregator := func(skill []float64) module.Program[module.Referenced[drawn, said], said] {
		luck := make([]float64, draws())
		for i := range luck {
			luck[i] = rnd.Float64()
		}
		return module.Func[module.Referenced[drawn, said], said](func(_ context.Context, in module.Referenced[drawn, said]) (said, error) {
			k := 0
			for _, s := range in.Answers {
				if s.Class == "right" {
					k++
				}
			}
			return said{say(luck[in.In.N] < skill[k])}, nil
		})
	}
	flat := module.MustMixtureOfAgents(proposers, module.MixtureConfig[drawn, said]{Final: aggregator(a)})
	within99(t, "one layer", shareRight(t, flat, nil), one)
	var between []module.Program[module.Referenced[drawn, said], said]
	for range width {
		between = append(between, aggregator(a))
	}
	deep := module.MustMixtureOfAgents(proposers, module.MixtureConfig[drawn, said]{
		Between: [][]module.Program[module.Referenced[drawn, said], said]{between}, Final: aggregator(b),
	})
	within99(t, "two layers", shareRight(t, deep, nil), two)
}
