// Llama compares whet with what a user of DSPy has today, on one model file in one
// machine: DSPy in front of llama-server, and a whet program with llama.cpp inside the
// process.
//
//	make bench-llama
//	make bench-llama ARGS='-rounds 1 -limit 16 -only whet/bf16'
//	make bench-llama ARGS=-search
//
// Both sides classify the same rows with the same instructions, eight demos and token
// limit. Every configuration runs in processes of its own, in turn, as many rounds as
// asked for; the table shows medians, and from which to which the runs went. See
// docs/benchmarks.md for what is compared and why it is fair. No row of the data is
// printed or written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// settings are the flags.
type settings struct {
	model, data, json, python, server, script string
	rounds, limit, threads, serverContext     int
	only                                      *regexp.Regexp
	peer, search, cold                        bool
}

func parseFlags(args []string, out io.Writer) (settings, error) {
	s := settings{python: os.Getenv("WHET_DSPY_PYTHON"), server: os.Getenv("WHET_LLAMA_SERVER"), only: regexp.MustCompile("")}
	f := flag.NewFlagSet("bench-llama", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&s.model, "model", "smollm2", "smollm2, gemma, or a GGUF `file` with a chat template")
	f.StringVar(&s.data, "data", "../shared/data/smishing", "`folder` of first100.csv and last100.csv")
	f.StringVar(&s.json, "json", "", "`file` to write all figures to")
	f.StringVar(&s.script, "script", "bench/peers/bench_dspy_llama.py", "`file` of the peer's program")
	f.IntVar(&s.rounds, "rounds", 3, "how often every configuration runs")
	f.IntVar(&s.limit, "limit", 0, "most rows; 0 is all")
	f.IntVar(&s.threads, "threads", 2, "threads that compute, on both sides")
	f.IntVar(&s.serverContext, "server-context", 32768, "cells of llama-server's KV cache, for its 8 slots together")
	f.BoolVar(&s.peer, "peer", true, "run DSPy and llama-server, too")
	f.BoolVar(&s.search, "search", false, "time the talk's whole few-shot search in place of single runs")
	f.BoolVar(&s.cold, "cold", false, "no call before the clock starts on our side, so that the demos are computed under it")
	f.Func("only", "`regexp` of the configurations to run, such as whet/bf16/chat or dspy", func(text string) (err error) {
		s.only, err = regexp.Compile(text)
		return err
	})
	if err := f.Parse(args); err != nil {
		return s, err
	}
	switch {
	case f.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q", f.Arg(0))
	case s.rounds < 1 || s.limit < 0 || s.threads < 1 || s.serverContext < 1:
		return s, errors.New("-rounds, -threads and -server-context must be at least 1, and -limit at least 0")
	}
	return s, nil
}

// modelFile returns the path of the model and the name of the chat template that both
// sides are given, "" where the file has its own.
func (s settings) modelFile() (path, template string, err error) {
	var variable string
	switch s.model {
	case "smollm2":
		variable = "WHET_MODEL_SMOLLM2"
	case "gemma":
		variable, template = "WHET_MODEL_GEMMA", "gemma"
	default:
		return s.model, "", nil
	}
	if path = os.Getenv(variable); path == "" {
		return "", "", fmt.Errorf("%s is not set: run make bench-llama, or eval \"$(scripts/setup env)\" after make models", variable)
	}
	return path, template, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) == 2 && os.Args[1] == childArg {
		err = serveJob(ctx, os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench-llama:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parseFlags(args, log)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, s, log)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.runAll(ctx); err != nil {
		return err
	}
	report := b.report()
	if err := report.print(out); err != nil {
		return err
	}
	if s.json != "" {
		return report.write(s.json)
	}
	return nil
}
