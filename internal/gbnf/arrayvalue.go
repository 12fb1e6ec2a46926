package gbnf

import (
	"math/bits"
	"strconv"
)

// arrayConstraint is what arrays must fulfil.
type arrayConstraint struct {
	prefix   []conjunction // the first items
	rest     conjunction   // those behind them
	min, max int           // items; max may be unlimited
	unique   *schemaNode   // the schema that wants no item twice, nil for none
}

func (a *arrayConstraint) item(i int) conjunction {
	if i < len(a.prefix) {
		return a.prefix[i]
	}
	return a.rest
}

func (a *arrayConstraint) and(b *arrayConstraint) *arrayConstraint {
	out := &arrayConstraint{rest: a.rest.and(b.rest), min: max(a.min, b.min), max: least(a.max, b.max), unique: a.unique}
	for i := range max(len(a.prefix), len(b.prefix)) {
		out.prefix = append(out.prefix, a.item(i).and(b.item(i)))
	}
	if out.unique == nil {
		out.unique = b.unique
	}
	return out
}

func (a *arrayConstraint) free() bool {
	for i := range len(a.prefix) + 1 {
		if len(a.item(i)) > 0 {
			return false
		}
	}
	return a.min == 0 && a.max == unlimited && a.unique == nil
}

func (c *compiler) arrayKeywords(b *branch, n *schemaNode, o *object) error {
	if b.array == nil {
		return nil
	}
	a := &arrayConstraint{min: integer(o, "minItems", 0), max: integer(o, "maxItems", unlimited)}
	if a.min > maxCount {
		return tooLong(n, "minItems")
	}
	for i, item := range list(o.values["prefixItems"]) {
		a.prefix = append(a.prefix, c.sub(n, item, "prefixItems", strconv.Itoa(i)))
	}
	if items, ok := o.get("items"); ok {
		a.rest = c.sub(n, items, "items")
	} else if items, ok := o.get("unevaluatedItems"); ok {
		a.rest = c.sub(n, items, "unevaluatedItems")
	}
	if o.values["uniqueItems"] == true {
		a.unique = n
	}
	b.array = b.array.and(a)
	return nil
}

// sub is the conjunction of one schema inside of another; of one that says nothing it is
// empty.
func (c *compiler) sub(n *schemaNode, v any, path ...string) conjunction {
	if o, ok := v.(*object); v == true || ok && len(o.keys) == 0 {
		return nil
	}
	return conjunction{c.child(n, v, path...)}
}

func (c *compiler) arrayHolds(a *arrayConstraint, items []any) (bool, error) {
	if len(items) < a.min || a.max != unlimited && len(items) > a.max {
		return false, nil
	}
	for i, item := range items {
		if ok, err := c.allValid(a.item(i), item); err != nil || !ok {
			return false, err
		}
		for _, other := range items[:i] {
			if a.unique != nil && equal(item, other) {
				return false, nil
			}
		}
	}
	return true, nil
}

func (c *compiler) arrayEmpty(a *arrayConstraint, depth int) (bool, error) {
	if a.max != unlimited && a.max < a.min {
		return true, nil
	}
	for i := range min(a.min, len(a.prefix)+1) {
		if none, err := c.allEmpty(a.item(i), depth); err != nil || none {
			return none, err
		}
	}
	return false, nil
}

// arrayValue makes the expression of the arrays that fulfil a constraint.
func (c *compiler) arrayValue(a *arrayConstraint) (*expr, error) {
	limit := a.max
	if limit == unlimited && c.items != unlimited {
		limit = max(a.min, len(a.prefix), c.items)
	}
	if a.unique != nil && (limit == unlimited || limit > 1) {
		return c.uniqueArray(a, limit)
	}
	switch {
	case limit != unlimited && limit < a.min:
		return never(), nil
	case limit == 0:
		return text("[]"), nil
	}
	prefix, rest := a.prefix, never()
	if limit != unlimited && limit <= len(prefix) {
		prefix = prefix[:limit]
	} else {
		var err error
		if rest, err = c.value(a.rest); err != nil {
			return nil, err
		}
	}
	// From behind: what may follow the items before.
	n := len(prefix)
	behind := func(done int) *expr { // items of the rest, each with a comma
		most := unlimited
		if limit != unlimited {
			most = limit - done
		}
		return repeat(seq(text(", "), rest), max(0, a.min-done), most)
	}
	if n == 0 {
		return brackets(seq(rest, behind(1)), a.min), nil
	}
	tail := behind(n)
	for i := n - 1; i >= 0; i-- {
		item, err := c.value(prefix[i])
		if err != nil {
			return nil, err
		}
		tail = seq(item, tail)
		if i > 0 {
			tail = seq(text(", "), tail)
			if i >= a.min {
				tail = optional(tail)
			}
		}
	}
	return brackets(tail, a.min), nil
}

// brackets is an array of items, which may be left out where none are needed.
func brackets(items *expr, least int) *expr {
	if least == 0 {
		items = optional(items)
	}
	return seq(text("["), items, text("]"))
}

// maxUnique is of how many values an array without repetitions is made.
const maxUnique = 8

// uniqueArray makes arrays whose items are different: those of some given values. Which
// of them are taken already is a rule.
func (c *compiler) uniqueArray(a *arrayConstraint, limit int) (*expr, error) {
	fail := &UnsupportedError{Path: a.unique.path, Keyword: "uniqueItems", Reason: "a grammar cannot compare items; it can where each is one of at most " + strconv.Itoa(maxUnique) + " values of an enum, or maxItems is 1"}
	if len(a.prefix) > 0 {
		return nil, fail
	}
	values, ok, err := c.finite(a.rest)
	if err != nil {
		return nil, err
	}
	if !ok || len(values) > maxUnique {
		return nil, fail
	}
	if limit == unlimited {
		limit = len(values)
	}
	rules := map[uint]*rule{}
	var from func(taken uint) *expr
	from = func(taken uint) *expr {
		if r, ok := rules[taken]; ok {
			return ref(r)
		}
		r := &rule{name: "items"}
		rules[taken] = r
		var parts []*expr
		n := bits.OnesCount(taken)
		if n >= a.min {
			parts = append(parts, text(""))
		}
		for i, v := range values {
			if taken&(1<<i) == 0 && n < limit {
				comma := ", "
				if n == 0 {
					comma = ""
				}
				parts = append(parts, seq(text(comma), literal(v), from(taken|1<<i)))
			}
		}
		r.body = alt(parts...)
		return ref(r)
	}
	return seq(text("["), from(0), text("]")), nil
}

// finite returns the values that fulfil a conjunction, where these are listed.
func (c *compiler) finite(all conjunction) (values []any, ok bool, err error) {
	branches, err := c.branches(all)
	if err != nil {
		return nil, false, err
	}
	for _, b := range branches {
		if b, err = c.exclude(b); err != nil {
			return nil, false, err
		}
		if !b.listed {
			return nil, false, nil
		}
		for _, v := range b.values {
			if had, _ := c.holds(&branch{listed: true, values: values}, v); !had {
				values = append(values, v)
			}
		}
	}
	return values, true, nil
}
