package module

import "fmt"

// ReActOption configures a [ReAct] when it is made. Each [Option] is one, too: it configures
// both of its predictors.
type ReActOption interface{ applyReAct(*reactOptions) error }

type reactOptions struct {
	predictor      []Option
	maxIters       int
	maxObservation int // 0 for no limit
}

func (o Option) applyReAct(r *reactOptions) error {
	if o == nil {
		return errNilOption
	}
	r.predictor = append(r.predictor, o)
	return nil
}

type reactOption func(*reactOptions) error

func (o reactOption) applyReAct(r *reactOptions) error { return o(r) }

// defaultReActIters is DSPy's.
const defaultReActIters = 20

// MaxIters bounds the steps of a [ReAct], each of which is one call of the model and at
// most one of a tool; after them it answers from what it has. n must be positive. The
// default is 20.
func MaxIters(n int) ReActOption {
	return reactOption(func(r *reactOptions) error {
		if n < 1 {
			return fmt.Errorf("MaxIters(%d) is not positive", n)
		}
		r.maxIters = n
		return nil
	})
}

// MaxObservation cuts what a tool gives to n characters before the model of a [ReAct] is
// shown it, and tells the model so. n must be positive. The default is no limit.
func MaxObservation(n int) ReActOption {
	return reactOption(func(r *reactOptions) error {
		if n < 1 {
			return fmt.Errorf("MaxObservation(%d) is not positive; leave the option out for no limit", n)
		}
		r.maxObservation = n
		return nil
	})
}
