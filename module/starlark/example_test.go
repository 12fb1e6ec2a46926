package starlark_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/module/starlark"
	"github.com/whetgo/whet/signature"
)

func ExampleInterpreter_Execute() {
	// The first line of main, or of TestMain, is starlark.Child().
	interpreter, err := starlark.New(starlark.Timeout(10*time.Second), starlark.MaxMemory(64<<20))
	if err != nil {
		fmt.Println(err)
		return
	}
	inputs := signature.RecordOf("prices", []signature.Value{2.5, 4.0})
	result, err := interpreter.Execute(context.Background(), `print(len(prices), "prices")`+"\n"+`SUBMIT({"total": sum(prices)})`, inputs)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(result.Output)
	fmt.Println(result.Text())

	_, err = interpreter.Execute(context.Background(), "x = [1]\nwhile True:\n  x = x + x", signature.Record{})
	var fault *module.InterpreterError
	if errors.As(err, &fault) {
		fmt.Println(fault.Kind, fault.Limit)
	}
	// Output:
	// 2 prices
	// {"total": 6.5} <nil>
	// limit memory
}

type Numbers struct {
	Numbers []int `json:"numbers"`
}

type Median struct {
	Median float64 `json:"median"`
}

// The model's first code uses a name that is not there; it is shown the error, and mends it.
func Example_programOfThought() {
	reply := func(field, text string) string {
		return "[[ ## reasoning ## ]]\nSort, then take the middle.\n\n[[ ## " + field + " ## ]]\n" + text + "\n\n[[ ## completed ## ]]"
	}
	model := lmtest.Script( // a real program opens one
		reply("generated_code", "```python\nSUBMIT(median(numbers))\n```"),
		reply("generated_code", "```python\ns = sorted(numbers)\nSUBMIT({\"median\": s[len(s) // 2]})\n```"),
		reply("median", "7"),
	)
	solve := module.MustProgramOfThought[Numbers, Median]("Find the median.", starlark.Must(), module.WithLM(model))
	pred, runs, err := solve.CallCode(context.Background(), Numbers{[]int{9, 7, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(runs[0].Err)
	fmt.Println(runs[1].Result.Text())
	fmt.Println(pred.Out.Median)
	// Output:
	// module: Starlark code: syntax: line 1: undefined: median
	// {"median": 7} <nil>
	// 7
}
