package module

import "fmt"

// ProgramOfThoughtOption configures a [ProgramOfThought] when it is made. Each [Option] is
// one, too: it configures all three of its predictors.
type ProgramOfThoughtOption interface {
	applyProgramOfThought(*programOfThoughtOptions) error
}

type programOfThoughtOptions struct {
	predictor []Option
	attempts  int
}

func (o Option) applyProgramOfThought(p *programOfThoughtOptions) error {
	if o == nil {
		return errNilOption
	}
	p.predictor = append(p.predictor, o)
	return nil
}

type programOfThoughtOption func(*programOfThoughtOptions) error

func (o programOfThoughtOption) applyProgramOfThought(p *programOfThoughtOptions) error { return o(p) }

// defaultCodeAttempts is DSPy's.
const defaultCodeAttempts = 3

// CodeAttempts bounds how often a [ProgramOfThought] has code written and run in one call:
// DSPy's max_iters. n must be positive. The default is 3.
func CodeAttempts(n int) ProgramOfThoughtOption {
	return programOfThoughtOption(func(p *programOfThoughtOptions) error {
		if n < 1 {
			return fmt.Errorf("CodeAttempts(%d) is not positive", n)
		}
		p.attempts = n
		return nil
	})
}
