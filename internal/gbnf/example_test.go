package gbnf_test

import (
	"errors"
	"fmt"

	"github.com/whetgo/whet/internal/gbnf"
)

func ExampleFromSchema() {
	g, err := gbnf.FromSchema([]byte(`{
		"type": "object",
		"properties": {"label": {"enum": ["ham", "spam"]}, "reason": {"type": "string"}},
		"required": ["label", "reason"]
	}`), gbnf.MaxString(40))
	if err != nil {
		fmt.Println(err)
		return
	}
	state := g.Start()
	fmt.Println(state.Forced(100))
	state, ok := state.Advance(`{"label": "spam", "reason": "It asks for mo`)
	fmt.Println(ok, state.Complete(), state.Shortest())
	_, ok = state.Advance("\n") // a text has no raw line break in JSON
	fmt.Println(ok)
	// Output:
	// {"label": "
	// true false "}
	// false
}

func ExampleFromSchema_unsupported() {
	_, err := gbnf.FromSchema([]byte(`{"properties": {"tags": {"contains": {"const": "a"}}}}`))
	var not *gbnf.UnsupportedError
	fmt.Println(errors.As(err, &not))
	fmt.Println(not.Path, not.Keyword)
	// Output:
	// true
	// /properties/tags contains
}

func ExampleFromPattern() {
	g, err := gbnf.FromPattern(`[A-Z]{2}-\d+`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	state, _ := g.Start().Advance("AB")
	fmt.Println(state.Forced(10), state.Shortest())
	// Output:
	// root ::= [A-Z]{2} "-" [0-9]+
	// - -0
}

func ExampleSequence() {
	g := gbnf.Sequence(gbnf.Literal("score: "), gbnf.Choice(gbnf.Int(), gbnf.Float(), gbnf.Literal("none")))
	for _, text := range []string{"score: 7", "score: 7.5", "score: none", "score: 7,5"} {
		state, ok := g.Start().Advance(text)
		fmt.Println(ok && state.Complete())
	}
	// Output:
	// true
	// true
	// true
	// false
}
