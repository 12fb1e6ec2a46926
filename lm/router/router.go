package router

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"sync"

	"github.com/whetgo/whet/lm"
)

// Score says how much a request needs the strong model, from 0 to 1. It must be safe for
// concurrent use and must not change the request.
type Score = func(ctx context.Context, r *lm.Request) (float64, error)

// LM sends each request to one of two LMs. It is safe for concurrent use.
type LM struct {
	weak, strong lm.LM
	score        Score
	threshold    float64
	policy       Policy
	notify       func(context.Context, Decision)

	mu    sync.Mutex
	stats Stats
}

// Stats counts what a router has done.
type Stats struct {
	Weak, Strong Side
	// Unscored is how many requests had no score, whatever became of them.
	Unscored int
}

// Side counts the requests that one model was sent.
type Side struct {
	// Requests is how many, Errors how many of them ended with an error, and Usage what
	// they cost, those with an error as far as it tells: see [lm.UsageOf].
	Requests, Errors int
	Usage            lm.Usage
}

// New returns an LM that sends a request to strong where its score is at least threshold,
// and else to weak. A threshold of 0 sends all to strong, one above 1 ([Never]) none. An LM
// or a score function that is nil, a threshold that is negative or no number, and an option
// that cannot be are errors of kind lm.ErrInvalidRequest.
func New(weak, strong lm.LM, score Score, threshold float64, opts ...Option) (*LM, error) {
	switch {
	case weak == nil || strong == nil:
		return nil, invalid("an LM is nil; give a weak and a strong one")
	case score == nil:
		return nil, invalid("the score function is nil")
	case !(threshold >= 0):
		return nil, invalid("the threshold is %v; it must be 0 to 1, or Never", threshold)
	}
	r := &LM{weak: weak, strong: strong, score: score, threshold: threshold, notify: func(context.Context, Decision) {}}
	for _, opt := range opts {
		if err := opt(r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Name implements lm.Named: both models and the threshold, such as
// "router(weak | strong from 0.7)"; empty where a model has no name.
func (r *LM) Name() string {
	weak, strong := lm.NameOf(r.weak), lm.NameOf(r.strong)
	if weak == "" || strong == "" {
		return ""
	}
	return "router(" + weak + " | " + strong + " from " + strconv.FormatFloat(r.threshold, 'g', -1, 64) + ")"
}

// Generate implements lm.LM.
func (r *LM) Generate(ctx context.Context, q *lm.Request) (*lm.Response, error) {
	d, m, err := r.decide(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := m.Generate(ctx, q)
	r.count(d, resp, err)
	if err != nil {
		return nil, err
	}
	return named(resp, d.Model), nil
}

// Stream implements lm.Streamer.
func (r *LM) Stream(ctx context.Context, q *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		d, m, err := r.decide(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		// A stream that its caller leaves is a request without an error.
		var whole *lm.Response
		defer func() { r.count(d, whole, err) }()
		for event, e := range lm.Stream(ctx, m, q) {
			if err = e; e == nil && event != nil && event.Response != nil {
				whole = event.Response
				event = &lm.Event{Text: event.Text, Reasoning: event.Reasoning, Response: named(whole, d.Model)}
			}
			if !yield(event, e) {
				return
			}
		}
	}
}

// Stats returns what the router has done so far.
func (r *LM) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// decide returns where a request goes.
func (r *LM) decide(ctx context.Context, q *lm.Request) (Decision, lm.LM, error) {
	if err := ctx.Err(); err != nil {
		return Decision{}, nil, err
	}
	if err := q.Validate(); err != nil {
		return Decision{}, nil, err
	}
	score, err := r.scored(ctx, q)
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return Decision{}, nil, ended
		}
		r.mu.Lock()
		r.stats.Unscored++
		r.mu.Unlock()
		if r.policy == Fail {
			return Decision{}, nil, err
		}
		score = math.NaN()
	}
	d := Decision{Score: score, Threshold: r.threshold, Err: err, Strong: score >= r.threshold || err != nil && r.policy == UseStrong}
	m := r.weak
	if d.Strong {
		m = r.strong
	}
	d.Model = lm.NameOf(m)
	r.notify(ctx, d)
	return d, m, nil
}

// scored returns a score that is a number from 0 to 1.
func (r *LM) scored(ctx context.Context, q *lm.Request) (float64, error) {
	score, err := r.score(ctx, q)
	if err != nil {
		// The kind of the score function's own error says whether to try again.
		kind := lm.ErrBackend
		if e, ok := errors.AsType[*lm.Error](err); ok {
			kind = e.Kind
		}
		return 0, &lm.Error{Kind: kind, Provider: "router", Message: "the request has no score", Err: err}
	}
	if !(score >= 0 && score <= 1) {
		return 0, &lm.Error{Kind: lm.ErrModel, Provider: "router", Message: fmt.Sprintf("the score function returned %v; a score must be 0 to 1", score)}
	}
	return score, nil
}

func (r *LM) count(d Decision, resp *lm.Response, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	side := &r.stats.Weak
	if d.Strong {
		side = &r.stats.Strong
	}
	side.Requests++
	switch {
	case err != nil:
		side.Errors++
		side.Usage = side.Usage.Add(lm.UsageOf(err))
	case resp != nil:
		side.Usage = side.Usage.Add(resp.Usage)
	}
}

// named returns resp with a Model: its own, or else name.
func named(resp *lm.Response, name string) *lm.Response {
	if resp == nil || resp.Model != "" || name == "" {
		return resp
	}
	c := *resp // it may be another's, too
	c.Model = name
	return &c
}
