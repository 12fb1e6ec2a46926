package metric

import (
	"context"
	"reflect"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// Metric scores one answer of a program. It gets the example, what the program
// answered, and the trace that says how the answer came about: module.Steps
// reads it. The trace may be nil.
//
// A metric must be safe for concurrent use. The language model calls that it
// makes with ctx (a judge's) are not recorded in t. An error means that the
// answer could not be scored; it makes the row a failed one. A value that is not
// finite counts as an error.
type Metric[In, Out any] func(ctx context.Context, ex module.Example[In, Out], got Out, t *trace.Trace) (Score, error)

// Score is what a metric says of one answer.
type Score struct {
	// Value is the score: 1 for a right and 0 for a wrong answer by convention.
	// More is better. Any finite number is allowed.
	Value float64 `json:"value"`
	// Feedback says in words what was wrong with the answer, for optimizers that
	// read it; may be empty.
	Feedback string `json:"feedback,omitempty"`
}

// Bool returns the score of a yes-or-no metric: 1 for true, 0 for false.
func Bool(ok bool) Score {
	if ok {
		return Score{Value: 1}
	}
	return Score{}
}

// Exact is the metric that gives 1 when the answer equals the example's Out and
// 0 otherwise. All fields of the signature count. Two answers are equal when
// reflect.DeepEqual says so, or when their records are equal: times that are the
// same instant, and an empty and a nil slice, are equal. Texts are compared byte
// by byte: see [ExactOn] for anything milder.
func Exact[In, Out any](_ context.Context, ex module.Example[In, Out], got Out, _ *trace.Trace) (Score, error) {
	return Bool(equal(ex.Out, got)), nil
}

func equal[T any](a, b T) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	ra, err := signature.Encode(a)
	if err != nil {
		return false
	}
	rb, err := signature.Encode(b)
	return err == nil && ra.Equal(rb)
}

// ExactOn returns the metric that gives 1 when the answer and the example's Out
// have the same key and 0 otherwise. The key picks the field that counts and may
// normalise it:
//
//	metric.ExactOn[Question](func(a Answer) string { return strings.ToLower(a.Text) })
//
// The input type has to be named, the others are inferred.
func ExactOn[In, Out any, K comparable](key func(Out) K) Metric[In, Out] {
	return func(_ context.Context, ex module.Example[In, Out], got Out, _ *trace.Trace) (Score, error) {
		return Bool(key(ex.Out) == key(got)), nil
	}
}
