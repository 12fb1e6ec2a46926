package router_test

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/router"
)

// length is a score for the example: long questions are hard ones.
func length(_ context.Context, r *lm.Request) (float64, error) {
	return min(1, float64(len(r.Messages[len(r.Messages)-1].Text()))/100), nil
}

func ExampleNew() {
	weak, strong := lmtest.Script("four"), lmtest.Script("That depends.")
	model, err := router.New(weak, strong, length, 0.5, router.Notify(func(_ context.Context, d router.Decision) {
		fmt.Printf("%.2f strong: %v\n", d.Score, d.Strong)
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, question := range []string{"What is two and two?", "If all ravens are black and this white bird may be a raven, what follows?"} {
		resp, err := model.Generate(context.Background(), &lm.Request{Messages: []lm.Message{lm.User(question)}})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Text)
	}
	// Output:
	// 0.20 strong: false
	// four
	// 0.73 strong: true
	// That depends.
}

func ExampleCalibrate() {
	// The scores of some typical requests, of which a quarter may go to the strong model.
	threshold, err := router.Calibrate([]float64{0.1, 0.9, 0.3, 0.2, 0.4, 0.8, 0.1, 0.5}, 0.25)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(threshold)
	// Output: 0.8
}

// outcomes are what two models have answered to some requests: the cost is in cents.
func outcomes() []router.Outcome {
	return []router.Outcome{
		{Score: 0.9, WeakQuality: 0, StrongQuality: 1, WeakCost: 1, StrongCost: 11},
		{Score: 0.7, WeakQuality: 0, StrongQuality: 1, WeakCost: 1, StrongCost: 11},
		{Score: 0.4, WeakQuality: 1, StrongQuality: 1, WeakCost: 1, StrongCost: 11},
		{Score: 0.1, WeakQuality: 1, StrongQuality: 1, WeakCost: 1, StrongCost: 11},
	}
}

func ExampleFit() {
	curve, err := router.Fit(outcomes(), router.Route)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range curve.Points() {
		fmt.Printf("from %.1f: %3.0f %% strong, quality %.2f, %.1f cents\n", p.Threshold, 100*p.Share, p.Quality, p.Cost)
	}
	apgr, _ := curve.APGR()
	half, _ := curve.CPT(0.5)
	fmt.Printf("APGR %.2f, CPT(50%%) %.0f %% strong\n", apgr, 100*half)
	// Output:
	// from 2.0:   0 % strong, quality 0.50, 1.0 cents
	// from 0.9:  25 % strong, quality 0.75, 3.5 cents
	// from 0.7:  50 % strong, quality 1.00, 6.0 cents
	// from 0.4:  75 % strong, quality 1.00, 8.5 cents
	// from 0.0: 100 % strong, quality 1.00, 11.0 cents
	// APGR 0.75, CPT(50%) 25 % strong
}

func ExampleCurve_ForCost() {
	curve, err := router.Fit(outcomes(), router.Cascade) // the weak answer is always paid
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := curve.ForCost(5)
	fmt.Println(p.Threshold, p.Quality, p.Cost, err)
	p, err = curve.ForQuality(0.9, 0.5) // by the mean: with four outcomes no bound is of use
	fmt.Println(p.Threshold, p.Quality, p.Cost, err)
	// Output:
	// 0.9 0.75 3.75 <nil>
	// 0.7 1 6.5 <nil>
}
