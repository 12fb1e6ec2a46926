package module

import "context"

// Program is anything that turns an In into an Out by calling language models.
// Run must be safe for concurrent use. A program's predictors are found in its
// exported fields: see [Predictors].
type Program[In, Out any] interface {
	Run(ctx context.Context, in In) (Out, error)
}

// Func makes a Program of a function. It has no predictors that could be found,
// so it can be evaluated but not optimised.
type Func[In, Out any] func(ctx context.Context, in In) (Out, error)

// Run calls f.
func (f Func[In, Out]) Run(ctx context.Context, in In) (Out, error) { return f(ctx, in) }

// Example is one row of a data set: an input and the output that is right for it.
type Example[In, Out any] struct {
	// In is what the program gets.
	In In
	// Out is the reference answer. An output counts as unknown, so that no demo shows
	// it, when it is "": an empty text or the zero value of an enum; or nil: a pointer
	// or an interface. Any other zero value is an answer: false, 0, the zero time, an
	// empty or nil slice. Use a pointer for an output of such a type that is not known
	// in every row. Metrics decide for themselves: metric.Exact compares all fields.
	Out Out
	// ID names the row in reports and errors, for example "last100.csv:17".
	ID string
}
