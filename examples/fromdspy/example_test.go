package fromdspy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// 1. A signature.

type Review struct {
	Text string `json:"text" desc:"what the guest wrote"`
}

type Rating struct {
	Mood  string `json:"mood" enum:"good,bad"`
	Stars int    `json:"stars" min:"1" max:"5"`
}

func Example_signature() {
	rate := module.MustPredict[Review, Rating]("Rate the review.")
	fmt.Println(rate.Predictor().Signature())
	// Output: text -> mood, stars
}

// reply is what a model would answer.
func reply(fields ...string) string {
	text := ""
	for i := 0; i < len(fields); i += 2 {
		text += "[[ ## " + fields[i] + " ## ]]\n" + fields[i+1] + "\n\n"
	}
	return text + "[[ ## completed ## ]]"
}

// 2. The language model.

func Example_configure() {
	model := lmtest.Script(reply("mood", "good", "stars", "4")) // llamacpp.Open("model.gguf") in a real program
	ctx := lm.With(context.Background(), model)

	rate := module.MustPredict[Review, Rating]("Rate the review.")
	out, err := rate.Run(ctx, Review{Text: "Lovely."})
	fmt.Println(out.Mood, out.Stars, err)
	// Output: good 4 <nil>
}

// 3. A string signature.

func Example_stringSignature() {
	ctx := lm.With(context.Background(), lmtest.Script(reply("answer", "Rome", "sure", "True")))

	qa := module.MustDynamic(signature.MustParse("question, context: list[str] -> answer, sure: bool"))
	out, err := qa.Run(ctx, signature.RecordOf("question", "Capital of Italy?", "context", []string{"Rome is it."}))
	fmt.Println(out.Get("answer"))
	fmt.Println(err)
	// Output:
	// Rome true
	// <nil>
}

// 4. A chain of thought.

func Example_chainOfThought() {
	ctx := lm.With(context.Background(), lmtest.Script(reply("reasoning", "Only praise.", "mood", "good", "stars", "5")))

	rate := module.MustChainOfThought[Review, Rating]("Rate the review.")
	pred, err := rate.Call(ctx, Review{Text: "Lovely."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Reasoning, pred.Out.Stars)
	// Output: Only praise. 5
}

// 5. A program of several modules.

type Query struct {
	Question string   `json:"question"`
	Notes    []string `json:"notes"`
}

type Search struct {
	Words string `json:"words"`
}

type Answer struct {
	Answer string `json:"answer"`
}

type Hop struct {
	Search *module.ChainOfThought[Query, Search]
	Answer *module.Predict[Query, Answer]

	find func(words string) []string
}

func (h *Hop) Run(ctx context.Context, in Query) (Answer, error) {
	for range 2 {
		next, err := h.Search.Run(ctx, in)
		if err != nil {
			return Answer{}, err
		}
		in.Notes = slices.Concat(in.Notes, h.find(next.Words))
	}
	return h.Answer.Run(ctx, in)
}

func Example_program() {
	ctx := lm.With(context.Background(), lmtest.Script(
		reply("reasoning", "-", "words", "tower"), reply("reasoning", "-", "words", "height"), reply("answer", "330 m")))

	hop := &Hop{
		Search: module.MustChainOfThought[Query, Search]("Say what to look up next."),
		Answer: module.MustPredict[Query, Answer]("Answer from the notes."),
		find:   func(words string) []string { return []string{"on " + words} },
	}
	out, err := hop.Run(ctx, Query{Question: "How high is it?"})
	fmt.Println(out.Answer, err)
	// Output: 330 m <nil>
}

// 6. Evaluation.

var reviews = []module.Example[Review, Rating]{
	{In: Review{"Lovely."}, Out: Rating{"good", 5}},
	{In: Review{"Dirty."}, Out: Rating{"bad", 1}},
}

func Example_evaluate() {
	ctx := lm.With(context.Background(), lmtest.Answer(func(*lm.Request) (string, error) {
		return reply("mood", "good", "stars", "5"), nil
	}))
	rate := module.MustPredict[Review, Rating]("Rate the review.")

	sameMood := func(ctx context.Context, ex module.Example[Review, Rating], got Rating, t *trace.Trace) (metric.Score, error) {
		return metric.Bool(got.Mood == ex.Out.Mood), nil
	}
	report, err := evaluate.Run(ctx, rate, reviews, sameMood)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Score)
	// Output: 0.5
}

// 7. Optimisation.

func Example_optimize() {
	ctx := lm.With(context.Background(), lmtest.Answer(func(*lm.Request) (string, error) {
		return reply("mood", "good", "stars", "5"), nil
	}))
	rate := module.MustPredict[Review, Rating]("Rate the review.")

	search := optimize.RandomSearch{MaxBootstrapped: 4, MaxLabeled: 8, Candidates: 2}
	result, err := optimize.Compile(ctx, search, rate, reviews, metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := result.Apply(rate); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Score, result.Confirmed)
	// Output: 0.5 false
}

// 8. Files.

func Example_saveAndLoad() {
	dir, err := os.MkdirTemp("", "whet")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "rate.json")
	rate := module.MustChainOfThought[Review, Rating]("Rate the review.")

	if err := module.Save(path, rate); err != nil { // DSPy loads it
		fmt.Println(err)
		return
	}
	report, err := module.Load(path, rate) // what DSPy 2.4 to 3.x saved is loaded, too
	fmt.Println(report != nil, err)
	// Output: true <nil>
}

// 9. Another adapter.

func Example_jsonAdapter() {
	ctx := lm.With(context.Background(), lmtest.Script(`{"mood": "bad", "stars": 2}`))

	rate := module.MustPredict[Review, Rating]("Rate the review.", module.WithAdapter(adapter.JSON{}))
	out, err := rate.Run(ctx, Review{Text: "Loud."})
	fmt.Println(out.Mood, out.Stars, err)
	// Output: bad 2 <nil>
}

// 10. Nested types, and what may be absent.

type Person struct {
	Name string   `json:"name" minlen:"1"`
	Age  *int     `json:"age" desc:"in years"`
	Tags []string `json:"tags" default:"[]"`
}

type People struct {
	People []Person           `json:"people"`
	Scores map[string]float64 `json:"scores"`
}

func Example_types() {
	ctx := lm.With(context.Background(), lmtest.Script(
		reply("people", `[{"name": "Ann", "age": 7}, {"name": "Bob"}]`, "scores", `{"Ann": 0.5}`)))

	find := module.MustPredict[Review, People]("Find the people.")
	out, err := find.Run(ctx, Review{Text: "Ann, 7, and Bob."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*out.People[0].Age, out.People[1].Age, out.Scores["Ann"])
	// Output: 7 <nil> 0.5
}

// 11. A conversation.

type Chat struct {
	History signature.History `json:"history"`
	Message string            `json:"message"`
}

func Example_history() {
	ctx := lm.With(context.Background(), lmtest.Script(reply("answer", "Ann, as you said.")))

	talk := module.MustPredict[Chat, Answer]("Chat.")
	out, err := talk.Run(ctx, Chat{
		History: signature.History{Turns: []signature.Record{signature.RecordOf("message", "I am Ann.", "answer", "Hello, Ann.")}},
		Message: "Who am I?",
	})
	fmt.Println(out.Answer, err)
	// Output: Ann, as you said. <nil>
}

// 12. A reply that cannot be read.

func Example_repair() {
	model := lmtest.Script("Hm, hard to say.", reply("mood", "bad", "stars", "1"))
	ctx := lm.With(context.Background(), model)

	rate := module.MustPredict[Review, Rating]("Rate the review.", module.Retry(2))
	pred, err := rate.Call(ctx, Review{Text: "Dirty."})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Mood, len(pred.Rejected), pred.Usage.Calls)
	// Output: bad 1 2
}
