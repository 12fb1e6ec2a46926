package optimize

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/lm"
)

// store is the answer store of one [Compile]: it stands before every language
// model, asks each identical request once, and counts. Answers are kept until
// Compile returns; errors are not kept.
type store struct {
	mu      sync.Mutex
	entries map[storeKey]*storeEntry
	phases  [phases]Spent
	trial   Spent // since taken was called last
}

type storeKey struct {
	model any // comparable: a language model, or its name
	d     canonical.Digest
}

// storeEntry is an answer, or one on its way: done is closed when it is known.
type storeEntry struct {
	done    chan struct{}
	request *lm.Request // the one that was asked
	resp    *lm.Response
	err     error
}

func newStore() *store { return &store{entries: map[storeKey]*storeEntry{}} }

// wrap puts the store before a model: see lm.Wrap.
func (s *store) wrap(m lm.LM) lm.LM { return storedLM{s, m} }

// spent returns what a phase has cost so far.
func (s *store) spent(p phase) Spent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phases[p]
}

// total returns what all phases have cost so far.
func (s *store) total() Spent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum Spent
	for _, p := range s.phases {
		sum = sum.add(p)
	}
	return sum
}

// taken returns what was spent since it was called last.
func (s *store) taken() Spent {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trial
	s.trial = Spent{}
	return t
}

// count adds to what the context's phase has cost.
func (s *store) count(ctx context.Context, more Spent) {
	p := phaseOf(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phases[p], s.trial = s.phases[p].add(more), s.trial.add(more)
}

type storedLM struct {
	store *store
	model lm.LM
}

// Unwrap implements lm.Wrapper.
func (l storedLM) Unwrap() lm.LM { return l.model }

// Generate implements lm.LM.
func (l storedLM) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	l.store.count(ctx, Spent{Calls: Calls{Requested: 1}})
	id := identity(l.model)
	if id == nil {
		return l.pay(ctx, r)
	}
	if rebiasable(r) {
		// One entry serves a choice under whatever biases.
		resp, err := l.entry(ctx, storeKey{id, canonical.Request(r, true)}, r)
		if err != nil || resp != nil {
			return resp, err
		}
	}
	return l.entry(ctx, storeKey{id, canonical.Request(r, false)}, r)
}

// modelKey is what a model is known by in the store.
type modelKey struct {
	base any // the model behind all wrappers, where it is comparable
	name string
}

// identity returns what a model is known by in the store: the model behind all wrappers,
// which lm.Wrap makes anew for every call, and its name. It returns nil for a model that is
// not comparable and has no name, such as an lm.Func, whose answers are not stored.
func identity(m lm.LM) any {
	key := modelKey{name: lm.NameOf(m)}
	for {
		w, ok := m.(lm.Wrapper)
		if !ok {
			break
		}
		m = w.Unwrap()
	}
	switch {
	case m != nil && reflect.ValueOf(m).Comparable():
		key.base = m
	case key.name == "":
		return nil
	}
	return key
}

// entry answers from the entry of that key, or makes one. It returns nil and no
// error when the entry's answer does not tell what this request's would be.
func (l storedLM) entry(ctx context.Context, key storeKey, r *lm.Request) (*lm.Response, error) {
	s := l.store
	for {
		s.mu.Lock()
		e, ok := s.entries[key]
		if !ok {
			e = &storeEntry{done: make(chan struct{}), request: r.Clone()}
			s.entries[key] = e
			s.mu.Unlock()
			return l.fill(ctx, key, e, r)
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-e.done:
		}
		if e.err != nil {
			continue // it was removed: this request is asked itself
		}
		resp := rebias(e.request, e.resp, r)
		if resp == nil {
			return nil, nil
		}
		resp.Cached = true
		resp.Usage = lm.Usage{Calls: 1, CachedCalls: 1, PricedCalls: 1}
		s.count(ctx, Spent{Usage: resp.Usage})
		return resp, nil
	}
}

// fill asks the model and ends the entry.
func (l storedLM) fill(ctx context.Context, key storeKey, e *storeEntry, r *lm.Request) (*lm.Response, error) {
	finished := false
	defer func() {
		if !finished { // the model panicked: nobody may wait for ever
			e.err = errUnfinished
		}
		if e.err != nil {
			l.store.mu.Lock()
			delete(l.store.entries, key)
			l.store.mu.Unlock()
		}
		close(e.done)
	}()
	resp, err := l.pay(ctx, r)
	finished = true
	if e.err = err; err != nil {
		return nil, err
	}
	e.resp = resp
	return resp.Clone(), nil
}

// pay asks the model and counts the call.
func (l storedLM) pay(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	s := l.store
	if err := ctx.Err(); err != nil {
		return nil, err // it never leaves
	}
	resp, err := l.model.Generate(ctx, r)
	if err == nil && resp == nil {
		err = &lm.Error{Kind: lm.ErrBackend, Model: lm.NameOf(l.model), Message: "the model returned neither a reply nor an error"}
	}
	if err != nil {
		more := Spent{Usage: lm.UsageOf(err)} // a reply that broke off is paid for
		if !errors.Is(err, lm.ErrBudget) || more.Usage != (lm.Usage{}) {
			more.Calls.Paid = 1 // other calls that a budget refuses never leave
		}
		s.count(ctx, more)
		return nil, err
	}
	more := Spent{Usage: resp.Usage}
	if !resp.Cached { // a store below this one may have known the answer
		more.Calls.Paid = 1
	}
	s.count(ctx, more)
	return resp, nil
}
