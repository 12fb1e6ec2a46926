package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/whetgo/whet/lm/llamacpp"
)

// config is one thing that is measured: a program, on one side, on one form of the
// weights.
type config struct {
	peer    bool
	weights llamacpp.WeightType
	program string
}

// The peer's programs.
const (
	peerPredict = "predict"
	peerReasons = "cot"
)

// name is what -only matches and the table shows.
func (c config) name() string {
	side := "whet"
	if c.peer {
		side = "dspy"
	}
	return side + "/" + string(c.weights) + "/" + c.program
}

// against is the peer's configuration that this one is compared with: the same task on
// the same file. The form that the engine chose itself is compared with the file as it
// is, which is what a server is given.
func (c config) against() config {
	p := config{peer: true, weights: c.weights, program: peerPredict}
	if c.weights == llamacpp.WeightsAuto {
		p.weights = llamacpp.WeightsAsShipped
	}
	if v, err := variantOf(c.program); err == nil && v.reasons {
		p.program = peerReasons
	}
	return p
}

// configs are all configurations in the order of a round: the peer runs between ours.
func configs() []config {
	var out []config
	for _, w := range []llamacpp.WeightType{llamacpp.WeightsAsShipped, llamacpp.WeightsBF16, llamacpp.WeightsAuto} {
		for _, reasons := range []bool{false, true} {
			p := config{peer: true, weights: w, program: peerPredict}
			if reasons {
				p.program = peerReasons
			}
			if w != llamacpp.WeightsAuto {
				out = append(out, p)
			}
			for _, v := range variants() {
				if v.reasons == reasons {
					out = append(out, config{weights: w, program: v.name})
				}
			}
		}
	}
	return out
}

// searches are the configurations whose whole search is timed.
func searches() []config {
	return []config{{weights: llamacpp.WeightsAuto, program: "compact"}, {weights: llamacpp.WeightsAuto, program: "chat"}}
}

// bench is a benchmark that runs.
type bench struct {
	settings
	log      io.Writer
	path     string // the model file
	template string
	scratch  string
	peer     peer
	noPeer   string // why the peer does not run

	configs  []config
	weights  map[llamacpp.WeightType]prepared
	runs     map[string][]measured
	fits     map[string]fitted
	searches map[string][]searched
}

func newBench(ctx context.Context, s settings, log io.Writer) (*bench, error) {
	b := &bench{
		settings: s, log: log, weights: map[llamacpp.WeightType]prepared{},
		runs: map[string][]measured{}, fits: map[string]fitted{}, searches: map[string][]searched{},
	}
	var err error
	if b.path, b.template, err = s.modelFile(); err != nil {
		return nil, err
	}
	if b.scratch, err = os.MkdirTemp("", "whet-bench-llama-"); err != nil {
		return nil, err
	}
	b.peer = peer{s.python, s.script, s.server, s.data, b.template, s.threads, s.serverContext, s.limit, b.scratch}
	b.choose()
	if len(b.configs) == 0 {
		b.close()
		return nil, fmt.Errorf("-only %v matches no configuration; there are, for example, %s and %s", s.only, configs()[0].name(), configs()[1].name())
	}
	if err := b.prepare(ctx); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// close removes what DSPy has written.
func (b *bench) close() { _ = os.RemoveAll(b.scratch) } // all that is lost is room in the temporary folder

// choose selects the configurations.
func (b *bench) choose() {
	switch missing := b.peer.missing(); {
	case b.search:
		b.noPeer = "it has no part in the search"
	case !b.settings.peer:
		b.noPeer = "-peer=false"
	case missing != "":
		b.noPeer = "there is no " + missing
	}
	all := configs()
	if b.search {
		all = searches()
	}
	for _, c := range all {
		if b.only.MatchString(c.name()) && (!c.peer || b.noPeer == "") {
			b.configs = append(b.configs, c)
		}
	}
}

func (b *bench) job(kind jobKind, c config) job {
	return job{
		Kind: kind, Model: b.path, Template: b.template, Weights: c.weights, Threads: b.threads,
		Data: b.data, Limit: b.limit, Program: c.program, Cold: b.cold,
	}
}

// prepare makes each form of the weights that is needed, once and before any clock runs.
func (b *bench) prepare(ctx context.Context) error {
	for _, c := range b.configs {
		if _, done := b.weights[c.weights]; done {
			continue
		}
		var p prepared
		if err := doJob(ctx, b.job(prepareJob, c), &p); err != nil {
			return err
		}
		b.weights[c.weights] = p
	}
	return nil
}

// runAll runs all configurations in turn, round after round.
func (b *bench) runAll(ctx context.Context) error {
	if err := b.calibrate(ctx); err != nil {
		return err
	}
	for round := range b.rounds {
		for _, c := range b.configs {
			fmt.Fprintf(b.log, "round %d of %d: %s: ", round+1, b.rounds, c.name())
			wall, other, err := b.run(ctx, c)
			if err != nil {
				fmt.Fprintln(b.log, "failed")
				return fmt.Errorf("%s: %w", c.name(), err)
			}
			fmt.Fprintf(b.log, "%.1f s, %s cores busy elsewhere\n", wall, cores(other))
		}
	}
	return nil
}

func (b *bench) run(ctx context.Context, c config) (wall float64, other *float64, err error) {
	if b.search {
		var s searched
		if err := doJob(ctx, b.job(searchJob, c), &s); err != nil {
			return 0, nil, err
		}
		b.searches[c.name()] = append(b.searches[c.name()], s)
		return s.Wall, s.OtherCPU, nil
	}
	m := &measured{}
	if c.peer {
		m, err = b.peer.measure(ctx, b.weights[c.weights].Path, c.program == peerReasons)
	} else {
		j := b.job(measureJob, c)
		j.Biases = b.fits[c.name()].Biases
		err = doJob(ctx, j, m)
	}
	if err != nil {
		return 0, nil, err
	}
	if m.Rows == 0 || m.Wall <= 0 {
		return 0, nil, errors.New("no row ran")
	}
	b.runs[c.name()] = append(b.runs[c.name()], *m)
	return m.Wall, m.OtherCPU, nil
}

// calibrate fits the biases of the programs that have some, once: the same data give
// the same biases.
func (b *bench) calibrate(ctx context.Context) error {
	for _, c := range b.configs {
		v, err := variantOf(c.program)
		if c.peer || b.search || err != nil || !v.calibrated {
			continue
		}
		var f fitted
		if err := doJob(ctx, b.job(calibrateJob, c), &f); err != nil {
			return err
		}
		fmt.Fprintf(b.log, "calibrated %s: %.1f s\n", c.name(), f.Wall)
		b.fits[c.name()] = f
	}
	return nil
}

// modelName is the file's name; what lies around it is the machine's business.
func (b *bench) modelName() string { return filepath.Base(b.path) }
