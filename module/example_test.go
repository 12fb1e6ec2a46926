package module_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

type Mail struct {
	Text string `json:"text" desc:"the mail to sort"`
}

type Folder struct {
	Folder string `json:"folder" enum:"work,family,junk"`
}

// Sorter is a program of two modules.
type Sorter struct {
	Sort  *module.Predict[Mail, Folder]
	Check *module.ChainOfThought[Mail, Folder]
}

func ExamplePredict() {
	model := lmtest.Script("[[ ## folder ## ]]\nfamily\n\n[[ ## completed ## ]]") // a real program opens one
	sort := module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model), module.Temperature(0))
	out, err := sort.Run(context.Background(), Mail{Text: "Dinner on Sunday?"})
	fmt.Println(out.Folder, err)
	// Output: family <nil>
}

func ExampleChainOfThought() {
	model := lmtest.Script("[[ ## reasoning ## ]]\nMum asks.\n\n[[ ## folder ## ]]\nfamily\n\n[[ ## completed ## ]]")
	sort := module.MustChainOfThought[Mail, Folder]("Sort the mail.")
	pred, err := sort.Call(lm.With(context.Background(), model), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Reasoning, pred.Out.Folder)
	// Output: Mum asks. family
}

func ExamplePredictors() {
	program := Sorter{
		Sort:  module.MustPredict[Mail, Folder]("Sort the mail."),
		Check: module.MustChainOfThought[Mail, Folder]("Sort the mail with care."),
	}
	named, err := module.Predictors(program)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range named {
		fmt.Println(n.Name, "is", n.Predictor.Signature())
	}
	// Output:
	// sort is text -> folder
	// check.predict is text -> reasoning, folder
}

func ExampleSave() {
	dir, err := os.MkdirTemp("", "whet")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "sorter.json")

	tuned := module.MustPredict[Mail, Folder]("Sort the mail.")
	err = tuned.Predictor().SetState(module.State{Demos: []module.Demo{
		{Fields: signature.RecordOf("text", "You won!", "folder", "junk")},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := module.Save(path, tuned, module.WithProvenance(module.Provenance{Optimizer: "by hand"})); err != nil {
		fmt.Println(err)
		return
	}

	fresh := module.MustPredict[Mail, Folder]("Sort the mail.")
	report, err := module.Load(path, fresh)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Provenance.Optimizer, len(fresh.Predictor().State().Demos))
	// Output: by hand 1
}

func ExampleWithStates() {
	sort := module.MustPredict[Mail, Folder]("Sort the mail.")
	candidate, err := module.States{}.With(sort.Predictor(), module.State{Instructions: "Sort the mail; advertising is junk."})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := module.WithStates(context.Background(), candidate)
	// Calls with ctx use the candidate; the program is as it was.
	fmt.Println(sort.Predictor().StateIn(ctx).Instructions)
	fmt.Printf("%q\n", sort.Predictor().State().Instructions)
	// Output:
	// Sort the mail; advertising is junk.
	// ""
}
