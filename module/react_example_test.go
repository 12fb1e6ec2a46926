package module_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

func ExampleNewReAct() {
	type Route struct {
		From string `desc:"a town"`
		To   string `desc:"a town"`
	}
	distance := func(_ context.Context, r Route) (int, error) {
		if r.From == "Larch Hill" && r.To == "Dunmore" {
			return 42, nil
		}
		return 0, fmt.Errorf("no road from %s to %s is known", r.From, r.To)
	}
	type Question struct{ Question string }
	type Answer struct{ Minutes int }

	// A model that says what a real one would.
	model := lmtest.Script(
		"[[ ## next_thought ## ]]\nHow far is it?\n\n[[ ## next_tool_name ## ]]\ndistance\n\n[[ ## next_tool_args ## ]]\n{\"from\": \"Larch Hill\", \"to\": \"Dunmore\"}\n\n[[ ## completed ## ]]",
		"[[ ## next_thought ## ]]\n42 km at 60 km/h.\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]",
		"[[ ## reasoning ## ]]\n42 km take 42 minutes at 60 km/h.\n\n[[ ## minutes ## ]]\n42\n\n[[ ## completed ## ]]",
	)
	agent, err := module.NewReAct[Question, Answer](
		"Answer the question about a journey.",
		[]*module.Tool{module.MustTool("distance", "Tells how many km a road has.", distance)},
		module.MaxIters(5), module.WithLM(model))
	if err != nil {
		log.Fatal(err)
	}
	out, err := agent.Run(context.Background(), Question{"How long from Larch Hill to Dunmore at 60 km/h?"})
	fmt.Println(out.Minutes, err)
	// Output: 42 <nil>
}

func ExampleReAct_CallTrajectory() {
	type Word struct{ Word string }
	letters := module.MustTool("letters", "Counts letters.", func(_ context.Context, w Word) (int, error) { return len(w.Word), nil })
	model := lmtest.Script(
		"[[ ## next_thought ## ]]\nCount.\n\n[[ ## next_tool_name ## ]]\nletters\n\n[[ ## next_tool_args ## ]]\n{\"text\": \"whet\"}\n\n[[ ## completed ## ]]",
		"[[ ## next_thought ## ]]\nIt is word.\n\n[[ ## next_tool_name ## ]]\nletters\n\n[[ ## next_tool_args ## ]]\n{\"word\": \"whet\"}\n\n[[ ## completed ## ]]",
		"[[ ## next_thought ## ]]\nFour.\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]",
		"[[ ## reasoning ## ]]\nThe tool says 4.\n\n[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]",
	)
	agent := module.MustDynamicReAct(signature.MustParse("question -> answer: int"), []*module.Tool{letters}, module.WithLM(model))
	pred, steps, err := agent.CallTrajectory(context.Background(), signature.RecordOf("question", "How many letters has whet?"))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range steps.Steps {
		fmt.Printf("%s | %s | %s\n", s.Thought, s.Tool, s.Observation)
	}
	n, _ := pred.Out.Get("answer")
	fmt.Println(n, pred.Usage.Calls, "calls, stopped by", steps.Stopped)
	// Output:
	// Count. | letters | The call of letters failed: the argument "text": there is no such argument; the tool takes word (str)
	// It is word. | letters | 4
	// Four. | finish | Completed.
	// 4 4 calls, stopped by finish
}

func ExampleNewTool() {
	type Args struct {
		City string `json:"city" desc:"Where to look" minlen:"1"`
		Unit string `json:"unit" enum:"celsius,fahrenheit" default:"celsius"`
	}
	weather, err := module.NewTool("weather", "Tells the temperature in a city.",
		func(_ context.Context, in Args) (string, error) { return "18 " + in.Unit + " in " + in.City, nil })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(weather.Spec())
	fmt.Println(weather.Call(context.Background(), signature.RecordOf("city", "Larch Hill")))
	_, err = weather.Call(context.Background(), signature.RecordOf("city", "Larch Hill", "unit", "kelvin"))
	var te *module.ToolError
	fmt.Println(errors.As(err, &te), te.Argument)
	// Output:
	// weather, whose description is <desc>Tells the temperature in a city.</desc>. It takes arguments {'city': {'type': 'string', 'description': 'Where to look', 'minLength': 1}, 'unit': {'type': 'string', 'default': 'celsius', 'enum': ['celsius', 'fahrenheit']}}.
	// 18 celsius in Larch Hill <nil>
	// true unit
}

func ExampleNewDynamicTool() {
	// The arguments come from elsewhere: a file, or a server of tools.
	sig := signature.MustParse("path, lines: int -> text")
	head, err := module.NewDynamicTool("head", "Shows the beginning of a file.", sig.Inputs(),
		func(_ context.Context, args signature.Record) (string, error) {
			path, _ := args.Get("path")
			n, _ := args.Get("lines")
			return fmt.Sprintf("%v lines of %v", n, path), nil
		})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(head.Call(context.Background(), signature.RecordOf("lines", 2, "path", "go.mod")))
	// Output: 2 lines of go.mod <nil>
}

func ExampleToolSteps() {
	now := module.MustTool("now", "Tells the time.", func(context.Context, struct{}) (string, error) { return "08:15", nil })
	model := lmtest.Script(
		"[[ ## next_thought ## ]]\nWhat time is it?\n\n[[ ## next_tool_name ## ]]\nnow\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]",
		"[[ ## next_thought ## ]]\nIt is known.\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]",
		"[[ ## reasoning ## ]]\nThe clock says so.\n\n[[ ## answer ## ]]\n08:15\n\n[[ ## completed ## ]]",
	)
	agent := module.MustDynamicReAct(signature.MustParse("question -> answer"), []*module.Tool{now})
	ctx, t := trace.Start(lm.With(context.Background(), model))
	if _, err := agent.Run(ctx, signature.RecordOf("question", "What time is it?")); err != nil {
		log.Fatal(err)
	}
	for _, call := range module.ToolSteps(t) {
		fmt.Println(call.Tool, call.Observation, call.Err)
	}
	// Output: now 08:15 <nil>
}
