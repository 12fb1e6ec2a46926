package optimize

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// oproQuestion is what the prompt model reads in each step.
type oproQuestion struct {
	Predictor string   `desc:"The step of the program that the instruction is for"`
	Past      []string `desc:"Instructions that were tried, each behind the score of the program with it, from 0 to 100, the best at the end"`
	Examples  string   `desc:"Examples of what the whole program reads and what it should answer, one on each line"`
}

const oproTask = `You search for the instruction with which a language model does a task best. Below are instructions that were tried, with their scores, in ascending order, and examples of the task. Write one new instruction that differs from all of them and that you expect to score higher than the last. Write it so that it holds for every case of the task, not only for the examples.`

// oproPrompt returns the program of the prompt model.
func oproPrompt() (*module.Dynamic, error) {
	sig, err := signature.Of[oproQuestion, drafted](oproTask)
	if err != nil {
		return nil, err
	}
	return module.NewDynamic(sig)
}

// question shows the past of a predictor's instructions, and draws examples.
func (r *oproRun) question(i int) oproQuestion {
	q := oproQuestion{Predictor: r.summary(i), Past: []string{}}
	var examples []string
	for _, p := range r.shownOf(i) {
		q.Past = append(q.Past, fmt.Sprintf("%d: %s", int(math.Round(100*p.score)), p.text))
	}
	order := r.rng.Perm(r.sizes[trainSet])
	for _, row := range order[:min(len(order), r.exemplars())] {
		examples = append(examples, r.exemplar(row))
	}
	q.Examples = strings.Join(examples, "\n")
	return q
}

// shownOf returns the best of a predictor's instructions in ascending order; of equals the last
// that came stands last.
func (r *oproRun) shownOf(i int) []oproPast {
	var past []oproPast
	for _, p := range r.history[i] {
		if r.KeepAbove == 0 || p.score >= r.KeepAbove {
			past = append(past, p)
		}
	}
	slices.SortStableFunc(past, func(a, b oproPast) int { return cmp.Compare(a.score, b.score) })
	return past[max(0, len(past)-r.shown()):]
}

// exemplar writes a training example: what the program reads and what it should answer.
func (r *oproRun) exemplar(row int) string {
	var in signature.Record
	for name, v := range r.train[row].All() {
		if _, ok := r.truth[row].Get(name); !ok {
			in = in.With(name, v)
		}
	}
	return fmt.Sprintf("%s -> %s", recordText(in), recordText(r.truth[row]))
}

// recordText writes a record as JSON. Records hold values that can be written, but for
// numbers that JSON does not have.
func recordText(r signature.Record) string {
	text, err := signature.MarshalValue(r)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(text)
}
