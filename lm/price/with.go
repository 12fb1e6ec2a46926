package price

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/whetgo/whet/lm"
)

// Option changes how [With] prices replies.
type Option func(*config)

type config struct {
	provider, model string
	now             func() time.Time
}

// As says of which provider and model the prices are, for a model whose name does not: a
// gateway's, or a deployment with a name of its own. An empty model is the one that the
// reply names. The default is what [lm.NameOf] returns: "provider:model"; see [lm.Named].
func As(provider, model string) Option {
	return func(c *config) { c.provider, c.model = provider, model }
}

// Clock sets where the time of a call comes from. The default is time.Now.
func Clock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// With returns a middleware that sets the Cost and the PricedCalls in the Usage of each
// reply, by the table. The model is the one that the reply names, where the table has it,
// and else that of the LM's name. It belongs in front of each provider, and not of a choice
// among several, whose name says nothing of which one has answered.
//
// Replies out of a store, those that have a price already and those whose cost is not known
// are left as they are. The Partial of an *[lm.Error] is priced like a reply. A model that
// lm/openai reaches at another address than its provider's ("openai:gpt-4o@localhost:8080")
// is not that provider's, so its cost is not known without [As].
//
// A table that is nil, or a Clock of nothing, is an error of kind lm.ErrInvalidRequest at
// the first call.
func With(table *Table, opts ...Option) lm.Middleware {
	c := config{now: time.Now}
	for _, o := range opts {
		o(&c)
	}
	return func(inner lm.LM) lm.LM { return &priced{inner: inner, table: table, config: c} }
}

type priced struct {
	inner  lm.LM
	table  *Table
	config config
}

// Unwrap implements lm.Wrapper.
func (m *priced) Unwrap() lm.LM { return m.inner }

// Generate implements lm.LM.
func (m *priced) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	at := m.config.now()
	resp, err := m.inner.Generate(ctx, r)
	return m.price(r, resp, at), m.partial(r, err, at)
}

// Stream implements lm.Streamer: the price is in the last event.
func (m *priced) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		if err := m.check(); err != nil {
			yield(nil, err)
			return
		}
		at := m.config.now()
		for event, err := range lm.Stream(ctx, m.inner, r) {
			if event != nil && event.Response != nil {
				c := *event
				c.Response = m.price(r, event.Response, at)
				event = &c
			}
			if !yield(event, m.partial(r, err, at)) {
				return
			}
		}
	}
}

// Sample implements lm.Sampler. Replies to one call are priced together, and the first
// that counts the call has what it cost.
func (m *priced) Sample(ctx context.Context, r *lm.Request, n int) ([]*lm.Response, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	at := m.config.now()
	replies, err := lm.Sample(ctx, m.inner, r, n)
	err = m.partial(r, err, at)
	var sum lm.Usage
	caller := -1
	for i, resp := range replies {
		sum = sum.Add(resp.Usage)
		if resp.Usage.Calls > 0 && caller < 0 {
			caller = i
		}
	}
	if sum.Calls != 1 {
		for i, resp := range replies {
			replies[i] = m.price(r, resp, at)
		}
		return replies, err
	}
	bill := *replies[caller]
	bill.Usage = sum
	if priced := m.price(r, &bill, at); priced != &bill {
		c := *replies[caller]
		c.Usage.Cost, c.Usage.PricedCalls = priced.Usage.Cost, priced.Usage.PricedCalls
		replies[caller] = &c
	}
	return replies, err
}

func (m *priced) check() error {
	if m.table == nil || m.config.now == nil {
		return &lm.Error{Kind: lm.ErrInvalidRequest, Message: "price.With has no table, or Clock no function; use price.Default()"}
	}
	return nil
}

// price returns the reply with its cost, or the reply itself where that is not known, or
// known already.
func (m *priced) price(r *lm.Request, resp *lm.Response, at time.Time) *lm.Response {
	if resp == nil || resp.Cached || resp.Usage.Calls == 0 || resp.Usage.PricedCalls > 0 || resp.Usage.CachedCalls > 0 {
		return resp
	}
	cost, ok := m.cost(r, resp, at)
	if !ok {
		return resp
	}
	c := *resp
	c.Usage.Cost, c.Usage.PricedCalls = cost, c.Usage.Calls
	return &c
}

// partial prices what had come of a reply that broke off.
func (m *priced) partial(r *lm.Request, err error, at time.Time) error {
	e, ok := err.(*lm.Error) //nolint:errorlint // the error itself is replaced, and not one in it
	if !ok || e == nil {
		return err
	}
	partial := m.price(r, e.Partial, at)
	if partial == e.Partial {
		return err
	}
	c := *e
	c.Partial = partial
	return &c
}

func (m *priced) cost(r *lm.Request, resp *lm.Response, at time.Time) (lm.Money, bool) {
	provider, model := m.config.provider, m.config.model
	if provider == "" {
		provider, model, _ = strings.Cut(lm.NameOf(m.inner), ":")
		if isElsewhere(model) && !isLocal(provider) {
			return 0, false
		}
		model = untagged(model)
	}
	if provider == "" {
		return 0, false
	}
	if isLocal(provider) {
		return 0, !isHosted(provider, model)
	}
	names := []string{resp.Model, model}
	if m.config.model != "" {
		names = []string{m.config.model} // what the user says goes before what a server says
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if p, ok := m.table.find(provider, name, at); ok {
			if !p.plain(r, resp.Usage) {
				return 0, false
			}
			return p.cost(resp.Usage)
		}
	}
	return 0, false
}

// untagged returns a model's name without what lm/openai adds to it: the host of an address,
// and the tag of settings that change replies, "#" and eight digits.
func untagged(model string) string {
	if isElsewhere(model) {
		model = model[:strings.LastIndexByte(model, '@')]
	}
	const digits = 8
	if n := len(model) - digits - 1; n > 0 && model[n] == '#' && strings.Trim(model[n+1:], "0123456789abcdef") == "" {
		model = model[:n]
	}
	return model
}

// isElsewhere reports whether the name of a model ends in the host of an address, which
// some models have in theirs a version instead.
func isElsewhere(model string) bool {
	at := strings.LastIndexByte(model, '@')
	if at < 0 {
		return false
	}
	host := model[at+1:]
	return !strings.Contains(host, "/") && (host == "localhost" || strings.ContainsAny(host, ".:"))
}
