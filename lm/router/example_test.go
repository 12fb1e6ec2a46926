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
