package module_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

// sorter is a program whose model always answers the same; a real one opens its own.
func sorter(folder string) module.Program[Mail, Folder] {
	model := lmtest.Answer(func(*lm.Request) (string, error) {
		return "[[ ## folder ## ]]\n" + folder + "\n\n[[ ## completed ## ]]", nil
	})
	return module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model))
}

func ExampleEnsemble() {
	sort := module.MustEnsemble([]module.Program[Mail, Folder]{sorter("work"), sorter("family"), sorter("family")}, module.Voting[Folder]{})
	pred, err := sort.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Folder)
	for _, c := range pred.Votes.Counts {
		fmt.Printf("%s: %.2f by %v\n", c.Key, c.Share, c.Members)
	}
	// Output:
	// family
	// family: 0.67 by [1 2]
	// work: 0.33 by [0]
}

func ExampleVoting_earlyExit() {
	programs := []module.Program[Mail, Folder]{sorter("family"), sorter("family"), sorter("family"), sorter("work"), sorter("junk")}
	sort := module.MustEnsemble(programs, module.Voting[Folder]{EarlyExit: true, Batch: 1})
	pred, err := sort.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, %d of %d asked\n", pred.Out.Folder, pred.Votes.Asked, pred.Votes.Members)
	// Output: family, 3 of 5 asked
}

func ExampleSelfConsistency() {
	// This model says something else in each rollout.
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		return "[[ ## folder ## ]]\n" + []string{"work", "family", "family"}[r.Rollout] + "\n\n[[ ## completed ## ]]", nil
	})
	once := module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model))
	sort := module.MustSelfConsistency(once, 3, 0.7, module.Voting[Folder]{})
	pred, err := sort.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %.2f\n", pred.Out.Folder, pred.Votes.Share())
	// Output: family 0.67
}

func ExampleLogOdds() {
	good, err := module.LogOdds(0.9, 2)
	fair, err2 := module.LogOdds(0.6, 2)
	fmt.Printf("%.2f %.2f %v\n", good, fair, errors.Join(err, err2))
	// Output: 2.20 0.41 <nil>
}

func ExampleMixtureOfAgents() {
	// This model takes the answer that most references have.
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		folder := "work"
		if prompt := r.Messages[len(r.Messages)-1].Text(); strings.Count(prompt, "«family»") > 1 {
			folder = "family"
		}
		return "[[ ## folder ## ]]\n" + folder + "\n\n[[ ## completed ## ]]", nil
	})
	proposers := []module.Program[Mail, Folder]{sorter("work"), sorter("family"), sorter("family")}
	sort, err := module.NewMixtureOfAgents(proposers, module.MixtureConfig[Mail, Folder]{
		Instructions: "Sort the mail.", Options: []module.Option{module.WithLM(model)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := sort.Run(context.Background(), Mail{Text: "Dinner on Sunday?"})
	fmt.Println(out.Folder, err)
	// Output: family <nil>
}

func ExampleAggregator() {
	final, err := module.NewAggregator[Mail, Folder]("Sort the mail.")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(final.Predictor().Signature())
	// Output: text, references -> folder
}

func ExampleCascade() {
	cheap := module.MustSelfConsistency(sorter("family"), 3, 0, module.Voting[Folder]{}) // all agree
	sort := module.MustCascade([]module.Program[Mail, Folder]{cheap, sorter("work")}, module.CascadeConfig[Mail, Folder]{Thresholds: []float64{0.8}})
	pred, err := sort.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Folder, "by program", pred.Chosen)
	// Output: family by program 0
}

func ExampleRouter() {
	long := module.Func[Mail, float64](func(_ context.Context, in Mail) (float64, error) {
		return min(1, float64(len(in.Text))/100), nil
	})
	sort := module.MustRouter(long, []module.Program[Mail, Folder]{sorter("family"), sorter("work")}, []float64{0.5})
	pred, err := sort.Call(context.Background(), Mail{Text: "Dinner on Sunday?"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pred.Out.Folder, "by program", pred.Chosen)
	// Output: family by program 0
}
