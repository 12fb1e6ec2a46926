package budget

import "github.com/whetgo/whet/lm"

// failure is what an error tells of a call's cost.
type failure struct {
	// used is the sum of what the partial replies in it have used.
	used lm.Usage
	// idle says that no model can have worked on the request, and refused that it was not
	// even made.
	idle, refused bool
}

// failureOf looks at every error in a tree of them: a fallback has one for each model.
func failureOf(err error) failure {
	f := failure{used: lm.UsageOf(err), idle: true, refused: true}
	typed := 0
	var walk func(error)
	walk = func(err error) {
		if e, ok := err.(*lm.Error); ok && e != nil { //nolint:errorlint // the tree is walked here
			typed++
			f.idle = f.idle && idle(e.Kind)
			f.refused = f.refused && e.Kind == lm.ErrBudget
		}
		switch e := err.(type) { //nolint:errorlint // the tree is walked here
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				walk(err)
			}
		}
	}
	walk(err)
	f.idle = f.idle && typed > 0
	f.refused = f.refused && typed > 0
	return f
}

// idle reports whether no model has worked on a request that failed so.
func idle(kind lm.ErrorKind) bool {
	switch kind {
	case lm.ErrInvalidRequest, lm.ErrContextLength, lm.ErrUnsupported, lm.ErrUnavailable, lm.ErrModel, lm.ErrRateLimit, lm.ErrAuth, lm.ErrQuota, lm.ErrBudget:
		return true
	default:
		return false
	}
}
