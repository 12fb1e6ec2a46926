package optimize

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/whetgo/whet/internal/pyrand"
)

// leaders returns the best programs so far, the best first, with that as it was among them.
func (r *simbaRun) leaders() []int {
	order := identityOrder(len(r.pool))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.pool[b].score, r.pool[a].score) })
	order = order[:min(len(order), r.cfg.candidates)]
	if !slices.Contains(order, 0) {
		order[len(order)-1] = 0
	}
	return order
}

// draw returns one of some programs, a better one more likely.
func (r *simbaRun) draw(programs []int, temperature float64) int {
	best := math.Inf(-1)
	for _, p := range programs {
		best = max(best, r.pool[p].score)
	}
	weights := make([]float64, len(programs))
	for i, p := range programs {
		weights[i] = math.Exp((r.pool[p].score - best) / temperature)
	}
	return pyrand.Choices(r.rng, programs, weights, 1)[0]
}

// simbaSample is what a batch's rollouts brought.
type simbaSample struct {
	buckets   []simbaBucket // the most telling example first
	low, high float64       // the 10th and the 90th percentile of all scores
}

// simbaBucket holds the answers to one example.
type simbaBucket struct {
	answers           []answer // the best first
	gap, most, excess float64  // of the scores: best less worst, best, best less mean
}

func (a answer) failed() bool { return a.err != nil }

// sample has rollouts of programs that are drawn answer a batch.
func (r *simbaRun) sample(ctx context.Context, batch []int) (simbaSample, error) {
	leaders := r.leaders()
	n := r.cfg.candidates
	var qs []question
	for rollout := range n {
		for _, row := range batch {
			q := question{c: r.pool[r.draw(leaders, r.cfg.sampling)].c, set: trainSet, row: row}
			if rollout == 0 && r.options.teaches() {
				q.model, q.teacher = r.options.teacher, r.options.teacherProg != nil
			} else {
				q.rollout, q.temperature = rollout+1, 1
			}
			qs = append(qs, q)
		}
	}
	var answers []answer
	if r.options.teaches() {
		taught, err := r.ask(inPhase(ctx, bootstrapping), qs[:len(batch)])
		if err != nil {
			return simbaSample{}, err
		}
		answers, qs = taught, qs[len(batch):]
	}
	if len(qs) > 0 { // there may be no other rollout than the teacher's
		more, err := r.ask(ctx, qs)
		if err != nil {
			return simbaSample{}, err
		}
		answers = append(answers, more...)
	}
	return simbaBuckets(answers, len(batch)), nil
}

// simbaBuckets orders the answers to a batch of examples, of which there are several rounds.
func simbaBuckets(answers []answer, batch int) simbaSample {
	var out simbaSample
	scores := make([]float64, len(answers))
	for i, a := range answers {
		scores[i] = a.score.Value
	}
	slices.Sort(scores)
	out.low, out.high = simbaPercentile(scores, 0.1), simbaPercentile(scores, 0.9)
	for i := range batch {
		var b simbaBucket
		sum := 0.0
		for k := i; k < len(answers); k += batch {
			b.answers = append(b.answers, answers[k])
			sum += answers[k].score.Value
		}
		slices.SortStableFunc(b.answers, func(a, b answer) int { return cmp.Compare(b.score.Value, a.score.Value) })
		b.most = b.answers[0].score.Value
		b.gap = b.most - b.answers[len(b.answers)-1].score.Value
		b.excess = b.most - sum/float64(len(b.answers))
		out.buckets = append(out.buckets, b)
	}
	slices.SortStableFunc(out.buckets, func(a, b simbaBucket) int {
		return cmp.Or(cmp.Compare(b.gap, a.gap), cmp.Compare(b.most, a.most), cmp.Compare(b.excess, a.excess))
	})
	return out
}

// simbaPercentile returns a quantile of sorted numbers, between two of them by a straight
// line, as numpy's percentile does.
func simbaPercentile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}
