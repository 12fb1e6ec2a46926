package price_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/price"
)

func ExampleTable_Cost() {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	u := lm.Usage{PromptTokens: 10_000, CachedTokens: 6_000, CompletionTokens: 800}
	fmt.Println(price.Default().Cost("openai", "gpt-4o", u, at))
	fmt.Println(price.Default().Cost("ollama", "gemma3", u, at))
	_, known := price.Default().Cost("openai", "gpt-of-my-own", u, at)
	fmt.Println(known)
	// Output:
	// $0.0255 true
	// $0.00 true
	// false
}

// gateway is a model behind a server of one's own.
type gateway struct{ lm.Func }

func (gateway) Name() string { return "gateway:house-1" }

func ExampleWith() {
	own, err := price.Read(strings.NewReader(`{"providers": [
		{"id": "gateway", "models": [{"id": "house-1", "prices": [{"input": 1, "output": 4}]}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := gateway{func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: "ham", Usage: lm.Usage{Calls: 1, PromptTokens: 1000, CompletionTokens: 2}}, nil
	}}
	model := price.With(price.Default().Override(own))(provider)
	resp, err := model.Generate(context.Background(), &lm.Request{Prompt: "Is it spam?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text, resp.Usage.Cost, resp.Usage.CostKnown())
	// Output: ham $0.001008 true
}

func ExampleTable_When() {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	u := lm.Usage{PromptTokens: 10_000, CompletionTokens: 800}
	fmt.Println(price.Default().Cost("openai", "gpt-4o", u, at))
	fmt.Println(price.Default().When("processing", "batch").Cost("openai", "gpt-4o", u, at))
	// Output:
	// $0.033 true
	// $0.0165 true
}

func ExampleTable_Stale() {
	made := price.Default().AsOf()
	fmt.Println(price.Default().Stale(made.AddDate(0, 1, 0)), price.Default().Stale(made.AddDate(1, 0, 0)))
	// Output: false true
}
