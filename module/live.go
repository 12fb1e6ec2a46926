package module

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Live runs a program with the states of a file, and takes over what is written to
// that file while calls run. It is a [Program] itself, safe for concurrent use.
//
// Each Run uses one version of the file from its beginning to its end, in all the
// program's predictors. A file that does not fit is refused and the version before
// it goes on. The program's own states are not touched: whoever runs the program
// without its Live sees those. States that the caller's context carries
// ([WithStates]) go before the file's, so that a candidate can be tried on a Live;
// to optimise, save or load, take the program itself.
type Live[In, Out any] struct {
	program Program[In, Out]
	named   []Named
	path    string
	options liveOptions

	current atomic.Pointer[snapshot]

	// mu is held by whoever reads the file.
	mu   sync.Mutex
	last reading
}

// snapshot is one version.
type snapshot struct {
	states  States
	version string
	report  *LoadReport
}

// LiveOption configures [NewLive].
type LiveOption func(*liveOptions)

type liveOptions struct {
	load   []LoadOption
	every  time.Duration
	event  func(LiveEvent)
	verify func(context.Context) error
}

// LiveEvent is what came of reading the file once more.
type LiveEvent struct {
	// Version is the version that runs now: see [Live.Version].
	Version string
	// Report is what the load did; nil when it failed.
	Report *LoadReport
	// Err says why the file was refused, a *LoadError or what the function given to
	// [Verify] returned; nil when its version runs now.
	Err error
}

// LoadWith gives the options that the file is loaded with.
func LoadWith(opts ...LoadOption) LiveOption {
	return func(o *liveOptions) { o.load = append(o.load, opts...) }
}

// PollEvery sets how often [Live.Watch] looks at the file; the default is 2
// seconds, and the least a millisecond.
func PollEvery(d time.Duration) LiveOption {
	return func(o *liveOptions) { o.every = max(d, time.Millisecond) }
}

// OnReload calls fn after each new version and each refused file, one after the
// other, from the goroutine of Watch or Reload. fn must not call Reload.
func OnReload(fn func(LiveEvent)) LiveOption {
	return func(o *liveOptions) { o.event = fn }
}

// Verify calls fn before a version is taken over, and refuses the version when fn
// returns an error. In fn's context the program, run without its Live, uses the new
// states: let it answer some examples. fn runs beside the calls of the version
// before, and also in NewLive.
func Verify(fn func(ctx context.Context) error) LiveOption {
	return func(o *liveOptions) { o.verify = fn }
}

// NewLive loads a file for a program. It returns a *LoadError, or what the function
// given to [Verify] returned, when there is no version to begin with. The file is
// not watched until [Live.Watch] is called.
func NewLive[In, Out any](ctx context.Context, program Program[In, Out], path string, opts ...LiveOption) (*Live[In, Out], error) {
	named, err := Predictors(program)
	if err != nil {
		return nil, err
	}
	l := &Live[In, Out]{
		program: program, named: named, path: path,
		options: liveOptions{
			every:  2 * time.Second,
			event:  func(LiveEvent) {},
			verify: func(context.Context) error { return nil },
		},
	}
	for _, opt := range opts {
		opt(&l.options)
	}
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// Run runs the program with the version that is current now.
func (l *Live[In, Out]) Run(ctx context.Context, in In) (Out, error) {
	return l.program.Run(beneathStates(ctx, l.current.Load().states), in)
}

// Call is Run that says how the answer came about, as far as the program does: see the
// function [Call].
func (l *Live[In, Out]) Call(ctx context.Context, in In) (*Prediction[Out], error) {
	return Call(beneathStates(ctx, l.current.Load().states), l.program, in)
}

// Version returns the identity of the states that run now, which is that of the
// program after loading the file: see the function [Version].
func (l *Live[In, Out]) Version() string { return l.current.Load().version }

// Report returns the report of the version that runs now. It must not be changed.
func (l *Live[In, Out]) Report() *LoadReport { return l.current.Load().report }

// States returns the states that run now.
func (l *Live[In, Out]) States() States { return l.current.Load().states }

// within returns the predictors that Run uses, and a context in which they have the
// states that Run gives them.
func (l *Live[In, Out]) within(ctx context.Context) (context.Context, []Named) {
	return beneathStates(ctx, l.current.Load().states), l.named
}

// verified makes the version that data holds the current one.
func (l *Live[In, Out]) verified(ctx context.Context, data []byte) error {
	states, report, err := decode(data, l.named, newLoadOptions(l.options.load))
	if err != nil {
		return inFile(err, l.path)
	}
	canonical, err := marshal(l.named, func(p *Predictor) State {
		s, _ := states.Of(p)
		return s
	})
	if err != nil {
		return err
	}
	if err := l.options.verify(WithStates(ctx, states)); err != nil {
		return err
	}
	l.current.Store(&snapshot{states, versionOf(canonical), report})
	return nil
}

// beneathStates returns a context in which s holds for the predictors that the
// context has no states for yet. So a caller's candidate goes before a file, and a
// program that runs itself within a Run stays with the version it began with.
func beneathStates(ctx context.Context, s States) context.Context {
	inner, _ := ctx.Value(statesKey{}).(*statesNode)
	return context.WithValue(ctx, statesKey{}, beneath(inner, s))
}

func beneath(n *statesNode, s States) *statesNode {
	if n == nil {
		return &statesNode{states: s}
	}
	return &statesNode{n.states, beneath(n.outer, s)}
}
