package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/optimize"
)

// rival is a run of DSPy's that Race is to beat with a quarter of its calls.
type rival struct {
	name string // as the peer's program names it
	runs int    // Race's
}

func rivals() []rival {
	return []rival{
		{"MIPROv2 auto=medium 4b/8l, val=dev(300)", 543},
		{"BFRS 4b/8l x16, val=dev(300)", 1441},
	}
}

// peerRow is a run of DSPy's, as the peer's program writes it.
type peerRow struct {
	World    int
	Run      string
	Calls    int
	Expected float64
}

// ours is a run of Race.
type ours struct {
	accuracy, zero               float64
	calls, proposals, confirming int
	confirmed                    bool
	interval                     metric.Interval
	score                        float64
}

func (s *settings) endToEnd(ctx context.Context, w io.Writer) error {
	peer, err := s.peerRows(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "end to end, %d worlds: train 200 examples, val 300, confirmation on 500 others (apart); exact expected accuracy of the program that is the result\n\n", len(s.worlds))
	fmt.Fprintf(w, "| search | calls | proposals | accuracy | against | its calls | its accuracy | difference | 95 %% interval, paired over worlds |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rivals() {
		runs, err := each(ctx, s, func(ctx context.Context, world int) (ours, error) { return s.race(ctx, world, r.runs) })
		if err != nil {
			return err
		}
		var diff, accuracy, calls, theirs, theirCalls []float64
		proposals, confirmed, inside := 0, 0, 0
		for i, world := range s.worlds {
			accuracy, calls = append(accuracy, runs[i].accuracy), append(calls, float64(runs[i].calls))
			proposals = max(proposals, runs[i].proposals)
			if runs[i].confirmed {
				confirmed++
			}
			if runs[i].interval.Contains(runs[i].accuracy) {
				inside++
			}
			for _, p := range peer {
				if p.World == world && p.Run == r.name {
					theirs, theirCalls = append(theirs, p.Expected), append(theirCalls, float64(p.Calls))
					diff = append(diff, runs[i].accuracy-p.Expected)
				}
			}
		}
		fmt.Fprintf(w, "| Race, %d runs | %.0f | %d | %.4f |", r.runs, stat.Mean(calls, nil), proposals, stat.Mean(accuracy, nil))
		if len(diff) != len(s.worlds) {
			fmt.Fprintf(w, " %s | not run | | | |\n", r.name)
		} else {
			low, high := interval(diff)
			fmt.Fprintf(w, " %s | %.0f | %.4f | %+.4f | %+.4f to %+.4f |\n", r.name, stat.Mean(theirCalls, nil), stat.Mean(theirs, nil), stat.Mean(diff, nil), low, high)
		}
		fmt.Fprintf(w, "|  | | | | confirmed in %d of %d worlds; the truth is inside the result's interval in %d | | | | |\n", confirmed, len(s.worlds), inside)
	}
	return nil
}

// interval is the 95 % interval of a mean, by Student's t.
func interval(v []float64) (low, high float64) {
	n := float64(len(v))
	if n < 2 {
		return math.Inf(-1), math.Inf(1)
	}
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975)
	mean, sd := stat.MeanStdDev(v, nil)
	return mean - t*sd/math.Sqrt(n), mean + t*sd/math.Sqrt(n)
}

// race runs Race as a user does.
func (s *settings) race(ctx context.Context, world, runs int) (ours, error) {
	m, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: world})
	if err != nil {
		return ours{}, err
	}
	p, err := newProgram(m)
	if err != nil {
		return ours{}, err
	}
	r, err := optimize.Compile(ctx, optimize.Race{MaxRuns: runs, Seed: s.seed}, p, examples(m, 0, lmtest.SynthTrain), metric.Exact, optimize.PromptModel(m),
		optimize.Val(examples(m, lmtest.SynthDev, lmtest.SynthDevEnd)),
		optimize.Confirm(examples(m, lmtest.SynthConfirm, lmtest.SynthConfirmEnd)))
	if err != nil {
		return ours{}, err
	}
	return ours{
		accuracy: truth(m, r.States[0].State), zero: m.Expected(0, nil), confirmed: r.Confirmed,
		calls: r.Searching.Calls.Paid + r.Bootstrapping.Calls.Paid, proposals: r.Proposing.Calls.Paid,
		confirming: r.Confirming.Calls.Paid, interval: r.Interval, score: r.Score,
	}, nil
}

// peerRows returns DSPy's side: from the file, or by running it, which takes about half a
// minute for a world. Without Python there is none.
func (s *settings) peerRows(ctx context.Context) ([]peerRow, error) {
	file := s.dspyFile
	if file == "" {
		folder, err := os.MkdirTemp("", "whet-bench-optimizers-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		file = filepath.Join(folder, "dspy.json")
	}
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		python := os.Getenv("WHET_DSPY_PYTHON")
		if python == "" {
			fmt.Fprintln(os.Stderr, "optimizers: WHET_DSPY_PYTHON is not set, so DSPy's side is not run (scripts/setup says how)")
			return nil, nil
		}
		var list []string
		for _, w := range s.worlds {
			list = append(list, strconv.Itoa(w))
		}
		cmd := exec.CommandContext(ctx, python, s.peer, "dspy", "--worlds", strings.Join(list, ","), "--out", file)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("running DSPy's side: %w", err)
		}
		data, err = os.ReadFile(file)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	// Python writes what is not known as NaN, which is no JSON.
	data = bytes.ReplaceAll(data, []byte(": NaN"), []byte(": null"))
	var rows []peerRow
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rows, nil
}
