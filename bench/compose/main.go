// Compose compares ways to spend several calls on one message of the SMS example: a vote of
// rollouts, ensembles of demo sets and of models, mixtures of agents and cascades, at equal
// calls and at equal tokens:
//
//	make bench-compose
//	make bench-compose ARGS='-k 4 -limit 100'
//
// Demos come from first100.csv. Biases, weights, temperatures and thresholds are fitted, and
// the single programs chosen, on rows of sms.csv behind the first 500 (-dev of them); the
// 100 rows of last100.csv and the first 200 (-limit) of sms.csv are reported once.
//
// With -assertions it measures instead what assertions do for a program that must quote a
// message which it calls smishing: how many quotes hold before and after, and what that
// costs, beside running the whole program again:
//
//	make bench-compose ARGS=-assertions
//
// Equal requests to a model are made once and count every time, so that all programs build
// on the same answers. That is why no times are shown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
)

type sms struct {
	Text string `json:"text" desc:"The SMS text to classify"`
}

type verdict struct {
	Label string `json:"label" enum:"ham,spam,smishing" desc:"The predicted label"`
}

type (
	row     = module.Example[sms, verdict]
	program = module.Program[sms, verdict]
	report  = evaluate.Report[sms, verdict]
)

var macroF1 = metric.MacroF1(func(v verdict) string { return v.Label }, "ham", "spam", "smishing")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	data := flag.String("data", filepath.Join("..", "shared", "data", "smishing"), "the folder of the SMS data")
	k := flag.Int("k", 8, "calls that a program may make for a message")
	dev := flag.Int("dev", 150, "rows that settings are fitted to")
	limit := flag.Int("limit", 200, "rows of sms.csv that are reported")
	assertions := flag.Bool("assertions", false, "measure assertions instead")
	flag.Parse()
	if *k < 4 {
		return errors.New("-k must be at least 4")
	}
	rows, err := load(*data, *dev, *limit)
	if err != nil {
		return err
	}
	b := &bench{k: *k, data: rows}
	for _, m := range []struct{ name, variable string }{{"SmolLM2", "WHET_MODEL_SMOLLM2"}, {"Gemma", "WHET_MODEL_GEMMA"}} {
		path := os.Getenv(m.variable)
		if path == "" {
			return fmt.Errorf("%s is not set; run make bench-compose", m.variable)
		}
		model, err := llamacpp.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = model.Close() }()
		b.models = append(b.models, &family{name: m.name, lm: remember(model)})
	}
	start := time.Now()
	if *assertions {
		if err := b.assertions(ctx, os.Stdout); err != nil {
			return err
		}
	} else {
		if err := b.choose(ctx); err != nil {
			return err
		}
		if err := b.report(ctx, os.Stdout); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%.0f s in all\n", time.Since(start).Seconds())
	return nil
}

// dataset is what the comparison runs on.
type dataset struct {
	train, dev  []row
	last, fresh []row
}

func load(dir string, dev, limit int) (*dataset, error) {
	read := func(name string) ([]row, error) {
		return evaluate.ReadCSV[sms, verdict](filepath.Join(dir, name),
			evaluate.Column("text", "TEXT"), evaluate.Column("label", "LABEL"), evaluate.Map("label", strings.ToLower))
	}
	train, err := read("first100.csv")
	if err != nil {
		return nil, err
	}
	last, err := read("last100.csv")
	if err != nil {
		return nil, err
	}
	between, err := read("sms.csv")
	if err != nil {
		return nil, err
	}
	const reported = 500
	between = without(between, train)
	if len(between) < reported+dev {
		return nil, fmt.Errorf("sms.csv has %d rows, and %d are needed", len(between), reported+dev)
	}
	fresh := between[:reported]
	rest := without(between[reported:], append(append([]row(nil), fresh...), last...))
	return &dataset{
		train: train, dev: rest[:min(dev, len(rest))],
		last: last[:min(limit, len(last))], fresh: fresh[:min(limit, len(fresh))],
	}, nil
}

// without returns the rows that are none of seen, but for case and white space.
func without(rows, seen []row) []row {
	key := func(r row) string { return strings.Join(strings.Fields(strings.ToLower(r.In.Text)), " ") }
	known := map[string]bool{}
	for _, r := range seen {
		known[key(r)] = true
	}
	var out []row
	for _, r := range rows {
		if !known[key(r)] {
			out = append(out, r)
		}
	}
	return out
}

// family is a model and the programs that are made of it.
type family struct {
	name string
	lm   lm.LM
	// members have a demo set each, and biases; best is the one that does best on dev.
	members []program
	best    program
	single  int // the variant of best
}
