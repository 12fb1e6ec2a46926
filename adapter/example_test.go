package adapter_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

type exampleSMS struct {
	Text string
}

type exampleLabel struct {
	Label string `enum:"ham,spam"`
}

func ExampleChat() {
	sig, err := signature.Of[exampleSMS, exampleLabel]("Classify the message.")
	if err != nil {
		log.Fatal(err)
	}
	t, err := adapter.Chat{}.Prepare(adapter.Program{Signature: sig})
	if err != nil {
		log.Fatal(err)
	}
	req, err := t.Request(signature.RecordOf("text", "You won!"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Messages[1].Text())
	// Output:
	// [[ ## text ## ]]
	// You won!
	//
	// Respond with the corresponding output fields, starting with the field `[[ ## label ## ]]` (must be formatted as a valid Python Literal['ham', 'spam']), and then ending with the marker for `[[ ## completed ## ]]`.
}

func ExampleCompact() {
	sig, err := signature.Of[exampleSMS, exampleLabel]("Is the message ham or spam?")
	if err != nil {
		log.Fatal(err)
	}
	t, err := adapter.Compact{}.Prepare(adapter.Program{
		Signature: sig,
		Demos:     []signature.Record{signature.RecordOf("text", "see you at five", "label", "ham")},
	})
	if err != nil {
		log.Fatal(err)
	}
	in := signature.RecordOf("text", "You won!")
	req, err := t.Request(in)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Prompt)
	answer, repairs, err := t.Parse(" Spam.", in)
	if err != nil {
		log.Fatal(err)
	}
	v, _ := answer.Get("label")
	fmt.Println(v, "-", repairs[0].What)
	// Output:
	// Is the message ham or spam?
	//
	// Text: see you at five
	// Label: ham
	//
	// Text: You won!
	// Label:
	// spam - letter case of a choice and marks around it
}

func ExampleCompact_turns() {
	sig, err := signature.Of[exampleSMS, exampleLabel]("Is the message ham or spam?")
	if err != nil {
		log.Fatal(err)
	}
	t, err := adapter.Compact{Turns: true}.Prepare(adapter.Program{
		Signature: sig,
		Demos:     []signature.Record{signature.RecordOf("text", "see you at five", "label", "ham")},
	})
	if err != nil {
		log.Fatal(err)
	}
	req, err := t.Request(signature.RecordOf("text", "You won!"))
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range req.Messages {
		fmt.Printf("%s: %q\n", m.Role, m.Text())
	}
	// Output:
	// system: "Is the message ham or spam?"
	// user: "Text: see you at five\nLabel:"
	// assistant: "ham"
	// user: "Text: You won!\nLabel:"
}

func ExampleJSON() {
	sig, err := signature.Of[exampleSMS, exampleLabel]("Classify the message.")
	if err != nil {
		log.Fatal(err)
	}
	t, err := adapter.JSON{}.Prepare(adapter.Program{Signature: sig})
	if err != nil {
		log.Fatal(err)
	}
	req, err := t.Request(signature.RecordOf("text", "You won!"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Messages[1].Text())
	fmt.Println(string(req.ResponseFormat.Schema))
	answer, _, err := t.Parse("{\n  \"label\": \"spam\"\n}", signature.Record{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Get("label"))
	// Output:
	// [[ ## text ## ]]
	// You won!
	//
	// Respond with a JSON object in the following order of fields: `label` (must be formatted as a valid Python Literal['ham', 'spam']).
	// {"additionalProperties":false,"properties":{"label":{"enum":["ham","spam"],"title":"Label","type":"string"}},"required":["label"],"title":"DSPyProgramOutputs","type":"object"}
	// spam true
}

func ExampleChoices() {
	fmt.Printf("%q\n", adapter.Choices(signature.OptionalOf(signature.LiteralOf("ham", "spam"))))
	// Output: ["ham" "spam" "None"]
}

func ExampleParseError() {
	sig, err := signature.Of[exampleSMS, exampleLabel]("Classify the message.")
	if err != nil {
		log.Fatal(err)
	}
	t, err := adapter.Chat{}.Prepare(adapter.Program{Signature: sig})
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = t.Parse("[[ ## label ## ]]\neggs", signature.Record{})
	var pe *adapter.ParseError
	if errors.As(err, &pe) {
		fmt.Println(pe.Field)
		fmt.Println(err)
	}
	// Output:
	// label
	// adapter chat: field "label": want one of ham, spam, got "eggs"
}
