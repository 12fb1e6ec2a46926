package metric_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

func ExampleExactOn() {
	m := metric.ExactOn[question](func(a answer) string { return strings.ToLower(string(a.Label)) })
	ex := module.Example[question, answer]{Out: answer{Label: "a"}}
	score, err := m(context.Background(), ex, answer{Label: "A"}, nil)
	fmt.Println(score.Value, err)
	// Output: 1 <nil>
}

func ExampleMacroF1() {
	// Nine rows are a, one is b, and the program always says a.
	var rows []metric.Outcome[answer]
	for range 9 {
		rows = append(rows, metric.Outcome[answer]{Truth: answer{Label: "a"}, Got: answer{Label: "a"}, Score: 1})
	}
	rows = append(rows, metric.Outcome[answer]{Truth: answer{Label: "b"}, Got: answer{Label: "a"}})

	mean, _ := metric.Mean[answer]().Score(rows)
	macro, _ := metric.MacroF1(func(a answer) label { return a.Label }, "a", "b").Score(rows)
	fmt.Printf("mean %.2f, macro F1 %.2f\n", mean, macro)
	// Output: mean 0.90, macro F1 0.47
}

func ExampleNewConfusion() {
	c, err := metric.NewConfusion("ham", "spam")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range [][2]string{{"ham", "ham"}, {"ham", "ham"}, {"ham", "spam"}, {"spam", "spam"}, {"spam", "?"}} {
		if err := c.Add(row[0], row[1]); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Print(c)
	// Output:
	// truth \ answer  ham  spam  failed
	// ham               2     1       0
	// spam              0     1       1
	//
	// class     precision  recall      F1  rows
	// ham          1.000   0.667   0.800      3
	// spam         0.500   0.500   0.500      2
	// macro        0.750   0.583   0.650      5
	// weighted     0.800   0.600   0.680      5
	// micro        0.750   0.600   0.667      5
	//
	// accuracy 0.600 (95 % interval 0.231 to 0.882), balanced accuracy 0.583
}

func ExampleWilson() {
	iv, err := metric.Wilson(8, 10, 0.95)
	fmt.Println(iv, err)
	// Output: 95 % interval 0.490 to 0.943 <nil>
}

func ExamplePairedBootstrap() {
	scores := []float64{1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0}
	iv, err := metric.PairedBootstrap(len(scores), metric.Resampling{Seed: 1}, func(idx []int) float64 {
		sum := 0.0
		for _, i := range idx {
			sum += scores[i]
		}
		return sum / float64(len(idx))
	})
	fmt.Println(iv, err)
	// Output: 95 % interval 0.550 to 0.900 <nil>
}
