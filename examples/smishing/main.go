// The smishing example is the whole of whet at work, on a small model inside the
// process: it classifies SMS messages as ham, spam or smishing (phishing by SMS),
// measures the program, optimises it with few-shot search, calibrates it,
// measures again, saves the best program and loads it back.
//
// Run it with
//
//	make demo
//
// which sets up llama.cpp and a model of 135 million parameters first. The data
// set is read from ../shared/data/smishing; without it the example runs on
// messages of its own, and says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
)

type config struct {
	model, data, save, adapter, template string
	load                                 []string
	limit, candidates                    int
	seed                                 uint64
	talk, quiet, dataAsked               bool
}

func parseFlags(args []string, out io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("smishing", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&c.model, "model", os.Getenv("WHET_MODEL_SMOLLM2"), "GGUF `file` of the model")
	f.StringVar(&c.template, "chat-template", "", "chat template, for a model that has none: gemma or chatml")
	f.StringVar(&c.data, "data", defaultData(), "`folder` of first100.csv, last100.csv and sms.csv; \"sample\" is the embedded sample")
	f.IntVar(&c.limit, "limit", 0, "most rows of each test set; 0 is all")
	f.IntVar(&c.candidates, "candidates", 4, "candidates of the few-shot search beside the three fixed ones")
	f.Uint64Var(&c.seed, "seed", 0, "seed of the resampling behind the intervals; the search's seeds are DSPy's")
	f.BoolVar(&c.talk, "talk", false, "the talk's setting: 16 candidates")
	f.Func("program", "saved program, or `folder` of some, to load and test in place of searching; may be given several times", func(path string) error {
		c.load = append(c.load, path)
		return nil
	})
	f.StringVar(&c.save, "save", "smishing-program.json", "where to write the best program")
	f.StringVar(&c.adapter, "adapter", layouts[0].Name(), "prompt layout: one of "+layoutNames())
	f.BoolVar(&c.quiet, "quiet", false, "no progress")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	f.Visit(func(fl *flag.Flag) { c.dataAsked = c.dataAsked || fl.Name == "data" })
	if c.talk {
		c.candidates = 16
	}
	if c.candidates <= 0 {
		c.candidates = optimize.None
	}
	return c, nil
}

// layouts are what prompts may look like. The default is the one that did best on the
// training rows: see the README.
var layouts = []adapter.Adapter{adapter.Compact{Terse: true}, adapter.Compact{}, adapter.Compact{Turns: true}, adapter.Chat{}, adapter.JSON{}}

func layoutNames() string {
	names := make([]string, len(layouts))
	for i, l := range layouts {
		names[i] = l.Name()
	}
	return strings.Join(names, ", ")
}

func (c config) layout() (adapter.Adapter, error) {
	for _, l := range layouts {
		if l.Name() == c.adapter {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no adapter is named %q; use one of %s", c.adapter, layoutNames())
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "smishing:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	start := time.Now()
	c, err := parseFlags(args, log)
	if err != nil {
		return err
	}
	layout, err := c.layout()
	if err != nil {
		return err
	}
	data, err := loadData(c.data, c.dataAsked, c.limit)
	if err != nil {
		return err
	}
	if c.model == "" {
		return errors.New("no model: run make demo, or give a GGUF file with --model")
	}
	var opts []llamacpp.Option
	if c.template != "" {
		opts = append(opts, llamacpp.Template(c.template))
	}
	model, err := llamacpp.Open(c.model, opts...)
	if err != nil {
		return err
	}
	defer model.Close()
	if c.quiet {
		log = io.Discard
	}
	// All variants share what the model has answered already.
	e := &experiment{
		adapter: layout, model: optimize.NewStore().Wrap(model), data: data, candidates: c.candidates, log: log,
		resampling: metric.Resampling{Seed: c.seed},
	}
	if len(c.load) > 0 {
		err = e.test(ctx, c.load, out)
	} else {
		err = e.searchAndSave(ctx, c.save, out)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%.0f s in all\n", time.Since(start).Seconds())
	return nil
}

// searchAndSave is the whole loop: measure, optimise, calibrate, measure, save,
// load.
func (e *experiment) searchAndSave(ctx context.Context, path string, out io.Writer) error {
	if err := e.run(ctx); err != nil {
		return err
	}
	if err := e.print(out); err != nil {
		return err
	}
	best := e.best()
	if err := best.result.Apply(e.classifier); err != nil {
		return err
	}
	prov := best.result.Provenance()
	prov.Model, prov.Data = lm.NameOf(e.model), e.data.title
	var err error
	if prov.DataHash, err = module.DataHash(e.data.train); err != nil {
		return err
	}
	if err := module.Save(path, e.classifier, module.WithProvenance(prov)); err != nil {
		return err
	}
	again, err := newClassifier(e.adapter, e.model)
	if err != nil {
		return err
	}
	if _, err := module.Load(path, again); err != nil {
		return err
	}
	version, err := module.Version(again)
	if err != nil {
		return err
	}
	msg := SMS{Text: "URGENT: your parcel is held. Pay the fee now at http://parcel.example.test or it goes back."}
	p, err := again.Classify.Call(ctx, msg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nsaved %s (version %.12s) and loaded it again:\n  %q\n  -> %s", path, version, msg.Text, p.Out.Label)
	for _, choice := range p.Choices {
		for _, o := range choice.Options {
			fmt.Fprintf(out, "  %s %.2f", o.Text, o.Prob)
		}
	}
	fmt.Fprintln(out)
	return nil
}

func modelName(m lm.LM) string {
	if n := lm.NameOf(m); n != "" {
		return n
	}
	return "without a name"
}
