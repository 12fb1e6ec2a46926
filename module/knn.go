package module

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// KNN finds the examples whose inputs are most like a given one, by the cosine of their
// embeddings, as DSPy's KNN does. The search is exact. It is immutable and safe for
// concurrent use.
type KNN[In, Out any] struct {
	examples []Example[In, Out]
	vectors  [][]float32 // of length 1
	embedder lm.Embedder
	k        int
	usage    lm.Usage
}

// Neighbor is an example that was found.
type Neighbor[In, Out any] struct {
	Example Example[In, Out]
	// Index is its place among the examples, and Similarity the cosine, -1 to 1.
	Index      int
	Similarity float64
}

// Neighbors are what a [KNN] was asked for in a run: the note of a trace's step.
type Neighbors struct {
	// IDs are the examples' own, or "#" and the index where they have none, and Similarities the
	// cosines, the nearest first.
	IDs          []string
	Similarities []float64
	// Usage is what the embedding of the input cost.
	Usage lm.Usage
	// Dropped says that the program's answer does not rest on it: see trace.Step.
	// [Lookups] fills it in.
	Dropped bool
}

// Lookups returns what the [KNN]s of a run were asked for, in order.
func Lookups(t *trace.Trace) []Neighbors {
	return notesOf(t, func(n *Neighbors, dropped bool) { n.Dropped = dropped })
}

// NewKNN embeds the examples' inputs: a line of "name: value" for all fields, separated by
// " | ". It is asked for k neighbours, or for all where there are fewer examples.
func NewKNN[In, Out any](ctx context.Context, examples []Example[In, Out], k int, e lm.Embedder) (*KNN[In, Out], error) {
	switch {
	case e == nil:
		return nil, errors.New("module: KNN got no embedder")
	case len(examples) == 0:
		return nil, errors.New("module: KNN got no examples")
	case k < 1:
		return nil, fmt.Errorf("module: KNN of %d neighbours; want at least 1", k)
	}
	texts := make([]string, len(examples))
	for i, ex := range examples {
		var err error
		if texts[i], err = inputText(ex.In); err != nil {
			return nil, fmt.Errorf("module: KNN: example %s: %w", exampleName(ex.ID, i), err)
		}
	}
	got, err := embed(ctx, e, texts)
	if err != nil {
		return nil, fmt.Errorf("module: KNN: embedding the examples: %w", err)
	}
	if len(got.Vectors) != len(texts) {
		return nil, fmt.Errorf("module: KNN: the embedder returned %d vectors for %d texts", len(got.Vectors), len(texts))
	}
	knn := &KNN[In, Out]{examples: slices.Clone(examples), embedder: e, k: min(k, len(examples)), usage: got.Usage}
	for i, v := range got.Vectors {
		if len(v) != len(got.Vectors[0]) {
			return nil, fmt.Errorf("module: KNN: the vector of example %s has %d numbers, and the first one has %d", exampleName(examples[i].ID, i), len(v), len(got.Vectors[0]))
		}
		knn.vectors = append(knn.vectors, unit(v))
	}
	return knn, nil
}

// Usage returns what the embedding of the examples cost.
func (k *KNN[In, Out]) Usage() lm.Usage { return k.usage }

// Nearest returns the neighbours of an input, the nearest first; of equally near ones the
// one that stands first. The trace has them as [Neighbors].
func (k *KNN[In, Out]) Nearest(ctx context.Context, in In) ([]Neighbor[In, Out], error) {
	found, _, err := k.nearest(ctx, in)
	return found, err
}

func (k *KNN[In, Out]) nearest(ctx context.Context, in In) ([]Neighbor[In, Out], lm.Usage, error) {
	text, err := inputText(in)
	if err != nil {
		return nil, lm.Usage{}, fmt.Errorf("module: KNN: %w", err)
	}
	got, err := embed(ctx, k.embedder, []string{text})
	if err != nil {
		return nil, lm.Usage{}, fmt.Errorf("module: KNN: %w", err)
	}
	note := Neighbors{Usage: got.Usage}
	if len(got.Vectors) != 1 || len(got.Vectors[0]) != len(k.vectors[0]) {
		err := fmt.Errorf("module: KNN: want one vector of %d numbers, as those of the examples, got %d vectors", len(k.vectors[0]), len(got.Vectors))
		trace.From(ctx).Add(trace.Step{Inputs: text, Err: err, Note: note})
		return nil, got.Usage, err
	}
	query := unit(got.Vectors[0])
	all := make([]Neighbor[In, Out], len(k.examples))
	for i := range all {
		all[i] = Neighbor[In, Out]{k.examples[i], i, dot(query, k.vectors[i])}
	}
	slices.SortStableFunc(all, func(a, b Neighbor[In, Out]) int { return cmp.Compare(b.Similarity, a.Similarity) })
	all = slices.Clip(all[:k.k])
	for _, n := range all {
		note.IDs = append(note.IDs, exampleName(n.Example.ID, n.Index))
		note.Similarities = append(note.Similarities, n.Similarity)
	}
	trace.From(ctx).Add(trace.Step{Inputs: text, Note: note})
	return all, got.Usage, nil
}

// embed asks an embedder, which may not return nothing.
func embed(ctx context.Context, e lm.Embedder, texts []string) (*lm.Embeddings, error) {
	got, err := e.Embed(ctx, texts)
	if err == nil && got == nil {
		err = errors.New("the embedder returned neither vectors nor an error")
	}
	return got, err
}

// KNNDemos runs a program with demos that are chosen for each input: the nearest
// examples of a [KNN], the nearest first, after the demos that a predictor has already.
// Every predictor with an output of theirs gets them. An example whose inputs equal the
// question is used like any other: leave the rows that you measure on out of the examples.
// Safe for concurrent use.
type KNNDemos[In, Out any] struct {
	// Program is what is run.
	Program Program[In, Out] `dspy:"module"`

	knn   *KNN[In, Out]
	named []Named
	demos []signature.Record // of the examples
}

// NewKNNDemos makes a KNNDemos. The predictors of program must be found: see
// [Predictors].
func NewKNNDemos[In, Out any](program Program[In, Out], knn *KNN[In, Out]) (*KNNDemos[In, Out], error) {
	if program == nil || knn == nil {
		return nil, errors.New("module: KNNDemos needs a program and a KNN")
	}
	named, err := Predictors(program)
	if err != nil {
		return nil, fmt.Errorf("module: KNNDemos has no one to give demos to: %w", err)
	}
	d := &KNNDemos[In, Out]{Program: program, knn: knn, named: named}
	for i, ex := range knn.examples {
		in, err := signature.Encode(ex.In)
		if err == nil {
			var out signature.Record
			if out, err = signature.Encode(ex.Out); err == nil {
				d.demos = append(d.demos, in.Merge(known(out)))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("module: KNNDemos: example %s: %w", exampleName(ex.ID, i), err)
		}
	}
	return d, nil
}

// Run returns the answer.
func (d *KNNDemos[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return outOf(d.Call(ctx, in))
}

// Call returns the answer and how it came about; the embedding of the input is in Usage.
func (d *KNNDemos[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	found, usage, err := d.knn.nearest(ctx, in)
	if err != nil {
		return nil, err
	}
	states := States{}
	for _, n := range d.named {
		state := n.Predictor.StateIn(ctx)
		state.Demos = slices.Clip(state.Demos)
		for _, f := range found {
			if demo := d.demos[f.Index]; answers(demo, n.Predictor.sig) {
				state.Demos = append(state.Demos, Demo{Fields: demo})
			}
		}
		if states, err = states.With(n.Predictor, state); err != nil {
			return nil, err
		}
	}
	pred, err := Call(WithStates(ctx, states), d.Program, in)
	if err != nil {
		return nil, err
	}
	sum := *pred
	sum.Usage = pred.Usage.Add(usage)
	return &sum, nil
}

// answers reports whether a demo shows an output of the signature.
func answers(demo signature.Record, sig *signature.Signature) bool {
	return slices.ContainsFunc(sig.Outputs(), func(f signature.Field) bool {
		_, ok := demo.Get(f.Name)
		return ok
	})
}

// known returns the outputs that an example knows: see [Example].
func known(out signature.Record) signature.Record {
	var rec signature.Record
	for name, v := range out.All() {
		if v != nil && v != "" {
			rec = rec.With(name, v)
		}
	}
	return rec
}

// inputText writes an input as it is embedded.
func inputText(in any) (string, error) {
	rec, err := signature.Encode(in)
	if err != nil {
		return "", err
	}
	var parts []string
	for name, v := range rec.All() {
		text, err := pythonText(v)
		if err != nil {
			return "", err
		}
		parts = append(parts, name+": "+text)
	}
	return strings.Join(parts, " | "), nil
}

// pythonText writes a value as Python's str does.
func pythonText(v signature.Value) (string, error) {
	if text, ok := signature.PythonScalar(v); ok {
		return text, nil
	}
	return signature.MarshalPython(v)
}

func exampleName(id string, i int) string {
	if id != "" {
		return id
	}
	return fmt.Sprintf("#%d", i)
}

// unit returns a vector of length 1; that of a zero vector is itself.
func unit(v []float32) []float32 {
	n := math.Sqrt(dot(v, v))
	if n == 0 {
		return v
	}
	u := make([]float32, len(v))
	for i, x := range v {
		u[i] = float32(float64(x) / n)
	}
	return u
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
