// Calibration chooses the defaults of optimize.Calibrate, and compares prompt layouts,
// by cross-validation on the 100 training rows of the SMS example, and on nothing
// else:
//
//	make bench-calibration
//	make bench-calibration ARGS=-layouts
//
// For several programs (two layouts; no demos, and sets of eight labeled ones) biases
// are fitted to four fifths of the rows and the fifth is predicted, in turn. It prints
// the macro F1 of these predictions for each setting, the mean over programs and
// divisions. Rows that are a program's demos are left out, as the model has seen them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

type (
	message = sms.Message
	verdict = sms.Verdict
	row     = sms.Row
)

type program struct {
	*module.Predict[message, verdict]
	layout adapter.Adapter
	rows   []row // that are not its demos
}

var errCaught = errors.New("the request was caught")

func predict(layout adapter.Adapter, model lm.LM) (*module.Predict[message, verdict], error) {
	return module.NewPredict[message, verdict](sms.Instructions,
		module.WithAdapter(layout), module.WithLM(model))
}

// with returns the program on another model.
func (p *program) with(model lm.LM) (*program, error) {
	other, err := predict(p.layout, model)
	if err != nil {
		return nil, err
	}
	return &program{other, p.layout, p.rows}, other.Predictor().SetState(p.Predictor().State())
}

var macroF1 = sms.MacroF1()

func label(r row) string { return r.Out.Label }

const (
	folds     = 5
	divisions = 3
	demoSets  = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "calibration:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context) error {
	data := flag.String("data", sms.DefaultDir, "`folder` of first100.csv")
	path := flag.String("model", os.Getenv("WHET_MODEL_SMOLLM2"), "GGUF `file` of the model")
	template := flag.String("chat-template", "", "chat template, for a model that has none")
	layouts := flag.Bool("layouts", false, "compare layouts in place of settings")
	flag.Parse()
	if *path == "" {
		return errors.New("no model: run make bench-calibration, or give a GGUF file with -model")
	}
	rows, err := sms.Read(*data, "first100.csv")
	if err != nil {
		return err
	}
	var opts []llamacpp.Option
	if *template != "" {
		opts = append(opts, llamacpp.Template(*template))
	}
	model, err := llamacpp.Open(*path, opts...)
	if err != nil {
		return err
	}
	defer model.Close()
	stored := optimize.NewStore().Wrap(model)
	if *layouts {
		fmt.Printf("%s, %d demo sets, %d folds, %d divisions\n", filepath.Base(*path), demoSets, folds, divisions)
		return compareLayouts(ctx, stored, model, rows, true)
	}
	programs, err := makePrograms(ctx, stored, rows, []adapter.Adapter{adapter.Compact{}, adapter.Chat{}}, false)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d programs, %d folds, %d divisions\n", filepath.Base(*path), len(programs), folds, divisions)
	return sweep(ctx, programs)
}

// makePrograms returns the programs, whose model has answered for all of their rows.
func makePrograms(ctx context.Context, model lm.LM, rows []row, layouts []adapter.Adapter, quiet bool) ([]*program, error) {
	var programs []*program
	for _, layout := range layouts {
		for set := range demoSets + 1 {
			made, err := predict(layout, model)
			if err != nil {
				return nil, err
			}
			p := &program{made, layout, rows}
			if set > 0 {
				if err := p.addDemos(ctx, uint64(set)); err != nil {
					return nil, err
				}
			}
			r, err := evaluate.Run(ctx, p, p.rows, metric.Exact, evaluate.Concurrency(16), evaluate.By(macroF1))
			if err != nil {
				return nil, err
			}
			if !quiet {
				fmt.Printf("%T, demo set %d: macro F1 without biases %.3f\n", layout, set, r.Score)
			}
			programs = append(programs, p)
		}
	}
	return programs, nil
}

// addDemos gives the program eight rows as demos, drawn by the seed.
func (p *program) addDemos(ctx context.Context, seed uint64) error {
	shuffled := append([]row(nil), p.rows...)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	r, err := optimize.Compile(ctx, optimize.LabeledFewShot{K: 8}, p, shuffled, metric.Exact)
	if err != nil {
		return err
	}
	if err := r.Apply(p); err != nil {
		return err
	}
	shown := map[string]bool{}
	for _, d := range p.Predictor().State().Demos {
		if text, ok := d.Fields.Get("text"); ok {
			shown[fmt.Sprint(text)] = true
		}
	}
	var rest []row
	for _, r := range p.rows {
		if !shown[r.In.Text] {
			rest = append(rest, r)
		}
	}
	p.rows = rest
	return nil
}

func sweep(ctx context.Context, programs []*program) error {
	softenings := []float64{optimize.None, 0.25, 0.5, 0.75, 1}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "smoothing\\softening")
	for _, s := range softenings {
		fmt.Fprintf(w, "\t%g", max(s, 0))
	}
	fmt.Fprintln(w)
	for _, smoothing := range []float64{0.1, 0.2, 0.35, 0.5, 0.75, 1} {
		fmt.Fprintf(w, "%g", smoothing)
		for _, softening := range softenings {
			mean, err := validate(ctx, programs, optimize.Calibrate{Smoothing: smoothing, Softening: softening})
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\t%.4f", mean)
		}
		fmt.Fprintln(w)
	}
	mean, err := validate(ctx, programs, optimize.Calibrate{Method: optimize.MaxLikelihood})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "likelihood\t%.4f\n", mean)
	return w.Flush()
}

// validate returns the mean macro F1 on rows that fitted nothing.
func validate(ctx context.Context, programs []*program, c optimize.Calibrate) (float64, error) {
	scores := make([]float64, len(programs)*divisions)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range programs {
		for d := range divisions {
			g.Go(func() error {
				var err error
				scores[i*divisions+d], err = p.crossValidate(ctx, c, uint64(d))
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, s := range scores {
		sum += s
	}
	return sum / math.Max(1, float64(len(scores))), nil
}

// crossValidate predicts every row under biases that were fitted without it.
func (p *program) crossValidate(ctx context.Context, c optimize.Calibrate, seed uint64) (float64, error) {
	rest := p.rows
	var outcomes []metric.Outcome[verdict]
	for fold := range folds {
		held, others, err := evaluate.SplitN(rest, len(rest)/(folds-fold), seed, label)
		if err != nil {
			return 0, err
		}
		rest = others
		r, err := optimize.Compile(ctx, c, p, sms.Without(p.rows, held), metric.Exact, optimize.By(macroF1))
		if err != nil {
			return 0, err
		}
		tested, err := evaluate.Run(module.WithStates(ctx, r.Candidate()), p, held, metric.Exact)
		if err != nil {
			return 0, err
		}
		outcomes = append(outcomes, tested.Outcomes()...)
	}
	return macroF1.Score(outcomes)
}
