package optimize

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// simbaMade is a new program.
type simbaMade struct {
	c      candidate
	source int // in the pool
	note   string
}

// simbaWay is how a program is changed.
type simbaWay int

const (
	simbaDemo simbaWay = iota
	simbaRule
)

// ways are those that a search takes.
func (c simbaConfig) ways() []simbaWay {
	if c.demos > 0 {
		return []simbaWay{simbaDemo, simbaRule}
	}
	return []simbaWay{simbaRule}
}

// build makes new programs from the most telling examples. An example whose rules could not
// be read makes none.
func (r *simbaRun) build(ctx context.Context, from simbaSample) ([]simbaMade, error) {
	leaders := r.leaders()
	var made []simbaMade
	for _, b := range from.buckets {
		if len(made) > r.cfg.candidates {
			break
		}
		m := simbaMade{source: r.draw(leaders, r.cfg.making)}
		var notes []string
		c, dropped := r.dropDemos(r.pool[m.source].c)
		if dropped > 0 {
			notes = append(notes, fmt.Sprintf("dropped %d of the demos", dropped))
		}
		m.c = c
		var note string
		switch pyrand.Choice(r.rng, r.cfg.ways()) {
		case simbaDemo:
			m.c, note = r.addDemo(c, b, from.low)
		default:
			var err error
			if m.c, note, err = r.addRules(ctx, c, b, from); err != nil {
				return nil, err
			}
		}
		if m.c == nil {
			continue
		}
		m.note = strings.Join(append(notes, note), "; ")
		made = append(made, m)
	}
	return made, nil
}

// dropDemos returns a program without some of its demos, and of how many places they were
// taken away: a Poisson number, at least 1 where there are as many as there may be.
func (r *simbaRun) dropDemos(c candidate) (candidate, int) {
	most := 0
	for _, st := range c {
		most = max(most, len(st.Demos))
	}
	limit := r.cfg.demos
	if limit == 0 {
		limit = 3 // as DSPy, for a program that came with demos
	}
	n := r.poisson(float64(most)/float64(limit), most)
	if most >= limit {
		n = max(n, 1)
	}
	gone := map[int]bool{}
	for range n {
		gone[r.rng.Below(most)] = true
	}
	out := c.clone()
	for i, st := range c {
		out[i].Demos = nil
		for k, d := range st.Demos {
			if !gone[k] {
				out[i].Demos = append(out[i].Demos, d)
			}
		}
	}
	return out, len(gone)
}

// poisson draws a Poisson number with that mean, at most limit: how many arrivals there are
// in a unit of time, when the times between them are exponential.
func (r *simbaRun) poisson(mean float64, limit int) int {
	n := 0
	for t := r.drops.ExpFloat64(); t < mean && n < limit; t += r.drops.ExpFloat64() {
		n++
	}
	return n
}

// addDemo makes what the best run did a demo of each predictor, of several calls the last.
func (r *simbaRun) addDemo(c candidate, b simbaBucket, low float64) (candidate, string) {
	best := b.answers[0]
	if best.failed() { // it counts 0, which is the best where scores are negative
		return c, fmt.Sprintf("no demo of training example %s, as its best answer failed", best.name)
	}
	if best.score.Value <= low {
		return c, fmt.Sprintf("no demo of training example %s, as its best answer is among the batch's worst", best.name)
	}
	demos := make([]*module.Demo, len(r.named))
	for _, st := range best.steps {
		if i, ok := r.index[st.Predictor]; ok && st.Err == nil && !st.Dropped {
			demos[i] = &module.Demo{Fields: r.cut(st.Inputs).Merge(st.Outputs), Augmented: true}
		}
	}
	for i, d := range demos {
		if d != nil {
			c[i].Demos = append(slices.Clip(c[i].Demos), *d)
		}
	}
	return c, fmt.Sprintf("a demo of training example %s", best.name)
}

// simbaCut stands where a text was cut.
const simbaCut = " [...]"

// cut returns inputs whose texts are short enough for a demo.
func (r *simbaRun) cut(in signature.Record) signature.Record {
	if r.cfg.input == 0 {
		return in
	}
	for name, v := range in.All() {
		if text, ok := v.(string); ok && len(text) > r.cfg.input {
			if runes := []rune(text); len(runes) > r.cfg.input {
				in = in.With(name, string(runes[:r.cfg.input])+simbaCut)
			}
		}
	}
	return in
}
