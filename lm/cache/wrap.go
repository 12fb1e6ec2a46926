package cache

import (
	"context"
	"errors"
	"iter"

	"github.com/whetgo/whet/lm"
)

// cached is a model behind a store.
type cached struct {
	store *Store
	inner lm.LM
	name  string
}

var (
	_ lm.Streamer = (*cached)(nil)
	_ lm.Wrapper  = (*cached)(nil)
	_ lm.Named    = (*cached)(nil)
)

// Wrap puts the store before a model. The result streams ([lm.Streamer]), has the model's
// name, and shows the model behind it ([lm.Wrapper]).
func (s *Store) Wrap(m lm.LM) lm.LM { return s.wrap(m) }

// With returns Wrap, with options, for [lm.Chain].
func (s *Store) With(opts ...WrapOption) lm.Middleware {
	return func(m lm.LM) lm.LM { return s.wrap(m, opts...) }
}

func (s *Store) wrap(m lm.LM, opts ...WrapOption) *cached {
	c := &cached{store: s, inner: m, name: lm.NameOf(m)}
	for _, o := range opts {
		o(c)
	}
	return c
}

// Name implements lm.Named.
func (m *cached) Name() string { return m.name }

// Unwrap implements lm.Wrapper.
func (m *cached) Unwrap() lm.LM { return m.inner }

// Generate implements lm.LM.
func (m *cached) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	k, resp, err := m.begin(ctx, r)
	if err != nil || resp != nil {
		return resp, err
	}
	f, c, err := m.join(ctx, k, r, false)
	if err != nil {
		return nil, err
	}
	return f.wait(ctx, c)
}

// Stream implements lm.Streamer.
func (m *cached) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		k, resp, err := m.begin(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		if resp != nil {
			e := whole(resp)
			e.Response = resp
			yield(&e, nil)
			return
		}
		f, c, err := m.join(ctx, k, r, true)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.leave(c) // the loop may be left at any event
		f.stream(ctx, c, yield)
	}
}

// stream shows a caller the events of a flight from the first on.
func (f *flight) stream(ctx context.Context, c *caller, yield func(*lm.Event, error) bool) {
	shown := 0
	for ended := false; !ended; {
		select { // before since: no event comes after the end
		case <-f.done:
			ended = true
		default:
		}
		events, more := f.since(shown)
		for _, e := range events {
			if !yield(&e, nil) {
				return
			}
		}
		shown += len(events)
		if ended {
			break
		}
		select {
		case <-more:
		case <-f.done:
		case <-ctx.Done():
			if f.leave(c) {
				yield(nil, ctx.Err())
				return
			}
		}
	}
	resp, err := f.result(c)
	if err != nil {
		yield(nil, err)
		return
	}
	e := f.outcome.last
	e.Response = resp
	yield(&e, nil)
}

// begin checks the call and looks into the memory: what most calls need.
func (m *cached) begin(ctx context.Context, r *lm.Request) (key, *lm.Response, error) {
	if err := m.store.usable(ctx); err != nil {
		return key{}, nil, err
	}
	switch {
	case r == nil:
		return key{}, nil, invalid("the request is nil")
	case m.name == "":
		return key{}, nil, invalid("the model has no name to store its answers under; make it implement lm.Named, or wrap it by store.With(cache.Name(\"...\"))")
	}
	k := keyOf(m.name, r)
	resp := m.store.memory.get(k)
	if resp == nil {
		return k, nil, nil
	}
	m.store.memoryHits.Add(1)
	return k, hit(resp), nil
}

func (m *cached) join(ctx context.Context, k key, r *lm.Request, stream bool) (*flight, *caller, error) {
	own := r.Clone() // the caller may leave, and change its own then
	f, c, first, err := m.store.flights.join(ctx, k, func(ctx context.Context, f *flight) outcome {
		return m.answer(ctx, f, k, own, stream)
	})
	if err == nil && !first {
		m.store.shared.Add(1)
	}
	return f, c, err
}

// answer is what a flight does: look once more, ask, store.
func (m *cached) answer(ctx context.Context, f *flight, k key, r *lm.Request, stream bool) outcome {
	lasting := context.WithoutCancel(ctx) // a paid answer is stored though nobody waits for it
	if resp := m.store.recall(lasting, k, m.name, r.Rollout); resp != nil {
		return outcome{resp: resp, hit: true, last: whole(resp)}
	}
	m.store.misses.Add(1)
	o := m.ask(ctx, f, r, stream)
	if o.err == nil {
		o.resp = o.resp.Clone() // a model may use its own again
		m.store.keep(lasting, k, m.name, r, o.resp)
	}
	return o
}

// ask asks the model.
func (m *cached) ask(ctx context.Context, f *flight, r *lm.Request, stream bool) outcome {
	if !stream {
		resp, err := m.inner.Generate(ctx, r)
		switch {
		case err != nil:
			return outcome{err: err}
		case resp == nil:
			return outcome{err: m.silent("the model returned neither a reply nor an error")}
		}
		return outcome{resp: resp, last: whole(resp)}
	}
	for e, err := range lm.Stream(ctx, m.inner, r) {
		switch {
		case err != nil:
			return outcome{err: err}
		case e == nil:
			return outcome{err: m.silent("the model's stream held neither an event nor an error")}
		case e.Response != nil:
			return outcome{resp: e.Response, last: lm.Event{Text: e.Text, Reasoning: e.Reasoning}}
		}
		f.add(*e)
	}
	return outcome{err: m.silent("the model's stream ended without the whole reply")}
}

func (m *cached) silent(message string) error {
	return &lm.Error{Kind: lm.ErrBackend, Provider: "cache", Model: m.name, Message: message}
}

// whole is the one event of a reply that is there already, but for its Response.
func whole(r *lm.Response) lm.Event { return lm.Event{Text: r.Text, Reasoning: r.Reasoning} }

// recall returns the stored answer, which the caller must not change, or nil.
func (s *Store) recall(ctx context.Context, k key, model string, rollout int) *lm.Response {
	// A flight that has ended since the caller looked has put it there.
	if resp := s.memory.get(k); resp != nil {
		s.memoryHits.Add(1)
		return resp
	}
	if s.disk == nil {
		return nil
	}
	resp, created, err := s.disk.get(ctx, k, model, rollout)
	switch {
	case err == nil && resp != nil:
		s.diskHits.Add(1)
		s.memory.put(&kept{key: k, model: model, rollout: rollout, created: created, resp: resp})
		return resp
	case err == nil:
	case codeOf(err) == 0 && errors.Is(err, ErrDamaged): // the entry, not the file
		s.damaged(err)
		if _, err := s.disk.delete(ctx, k); err != nil {
			s.fail(err)
		}
	default:
		s.fail(err)
	}
	return nil
}

// keep stores an answer. What goes wrong is told, and takes nothing from the caller.
func (s *Store) keep(ctx context.Context, k key, model string, r *lm.Request, resp *lm.Response) {
	in := &kept{key: k, model: model, rollout: r.Rollout, created: s.config.now(), resp: resp}
	request := ""
	if !s.config.omitRequests {
		var err error
		if request, err = describe(r); err != nil {
			s.fail(&Error{Kind: ErrStorage, Message: "a request cannot be shown as JSON, and its answer is stored without it", Err: err})
		}
	}
	var old string
	var changed bool
	if s.disk == nil {
		in.request = request
		old, changed = s.memory.fingerprint(model, resp.Fingerprint)
	} else {
		response, err := encodeResponse(resp)
		stored := false
		if err != nil {
			err = &Error{Kind: ErrStorage, Path: s.disk.path, Message: "an answer cannot be shown as JSON", Err: err}
		} else {
			stored, old, changed, err = s.disk.put(ctx, row{
				key: k, model: model, rollout: r.Rollout, fingerprint: resp.Fingerprint,
				created: in.created, request: request, response: response,
			})
		}
		switch {
		case err != nil:
			s.fail(err) // it is at least in memory
		case !stored:
			in = nil // another process was quicker: its answer is the one to give from now on
		}
	}
	if changed && s.config.drop {
		s.memory.deleteIf(func(o *kept) bool { return o.model == model && o.resp.Fingerprint != resp.Fingerprint })
	}
	if in != nil {
		s.memory.put(in)
	}
	if changed {
		s.fingerprints.Add(1)
		if s.config.onFingerprint != nil {
			s.config.onFingerprint(model, old, resp.Fingerprint)
		}
	}
}
