// Optimizers measures optimize.Race, and what it is compared with, on synthetic language
// models whose truth is known (lmtest.SynthLM, docs/synthlm.md):
//
//	make bench-optimizers
//	make bench-optimizers ARGS='-part grid -rugged 1500'
//	make bench-optimizers ARGS='-dspy dspy.json'
//
// The grid is a fixed space of 9 instructions and 18 demo sets, the same for each optimizer: the
// table has the exact expected accuracy of what is recommended after so many paid calls, and how
// many calls it takes to 99 % of what asking everything would choose. End to end each side makes
// its own instructions and demos, as a user calls it; DSPy's is run by
// ../shared/peers/synthlm.py, unless -dspy names a file of an earlier run. Worlds 0 to 19 are
// for reporting; what there was to tune was tuned on worlds from 100 on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

type question struct {
	Question string `json:"question"`
}

type answer struct {
	Answer string `json:"answer"`
}

type example = module.Example[question, answer]

// settings are the command's.
type settings struct {
	worlds   []int
	rugged   int
	part     string
	dspyFile string
	peer     string
	mipro    int
	parallel int
	seed     int64
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "optimizers:", err)
		os.Exit(1)
	}
}

func run() error {
	var s settings
	worlds := flag.String("worlds", "0-19", "the worlds, such as 0-19 or 0,3,5")
	flag.IntVar(&s.rugged, "rugged", 0, "size of an effect of each prompt that nothing foresees, in parts per 10,000; the grid alone")
	flag.StringVar(&s.part, "part", "all", "what to run: grid, e2e (end to end), all (both), or mipro (MIPROv2 beside DSPy's own on the grid)")
	flag.StringVar(&s.dspyFile, "dspy", "", "file with the results of DSPy's side; it is made where it does not exist. Empty: DSPy is run anew if WHET_DSPY_PYTHON is set")
	flag.StringVar(&s.peer, "peer", "../shared/peers/synthlm.py", "the program that runs DSPy's side")
	flag.IntVar(&s.mipro, "mipro", 90, "trials of our MIPROv2 on the grid; 0 leaves it out")
	flag.IntVar(&s.parallel, "parallel", 2, "worlds at a time")
	flag.Int64Var(&s.seed, "seed", 0, "seed of the searches")
	flag.Parse()
	var err error
	if s.worlds, err = parseWorlds(*worlds); err != nil {
		return err
	}
	if flag.NArg() > 0 || s.parallel < 1 {
		return errors.New("want no arguments, and -parallel at least 1")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch s.part {
	case "mipro":
		return s.miproPart(ctx, os.Stdout)
	case "all", "grid", "e2e":
	default:
		return fmt.Errorf("there is no part %q: want grid, e2e, all or mipro", s.part)
	}
	if s.part != "e2e" {
		if err := s.grid(ctx, os.Stdout); err != nil {
			return fmt.Errorf("the grid: %w", err)
		}
	}
	if s.part == "grid" || s.rugged > 0 {
		return nil
	}
	if err := s.endToEnd(ctx, os.Stdout); err != nil {
		return fmt.Errorf("end to end: %w", err)
	}
	return nil
}

// parseWorlds reads a range, such as 0-19, or a list.
func parseWorlds(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(first)
		b := a
		if err == nil && isRange {
			b, err = strconv.Atoi(last)
		}
		if err != nil || b < a {
			return nil, fmt.Errorf("the worlds %q: want a range such as 0-19, or numbers", text)
		}
		for w := a; w <= b; w++ {
			out = append(out, w)
		}
	}
	return out, nil
}

// each runs f for all worlds, some at a time, and returns the results in their order.
func each[T any](ctx context.Context, s *settings, f func(ctx context.Context, world int) (T, error)) ([]T, error) {
	out := make([]T, len(s.worlds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel)
	for i, world := range s.worlds {
		g.Go(func() error {
			var err error
			if out[i], err = f(ctx, world); err != nil {
				return fmt.Errorf("world %d: %w", world, err)
			}
			return nil
		})
	}
	return out, g.Wait()
}

// examples are a world's items from first to end-1.
func examples(m *lmtest.SynthLM, first, end int) []example {
	out := make([]example, 0, end-first)
	for i := first; i < end; i++ {
		out = append(out, example{In: question{m.Question(i)}, Out: answer{m.Label(i)}, ID: m.Question(i)})
	}
	return out
}

func newProgram(m *lmtest.SynthLM) (*module.Predict[question, answer], error) {
	return module.NewPredict[question, answer]("", module.WithLM(m))
}

// truth returns the exact expected accuracy of a program.
func truth(m *lmtest.SynthLM, s module.State) float64 {
	var demos []lmtest.SynthDemo
	for _, d := range s.Demos {
		q, _ := d.Fields.Get("question")
		a, _ := d.Fields.Get("answer")
		if demo, ok := lmtest.NewSynthDemo(fmt.Sprint(q), fmt.Sprint(a)); ok {
			demos = append(demos, demo)
		}
	}
	return m.Expected(lmtest.SynthInstruction(s.Instructions).Strategy, demos)
}
