package evaluate_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

func Example() {
	const dev = `LABEL,TEXT
ham,See you at noon
spam,You won a prize
Smishing,Pay the toll at http://example.com
spam,"Cheap loans, call now"
`
	data, err := evaluate.DecodeCSV[SMS, Verdict](strings.NewReader(dev), "dev.csv",
		evaluate.Column("text", "TEXT"), evaluate.Column("label", "LABEL"), evaluate.Map("label", strings.ToLower))
	if err != nil {
		fmt.Println(err)
		return
	}
	// rules is a struct with a Run method; most programs call a model.
	report, err := evaluate.Run(context.Background(), &rules{}, data, metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report)
	// Output:
	// score        0.750  mean, 95 % interval 0.301 to 0.954
	// rows             4  0 failed
	// LM calls         0  0 prompt tokens, 0 decoded
}

func ExampleBy() {
	report, err := evaluate.Run(context.Background(), &rules{}, dev(), metric.Exact,
		evaluate.By(metric.MacroF1(func(v Verdict) Label { return v.Label })), evaluate.Concurrency(2))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("macro F1 %.3f, accuracy %.3f\n", report.Score, report.Mean)
	// Output: macro F1 0.778, accuracy 0.667
}

func ExampleConfusion() {
	report, err := evaluate.Run(context.Background(), &rules{}, dev(), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := evaluate.Confusion(report, func(v Verdict) Label { return v.Label })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(c)
	// Output:
	// truth \ answer  ham  spam  smishing  failed
	// ham               2     0         0       1
	// spam              1     1         0       0
	// smishing          0     0         1       0
	//
	// class     precision  recall      F1  rows
	// ham          0.667   0.667   0.667      3
	// spam         1.000   0.500   0.667      2
	// smishing     1.000   1.000   1.000      1
	// macro        0.889   0.722   0.778      6
	// weighted     0.833   0.667   0.722      6
	// micro        0.800   0.667   0.727      6
	//
	// accuracy 0.667 (95 % interval 0.300 to 0.903), balanced accuracy 0.722
}

func ExampleCompare() {
	alwaysHam := module.Func[SMS, Verdict](func(context.Context, SMS) (Verdict, error) {
		return Verdict{"ham"}, nil
	})
	before, err := evaluate.Run(context.Background(), alwaysHam, dev(), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := evaluate.Run(context.Background(), &rules{}, dev(), metric.Exact)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := evaluate.Compare(before, after, metric.Resampling{Seed: 1})
	fmt.Println(d, err)
	fmt.Println("significant:", d.Significant())
	// Output:
	// 0.500 to 0.667: +0.167, 95 % interval -0.333 to 0.667 <nil>
	// significant: false
}

func ExampleDecodeCSV() {
	_, err := evaluate.DecodeCSV[SMS, Verdict](strings.NewReader("text,label\nhello,ham\nbye,hum\n"), "dev.csv")
	fmt.Println(err)
	// Output: dev.csv:3:5: column "label": want one of ham, spam, smishing, got "hum"
}

func ExampleDecodeJSONL() {
	data, err := evaluate.DecodeJSONL[SMS, Verdict](strings.NewReader(`{"text": "hello", "label": "ham"}`), "dev.jsonl")
	fmt.Println(data[0].ID, data[0].In.Text, data[0].Out.Label, err)
	// Output: dev.jsonl:1 hello ham <nil>
}

func ExampleSplit() {
	train, val, err := evaluate.Split(dev(), 0.5, 1, func(ex module.Example[SMS, Verdict]) string {
		return string(ex.Out.Label)
	})
	fmt.Println(len(train), len(val), err)
	// Output: 3 3 <nil>
}
