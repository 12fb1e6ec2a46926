package balance_test

import (
	"context"
	"fmt"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/balance"
	"github.com/whetgo/whet/lm/lmtest"
)

func ExampleNew() {
	model, err := balance.New([]lm.LM{lmtest.Script("one", "two"), lmtest.Script("uno", "due")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 4 {
		resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Count:"})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Text)
	}
	// Output:
	// one
	// uno
	// two
	// due
}

func ExampleWeighted() {
	small, large := lmtest.Script("a", "b"), lmtest.Script("A", "B", "C", "D")
	model, err := balance.Weighted([]balance.Member{{LM: small}, {LM: large, Weight: 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 6 {
		resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Spell:"})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(resp.Text, " ")
	}
	fmt.Println(model.Stats()[0].Requests, model.Stats()[1].Requests)
	// Output: A a B C b D 2 4
}
