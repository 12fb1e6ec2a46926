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
	"time"

	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
	"github.com/whetgo/whet/module"
)

type (
	message = sms.Message
	verdict = sms.Verdict
	row     = sms.Row
	program = module.Program[message, verdict]
	report  = evaluate.Report[message, verdict]
)

var macroF1 = sms.MacroF1()

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	data := flag.String("data", sms.DefaultDir, "the folder of the SMS data")
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
	for _, m := range sms.Models() {
		path, err := m.Path(os.Getenv)
		if err != nil {
			return err
		}
		model, err := llamacpp.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = model.Close() }()
		b.models = append(b.models, &family{name: m.Name, lm: remember(model)})
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
	train, err := sms.Read(dir, "first100.csv")
	if err != nil {
		return nil, err
	}
	last, err := sms.Read(dir, "last100.csv")
	if err != nil {
		return nil, err
	}
	between, err := sms.Read(dir, "sms.csv")
	if err != nil {
		return nil, err
	}
	between = sms.Without(between, train)
	if len(between) < sms.Reported+dev {
		return nil, fmt.Errorf("sms.csv has %d rows, and %d are needed", len(between), sms.Reported+dev)
	}
	fresh := between[:sms.Reported]
	rest := sms.Without(between[sms.Reported:], append(append([]row(nil), fresh...), last...))
	return &dataset{
		train: train, dev: rest[:min(dev, len(rest))],
		last: last[:min(limit, len(last))], fresh: fresh[:min(limit, len(fresh))],
	}, nil
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
