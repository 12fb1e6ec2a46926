package price

import (
	"bytes"
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// staleAfter is the age from which on a table should be made anew.
const staleAfter = 180 * 24 * time.Hour

//go:embed prices.json
var embedded []byte

// Table holds the prices of providers' models. It does not change, and its methods may be
// called at once.
type Table struct {
	asOf      time.Time
	source    string
	providers []*provider
	when      map[string]string
}

// provider is one that sells answers of models.
type provider struct {
	id       string
	names    matcher // of other names for it
	owns     matcher // of models that nobody but it has
	fallback []string
	models   []*model
	// exact says where in models a name is first listed as it is, and loose are those
	// with patterns for more than one name.
	exact map[string]int
	loose []int
}

type model struct {
	id       string
	match    matcher
	prices   []prices
	variants []prices
}

// Default returns the table that is part of the program. It is read once.
func Default() *Table { return defaultTable() }

// An empty table, in which nothing has a known price, stands for one that is broken; a
// test reads it.
var defaultTable = sync.OnceValue(func() *Table {
	t, err := Read(bytes.NewReader(embedded))
	if err != nil {
		return &Table{}
	}
	return t
})

// AsOf returns the day that the table is of; it is zero where a table has none.
func (t *Table) AsOf() time.Time { return t.asOf }

// Source says what the table was made from.
func (t *Table) Source() string { return t.source }

// Stale reports whether the table is older than 180 days, or does not say how old it is.
// It is only a warning: costs are computed all the same.
func (t *Table) Stale(now time.Time) bool { return t.asOf.IsZero() || now.Sub(t.asOf) > staleAfter }

// When returns the table for calls of a special kind, for example
// t.When("processing", "batch") or t.When("service_tier", "priority"). Prices that do not
// depend on it stay the same. It may be called again for a second key.
func (t *Table) When(key, value string) *Table {
	c := *t
	c.when = maps.Clone(t.when)
	if c.when == nil {
		c.when = map[string]string{}
	}
	c.when[key] = value
	return &c
}

// Override returns a table in which the prices of own go before those of t: its models are
// tried first at each provider, and providers that t does not have are added. The day and
// the source are those of t, where it has them.
func (t *Table) Override(own *Table) *Table {
	c := *t
	if c.asOf.IsZero() {
		c.asOf = own.asOf
	}
	if c.source == "" {
		c.source = own.source
	}
	c.providers = nil
	for _, o := range own.providers {
		if t.byID(o.id) == nil {
			c.providers = append(c.providers, o)
		}
	}
	for _, base := range t.providers {
		if o := own.byID(base.id); o != nil {
			base = base.override(o)
		}
		c.providers = append(c.providers, base)
	}
	return &c
}

func (p *provider) override(own *provider) *provider {
	c := *p
	c.models = slices.Concat(own.models, p.models)
	c.names = slices.Concat(own.names, p.names)
	c.owns = slices.Concat(own.owns, p.owns)
	if own.fallback != nil {
		c.fallback = own.fallback
	}
	c.index()
	return &c
}

// index prepares a provider to be asked for models.
func (p *provider) index() {
	p.exact, p.loose = map[string]int{}, nil
	for i, m := range p.models {
		loose := false
		for _, all := range m.match {
			if len(all) > 1 || !all[0].exact() {
				loose = true
			} else if _, ok := p.exact[all[0].text]; !ok {
				p.exact[all[0].text] = i
			}
		}
		if loose {
			p.loose = append(p.loose, i)
		}
	}
}

// model returns the first one of a name in lower case, or nil.
func (p *provider) model(name string) *model {
	first, ok := p.exact[name]
	if !ok {
		first = len(p.models)
	}
	for _, i := range p.loose {
		if i >= first {
			break
		}
		if p.models[i].match.match(name) {
			return p.models[i]
		}
	}
	if !ok {
		return nil
	}
	return p.models[first]
}

func (t *Table) byID(id string) *provider {
	for _, p := range t.providers {
		if p.id == id {
			return p
		}
	}
	return nil
}

// provider returns the one of a name, or of a model where the name is empty, or nil.
func (t *Table) provider(name, model string) *provider {
	if name == "" {
		for _, p := range t.providers {
			if p.owns.match(model) {
				return p
			}
		}
		return nil
	}
	name = strings.ToLower(strings.TrimSpace(name))
	if p := t.byID(name); p != nil {
		return p
	}
	for _, p := range t.providers {
		if p.names.match(name) {
			return p
		}
	}
	return nil
}

// find returns the prices of a model at a time.
func (t *Table) find(providerName, modelName string, at time.Time) (prices, bool) {
	modelName = strings.ToLower(modelName)
	p := t.provider(providerName, modelName)
	if p == nil {
		return prices{}, false
	}
	names := []string{modelName}
	if d := dashed(modelName); d != modelName {
		names = append(names, d)
	}
	for _, name := range names {
		if m := p.model(name); m != nil {
			return m.at(at, t.when), true
		}
		for _, id := range p.fallback {
			if other := t.byID(id); other != nil {
				if m := other.model(name); m != nil {
					// What kinds of calls cost at the one says nothing of the other.
					return m.at(at, nil), true
				}
			}
		}
	}
	return prices{}, false
}
