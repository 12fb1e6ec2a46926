package fallback_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/fallback"
	"github.com/whetgo/whet/lm/lmtest"
)

func ExampleNew() {
	hosted := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return nil, &lm.Error{Kind: lm.ErrRateLimit, Provider: "hosted", Message: "come back later"}
	})
	model, err := fallback.New(hosted, lmtest.Script("Good morning!"))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := model.Generate(context.Background(), &lm.Request{Messages: []lm.Message{lm.User("Greet me.")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Model+":", resp.Text)
	// Output: scripted: Good morning!
}

func ExampleOf() {
	locked := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return nil, &lm.Error{Kind: lm.ErrAuth, Provider: "hosted", Message: "no key"}
	})
	model, err := fallback.Of([]lm.LM{locked, lmtest.Script()},
		fallback.If(func(err error) bool { return fallback.Default(err) || errors.Is(err, lm.ErrAuth) }),
		fallback.Failures(3),
		fallback.Cooldown(time.Minute),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = model.Generate(context.Background(), &lm.Request{Prompt: "Once"})
	var all *fallback.Error
	if errors.As(err, &all) {
		for _, a := range all.Attempts {
			fmt.Println(a.Err)
		}
	}
	// Output:
	// lm/hosted: not authorized: no key
	// lm/scripted: unavailable: the script has 0 replies and this is call 1
}
