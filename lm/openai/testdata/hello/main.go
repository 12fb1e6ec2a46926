// Program hello is the smallest that asks a model: its size is a promise.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/openai"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	model, err := openai.New("gpt-4o-mini")
	if err != nil {
		return err
	}
	resp, err := model.Generate(ctx, &lm.Request{Messages: []lm.Message{lm.User("Say hello.")}})
	if err != nil {
		return err
	}
	fmt.Println(resp.Text)
	return model.Close()
}
