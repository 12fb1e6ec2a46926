package assert_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/trace"
)

// Search looks something up in two steps.
type Search struct {
	Query  *module.Predict[Ask, Query]
	Answer *module.Predict[Query, Reply]
}

type (
	Ask struct {
		Question string `json:"question"`
	}
	Query struct {
		Query string `json:"query"`
	}
	Reply struct {
		Answer string `json:"answer"`
	}
)

func (s *Search) Run(ctx context.Context, in Ask) (Reply, error) {
	q, err := s.Query.Run(ctx, in)
	if err != nil {
		return Reply{}, err
	}
	out, err := s.Answer.Run(ctx, q)
	if err != nil {
		return out, err
	}
	if err := assert.That(ctx, out.Answer != "nothing found", "Nothing was found; ask with fewer words", assert.Target("query")); err != nil {
		return out, err
	}
	return out, assert.Suggest(ctx, len(out.Answer) < 40, "Answer in fewer than 40 characters")
}

func newSearch(replies ...string) (*Search, *lmtest.Scripted) {
	model := lmtest.Script(replies...)
	return &Search{
		module.MustPredict[Ask, Query]("Write a query.", module.WithLM(model)),
		module.MustPredict[Query, Reply]("Answer.", module.WithLM(model)),
	}, model
}

func Example() {
	search, model := newSearch(
		reply("query", "the capital city of the French Republic"), reply("answer", "nothing found"),
		reply("query", "capital of France"), reply("answer", "Paris"))
	prog := assert.Wrap(search, assert.MaxBacktracks(2))
	out, err := prog.Run(context.Background(), Ask{"What is the capital of France?"})
	fmt.Println(out.Answer, err)
	for _, line := range asked(model.Requests()[2]) {
		fmt.Println("  " + line)
	}
	// Output:
	// Paris <nil>
	//   question=What is the capital of France?
	//   past_query=the capital city of the French Republic
	//   feedback=Nothing was found; ask with fewer words
}

func ExampleThat() {
	// Outside of a Wrapped an assertion is an error and no more.
	search, _ := newSearch(reply("query", "q"), reply("answer", "nothing found"))
	_, err := search.Run(context.Background(), Ask{"What is the capital of France?"})
	var failed *assert.Error
	fmt.Println(errors.As(err, &failed), err)
	// Output: true assert: predictor "query": Nothing was found; ask with fewer words
}

func ExampleSuggest() {
	long := "The capital of France is, as everybody knows, Paris"
	search, _ := newSearch(reply("query", "q"), reply("answer", long), reply("answer", long), reply("answer", long+"!"))
	ctx, t := trace.Start(context.Background())
	out, err := assert.Wrap(search).Run(ctx, Ask{"What is the capital of France?"})
	fmt.Println(out.Answer, err)
	for _, f := range assert.Failures(t) {
		fmt.Printf("try %d, %s: %s; ignored: %v\n", f.Try, f.Target, f.Message, f.Ignored)
	}
	fmt.Printf("%+v\n", assert.CountCalls(t))
	// Output:
	// The capital of France is, as everybody knows, Paris! <nil>
	// try 0, answer: Answer in fewer than 40 characters; ignored: false
	// try 1, answer: Answer in fewer than 40 characters; ignored: false
	// try 2, answer: Answer in fewer than 40 characters; ignored: true
	// {Requested:6 Paid:4}
}

func ExampleFullRerun() {
	replies := []string{
		reply("query", "q"), reply("answer", "Paris, which is the capital of the French Republic"),
		reply("query", "q"), reply("answer", "Paris"),
	}
	search, model := newSearch(replies...)
	_, err := assert.Wrap(search, assert.FullRerun()).Run(context.Background(), Ask{"What is the capital of France?"})
	fmt.Println(model.Calls(), "calls", err)
	search, model = newSearch(replies[0], replies[1], replies[3])
	_, err = assert.Wrap(search).Run(context.Background(), Ask{"What is the capital of France?"})
	fmt.Println(model.Calls(), "calls", err)
	// Output:
	// 4 calls <nil>
	// 3 calls <nil>
}

func ExampleWrap_constraints() {
	type Rated struct {
		Stars int `json:"stars" min:"1" max:"5"`
	}
	// A backend that enforces forms cannot answer 9. This one can, and is told.
	model := lmtest.Script(reply("stars", "9"), reply("stars", "5"))
	rate := assert.Wrap(module.MustPredict[Ask, Rated]("Rate it.", module.WithLM(model)))
	out, err := rate.Run(context.Background(), Ask{"Marvellous!"})
	fmt.Println(out.Stars, err)
	fmt.Println(asked(model.Requests()[1])[1:])
	// Output:
	// 5 <nil>
	// [past_stars=9 feedback=The field `stars` must be int, greater than or equal to: 1, less than or equal to: 5]
}

func ExampleRepairs() {
	search, _ := newSearch(reply("query", "q1"), reply("answer", "nothing found"), reply("query", "q2"), reply("answer", "Paris"))
	ctx, t := trace.Start(context.Background())
	if _, err := assert.Wrap(search).Run(ctx, Ask{"What is the capital of France?"}); err != nil {
		fmt.Println(err)
	}
	for _, r := range assert.Repairs(t) {
		for name, value := range r.Demo().All() {
			fmt.Printf("%s=%v\n", name, value)
		}
	}
	// Output:
	// question=What is the capital of France?
	// feedback=Nothing was found; ask with fewer words
	// past_query=q1
	// query=q2
}
