package cassette_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cassette"
	"github.com/whetgo/whet/lm/lmtest"
)

func ask(m lm.LM, question string) {
	resp, err := m.Generate(context.Background(), &lm.Request{Messages: []lm.Message{lm.User(question)}})
	if err != nil {
		var unknown *cassette.UnknownError
		if errors.As(err, &unknown) {
			fmt.Printf("not recorded: line %d has %q in place of %q\n", unknown.Line, unknown.Want, unknown.Got)
			return
		}
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text)
}

func Example() {
	dir, err := os.MkdirTemp("", "cassette")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "colours.jsonl")

	tape, err := cassette.Record(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := lm.Chain(lmtest.Script("green", "blue"), tape.Wrap)
	ask(model, "What colour is grass?")
	ask(model, "What colour is the sky?")
	if err := tape.Close(); err != nil {
		fmt.Println(err)
		return
	}

	player, err := cassette.Replay(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	ask(player, "What colour is the sky?")
	ask(player, "What colour is snow?")
	for _, entry := range player.Unused() {
		fmt.Println("unused:", entry.Request.Messages[0].Text())
	}
	// Output:
	// green
	// blue
	// blue
	// not recorded: line 2 has "What colour is grass?" in place of "What colour is snow?"
	// unused: What colour is grass?
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "cassette")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "greetings.jsonl")
	provider := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) {
		return &lm.Response{Text: "Good morning!", Finish: lm.FinishStop, Usage: lm.Usage{Calls: 1}}, nil
	})
	for range 2 { // the second time all is known, and the provider is not asked
		model, err := cassette.Open(path, provider, cassette.ModeAuto,
			cassette.Pattern(regexp.MustCompile(`[A-Z]{2}\d{6}`)))
		if err != nil {
			fmt.Println(err)
			return
		}
		ask(model, "Greet the holder of passport AB123456.")
		if err := model.Close(); err != nil {
			fmt.Println(err)
			return
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(data))
	// Output:
	// Good morning!
	// Good morning!
	// {"cassette":1}
	// {"request":{"messages":[{"role":"user","parts":[{"text":"Greet the holder of passport ***."}]}]},"response":{"text":"Good morning!","finish":"stop","usage":{"calls":1}}}
}
