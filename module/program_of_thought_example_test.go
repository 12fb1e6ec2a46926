package module_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// sums is an interpreter of a tiny language: numbers and names with plus signs between.
type sums struct{}

func (sums) Language() module.Language {
	return module.Language{Name: "Sums", Guide: "A program is numbers and names with + between them."}
}

func (sums) Execute(_ context.Context, code string, inputs signature.Record) (*module.CodeResult, error) {
	var total int64
	for _, term := range strings.Split(code, "+") {
		term = strings.TrimSpace(term)
		n, err := strconv.ParseInt(term, 10, 64)
		if v, ok := inputs.Get(term); ok {
			n, err = v.(int64), nil
		}
		if err != nil {
			return nil, &module.InterpreterError{Language: "Sums", Kind: module.ErrCodeSyntax, Message: "no number or name: " + term}
		}
		total += n
	}
	return &module.CodeResult{Value: total, HasValue: true}, nil
}

type Bill struct {
	Meal int `json:"meal"`
	Tip  int `json:"tip"`
}

type Due struct {
	Due int `json:"due"`
}

// A real program takes the interpreter of module/starlark, and opens a model.
func ExampleProgramOfThought() {
	reply := func(field, text string) string {
		return "[[ ## reasoning ## ]]\nAdd both.\n\n[[ ## " + field + " ## ]]\n" + text + "\n\n[[ ## completed ## ]]"
	}
	model := lmtest.Script(reply("generated_code", "```sums\nmeal plus tip\n```"), reply("generated_code", "```sums\nmeal + tip\n```"), reply("due", "46"))
	pay := module.MustProgramOfThought[Bill, Due]("How much is to be paid?", sums{}, module.WithLM(model))
	pred, runs, err := pay.CallCode(context.Background(), Bill{Meal: 40, Tip: 6})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range runs {
		fmt.Println(r.Code, "|", r.Err)
	}
	fmt.Println(pred.Out.Due, pred.Usage.Calls)
	// Output:
	// meal plus tip | module: Sums code: syntax: no number or name: meal plus tip
	// meal + tip | <nil>
	// 46 3
}
