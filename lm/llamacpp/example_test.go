package llamacpp_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
)

func ExampleOpen() {
	_, err := llamacpp.Open("no/such/model.gguf")
	switch {
	case errors.Is(err, lm.ErrUnavailable):
		fmt.Println("no model: this program was built without llama.cpp, or the file is not there")
	case errors.Is(err, lm.ErrModel):
		fmt.Println("no model: this program was built without llama.cpp, or the file is not there")
	}
	// Output: no model: this program was built without llama.cpp, or the file is not there
}

// A label is scored, not generated: the reply costs no decoding step.
func ExampleModel_Generate() {
	m, err := llamacpp.Open(os.Getenv("WHET_MODEL_SMOLLM2"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	r, err := m.Generate(context.Background(), &lm.Request{
		Prompt: "Text: WIN a cruise, text YES to 60600\nLabel: spam\n\nText: did you feed the cat?\nLabel:",
		Shape: &lm.Shape{Segments: []lm.Segment{
			{Literal: " "},
			{Hole: lm.HoleChoice, Name: "label", Choices: []lm.Alternative{{Text: "ham"}, {Text: "spam"}}},
			{Literal: "\n"},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range r.Choices[0].Options {
		fmt.Printf("%s %.2f\n", o.Text, o.Prob)
	}
}

// The reply is shown as it is decided; leaving the loop cancels the request.
func ExampleModel_Stream() {
	m, err := llamacpp.Open(os.Getenv("WHET_MODEL_SMOLLM2"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	request := &lm.Request{Messages: []lm.Message{lm.User("Tell a story of a miller and his cats.")}, MaxTokens: 200}
	shown := 0
	for event, err := range m.Stream(context.Background(), request) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(event.Text)
		if shown += len(event.Text); shown > 400 {
			break // enough of it
		}
		if event.Response != nil {
			fmt.Println("\ntokens:", event.Response.Usage.CompletionTokens)
		}
	}
}
