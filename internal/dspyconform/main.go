package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dspyconform:", err)
		os.Exit(1) //nolint:forbidigo // a program says how it ended
	}
}

func run() error {
	cases := flag.Int("cases", 300, "number of cases")
	seed := flag.Uint64("seed", 1, "seed of the generator")
	from := flag.Int("from", 0, "number of the first case")
	most := flag.Int("show", 2, "number of differences of each kind to show")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) //nolint:forbidigo // a program starts its context
	defer stop()
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		return errors.New(`WHET_DSPY_PYTHON is not set; run scripts/setup dspy and eval "$(scripts/setup env)"`)
	}
	r, err := compare(ctx, python, *seed, *from, *cases)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(os.Stdout, r.show(*most), r); err != nil {
		return err
	}
	if n := len(r.unknown); n > 0 {
		return fmt.Errorf("%d differences that are not agreed", n)
	}
	return nil
}
