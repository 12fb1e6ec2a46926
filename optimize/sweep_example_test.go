package optimize_test

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

// A weak program that is right about the first six of ten questions, a strong one that is
// right about all, and how sure the weak one is.
func exampleSides() (weak, strong module.Program[drawn, said], sure []float64) {
	weak = module.Func[drawn, said](func(_ context.Context, in drawn) (said, error) { return said{in.N < 6}, nil })
	strong = module.Func[drawn, said](func(context.Context, drawn) (said, error) { return said{true}, nil })
	return weak, strong, []float64{0.9, 0.8, 0.9, 0.7, 0.9, 0.5, 0.6, 0.4, 0.3, 0.2}
}

func ExampleFitCascade() {
	weak, strong, sure := exampleSides()
	cascade := module.MustCascade([]module.Program[drawn, said]{weak, strong}, module.CascadeConfig[drawn, said]{
		Thresholds: []float64{1},
		Score: func(_ context.Context, in drawn, _ *module.Prediction[said]) (float64, error) {
			return sure[in.N], nil
		},
	})
	fit, err := optimize.FitCascade(context.Background(), cascade, drawnData(0, 10), metric.Exact, optimize.ForQuality(0.9, 0.5), optimize.FixedCost(1, 20))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fit)
	if err := fit.Apply(cascade); err != nil {
		fmt.Println(err)
	}
	fmt.Println(cascade.Thresholds())
	// Output:
	// a quality of 0.9 at level 0.5 on 10 examples: threshold 0.5
	// first   share 0.000, quality 0.6000, cost 1
	// fitted  share 0.300, quality 0.9000, cost 7
	// last    share 1.000, quality 1.0000, cost 21
	// PGR 0.750, APGR 0.775, CPT(20%) 0.080, CPT(50%) 0.200, CPT(80%) 0.420
	// 0 calls
	// [0.5]
}

func ExampleFitRouter() {
	weak, strong, sure := exampleSides()
	hard := module.Func[drawn, float64](func(_ context.Context, in drawn) (float64, error) { return 1 - sure[in.N], nil })
	route := module.MustRouter(hard, []module.Program[drawn, said]{weak, strong}, []float64{0})
	fit, err := optimize.FitRouter(context.Background(), route, drawnData(0, 10), metric.Exact, optimize.ForCost(10), optimize.FixedCost(1, 20))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("share %.1f, quality %.1f, cost %.1f\n", fit.Point.Share, fit.Point.Quality, fit.Point.Cost)
	// Output: share 0.3, quality 0.9, cost 6.7
}

func ExampleFitWeights() {
	weak, strong, _ := exampleSides()
	ensemble := module.MustEnsemble([]module.Program[drawn, said]{weak, strong, weak}, module.Voting[said]{})
	fit, err := optimize.FitWeights(context.Background(), ensemble, drawnData(0, 10), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fit)
	if err := fit.Apply(ensemble); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 3 members on 10 examples, 2 classes
	// programs[0]: accuracy 0.5833, weight 0.336
	// programs[1]: accuracy 0.9167, weight 2.398
	// programs[2]: accuracy 0.5833, weight 0.336
	// 0 calls
}
