package assert

import (
	"errors"
	"fmt"
)

// Option configures [Wrap].
type Option func(*options)

type options struct {
	backtracks        int
	given             bool // backtracks was
	full              bool
	bypassAsserts     bool
	bypassSuggestions bool
}

const defaultBacktracks = 2

// MaxBacktracks sets how often a failure may send the program back; the default is 2.
//
// As in DSPy, a program whose first failure is a suggestion runs up to n+1 times, the last
// time with suggestions ignored. One whose first failure is an assertion runs up to n
// times, as the run after that could only end with the error, so that with 1 nothing is
// asked again. With 0 it runs once, with suggestions ignored.
func MaxBacktracks(n int) Option {
	return func(o *options) { o.backtracks, o.given = n, true }
}

// FullRerun pays for the calls before the failed one in each try again, as DSPy does,
// where they are else answered from the run's own memory. Neither temperature nor rollout
// changes: at temperature 0, or from an answer store, they give the same answers, and else
// others are drawn.
func FullRerun() Option { return func(o *options) { o.full = true } }

// BypassAsserts ignores assertions: they are recorded, and the program goes on. As with
// DSPy's handler of that name the program then runs once, and a failed suggestion is
// an error, unless [MaxBacktracks] says otherwise. A reply that breaks a constraint of
// its signature stays an error.
func BypassAsserts() Option { return func(o *options) { o.bypassAsserts = true } }

// BypassSuggestions ignores suggestions from the beginning: they are recorded, and the
// program goes on. As with DSPy's handler of that name the program then runs once, and a
// failed assertion is an error, unless [MaxBacktracks] says otherwise.
func BypassSuggestions() Option { return func(o *options) { o.bypassSuggestions = true } }

// handles reports whether failures send the program back at all.
func (o options) handles() bool {
	return o.given || !o.bypassAsserts && !o.bypassSuggestions
}

func newOptions(opts []Option) (options, error) {
	o := options{backtracks: defaultBacktracks}
	for _, opt := range opts {
		if opt == nil {
			return o, errors.New("assert: an option is nil")
		}
		opt(&o)
	}
	if o.backtracks < 0 {
		return o, fmt.Errorf("assert: MaxBacktracks(%d) is negative; want 0 or more", o.backtracks)
	}
	return o, nil
}
