// Regret compares optimizers where every candidate's true score is known: on the real SMS
// task, with small models in the process.
//
//	make bench-regret
//	make bench-regret ARGS='-models SmolLM2 -rows 6 -instructions 2 -sets 2 -limit 6 -seeds 2'
//
// A grid of 6 instructions and 8 demo sets (none, and 7 of 3 messages of each label, drawn
// from first100.csv) answers 200 rows through adapter.Compact. The answers are paid once and
// kept in an answer store on disk (-store), so that what an optimizer's choice misses is
// known exactly, and any number of searches costs nothing: about 0.3 s an answer on 2 cores,
// 100 minutes for both models. An interrupted run goes on where it was.
//
// Rows are drawn from sms.csv behind its first 500, which other benchmarks report, the same
// number of each label: on rows as they come "always ham" is right on four of five. The score
// is the share of right answers. A model of this size names one label nearly always unless
// its choices get biases, so each candidate has those that optimize.Calibrate fits to the
// grid's rows, as examples/smishing does for its candidates. They are known beforehand, for all
// optimizers alike, and no call is counted for them.
//
// Race, MIPROv2 and a full evaluation of all candidates in random order then search the grid,
// for several seeds, and it is shown after how many calls what they recommend has 99 % of the
// score of the best candidate. Last, the best programs that were found and naive Bayes, trained
// on the same rows, answer further rows of sms.csv (-limit), drawn in the same way, once.
//
// No row's text is printed or stored.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/lm/cache"
	"github.com/whetgo/whet/lm/llamacpp"
)

// config is what the flags say.
type config struct {
	data, store, models string
	rows, limit         int
	instructions, sets  int
	seeds               int
	progress            io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "regret:", err)
		os.Exit(1)
	}
}

func parse(args []string, errs io.Writer) (config, error) {
	c := config{progress: errs}
	f := flag.NewFlagSet("regret", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&c.data, "data", sms.DefaultDir, "the `folder` of the SMS data")
	f.StringVar(&c.store, "store", "", "the answer store's `file`; by default in the user's cache directory")
	f.StringVar(&c.models, "models", "SmolLM2,Gemma", "the models")
	f.IntVar(&c.rows, "rows", 200, "rows of the grid")
	f.IntVar(&c.limit, "limit", 300, "test rows")
	f.IntVar(&c.instructions, "instructions", len(instructions()), "instructions of the grid")
	f.IntVar(&c.sets, "sets", 8, "demo sets of the grid, the empty one included")
	f.IntVar(&c.seeds, "seeds", 50, "searches of each kind")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	switch {
	case f.NArg() > 0:
		return c, fmt.Errorf("unknown argument %q", f.Arg(0))
	case c.rows < 3 || c.limit < 3:
		return c, fmt.Errorf("-rows %d, -limit %d: want at least 3, one of each label", c.rows, c.limit)
	case c.instructions < 1 || c.instructions > len(instructions()):
		return c, fmt.Errorf("-instructions %d: want 1 to %d", c.instructions, len(instructions()))
	case c.sets < 1 || c.instructions*c.sets < 2:
		return c, fmt.Errorf("-instructions %d, -sets %d: want at least 2 candidates", c.instructions, c.sets)
	case c.seeds < 2:
		return c, fmt.Errorf("-seeds %d: want at least 2", c.seeds)
	}
	if c.store == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return c, fmt.Errorf("no place for the answers (-store): %w", err)
		}
		c.store = filepath.Join(dir, "whet", "regret", "answers.db")
	}
	return c, nil
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	c, err := parse(args, errs)
	if err != nil {
		return err
	}
	g, err := loadGrid(c)
	if err != nil {
		return err
	}
	store, err := cache.Open(ctx, c.store, cache.OmitRequests(), cache.MemoryBytes(1<<30))
	if err != nil {
		return err
	}
	err = compare(ctx, c, g, store, out)
	return errors.Join(err, store.Close())
}

// compare does it all, model by model.
func compare(ctx context.Context, c config, g *grid, store *cache.Store, out io.Writer) error {
	var tables []*table
	for name := range strings.SplitSeq(c.models, ",") {
		path, err := modelPath(name)
		if err != nil {
			return err
		}
		model, err := llamacpp.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = model.Close() }()
		start := time.Now()
		t, err := newTable(ctx, g, name, model, store, c.progress)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(c.progress, "%s: the grid's answers took %.0f s\n", name, time.Since(start).Seconds())
		tables = append(tables, t)
		t.describe(out)
		if err := t.race(ctx, c, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(tables) == 0 {
		return errors.New("-models names none")
	}
	return reportBest(ctx, g, tables, c.progress, out)
}

func modelPath(name string) (string, error) {
	var names []string
	for _, m := range sms.Models() {
		if m.Name == name {
			return m.Path(os.Getenv)
		}
		names = append(names, m.Name)
	}
	return "", fmt.Errorf("-models: there is no %q; want some of %s", name, strings.Join(names, ", "))
}
