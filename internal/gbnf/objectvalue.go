package gbnf

import (
	"regexp"
	"slices"
	"strconv"
)

// objectConstraint is what objects must fulfil.
type objectConstraint struct {
	layers   []layer
	required []string
	min, max int         // keys; max may be unlimited
	names    conjunction // of the keys
}

// layer is what one schema says of the values in an object: of those under keys that it
// names, of those whose keys match patterns, and of the others.
type layer struct {
	node     *schemaNode // nil for the layer of closed
	keys     []string
	named    map[string]conjunction
	patterns []keyPattern
	others   conjunction
	closes   bool // it names keys, so that a grammar makes no others
}

type keyPattern struct {
	pattern string
	re      *regexp.Regexp
	value   conjunction
}

// under is what a layer says of the value under a key.
func (l *layer) under(key string) conjunction {
	value, known := l.named[key]
	for _, p := range l.patterns {
		if p.re.MatchString(key) {
			known = true
			value = value.and(p.value)
		}
	}
	if !known {
		return l.others
	}
	return value
}

func (o *objectConstraint) and(p *objectConstraint) *objectConstraint {
	out := &objectConstraint{
		layers: slices.Clone(o.layers), required: slices.Clone(o.required),
		min: max(o.min, p.min), max: least(o.max, p.max), names: o.names.and(p.names),
	}
	for _, l := range p.layers {
		if !slices.ContainsFunc(out.layers, func(m layer) bool { return m.node == l.node && l.node != nil }) {
			out.layers = append(out.layers, l)
		}
	}
	for _, k := range p.required {
		if !slices.Contains(out.required, k) {
			out.required = append(out.required, k)
		}
	}
	return out
}

func (o *objectConstraint) free() bool {
	return len(o.layers) == 0 && len(o.required) == 0 && o.min == 0 && o.max == unlimited && len(o.names) == 0
}

// under is what is said of the value under a key.
func (o *objectConstraint) under(key string) conjunction {
	var all conjunction
	for i := range o.layers {
		all = all.and(o.layers[i].under(key))
	}
	return all
}

// keys returns the keys that are named, in order, and whether a grammar makes no others.
func (o *objectConstraint) keys() (keys []string, closed bool) {
	add := func(names []string) {
		for _, k := range names {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	for _, l := range o.layers {
		add(l.keys)
		closed = closed || l.closes
	}
	add(o.required)
	return keys, closed || len(keys) > 0
}

// closed is what objects fulfil that have no other keys than a grammar makes.
func (o *objectConstraint) closed() *objectConstraint {
	keys, closed := o.keys()
	if !closed {
		return o
	}
	l := layer{keys: keys, named: map[string]conjunction{}, others: conjunction{noValue}, closes: true}
	for _, k := range keys {
		l.named[k] = nil
	}
	out := *o
	out.layers = append(slices.Clone(o.layers), l)
	return &out
}

// noValue is the schema that no value fulfils; it stands in no document, as its path shows.
var noValue = &schemaNode{path: "false", value: false}

func (c *compiler) objectKeywords(b *branch, n *schemaNode, o *object) error {
	if b.object == nil {
		return nil
	}
	out := &objectConstraint{min: integer(o, "minProperties", 0), max: integer(o, "maxProperties", unlimited)}
	if out.min > maxCount {
		return tooLong(n, "minProperties")
	}
	for _, k := range list(o.values["required"]) {
		if s, ok := k.(string); ok {
			out.required = append(out.required, s)
		}
	}
	l := layer{node: n, named: map[string]conjunction{}}
	if props, ok := o.values["properties"].(*object); ok {
		l.keys, l.closes = props.keys, true
		for _, k := range props.keys {
			l.named[k] = c.sub(n, props.values[k], "properties", k)
		}
	}
	if patterns, ok := o.values["patternProperties"].(*object); ok {
		for _, p := range patterns.keys {
			re, err := regexp.Compile(p)
			if err != nil {
				return &UnsupportedError{Path: n.path, Keyword: "patternProperties", Reason: err.Error()}
			}
			l.patterns = append(l.patterns, keyPattern{p, re, c.sub(n, patterns.values[p], "patternProperties", p)})
		}
	}
	if v, ok := o.get("additionalProperties"); ok {
		l.others = c.sub(n, v, "additionalProperties")
	} else if v, ok := o.get("unevaluatedProperties"); ok {
		l.others = c.sub(n, v, "unevaluatedProperties")
	}
	if l.closes || len(l.patterns) > 0 || len(l.others) > 0 {
		out.layers = []layer{l}
	}
	if v, ok := o.get("propertyNames"); ok {
		out.names = c.sub(n, v, "propertyNames")
	}
	b.object = b.object.and(out)
	return nil
}

func (c *compiler) objectHolds(o *objectConstraint, v *object) (bool, error) {
	if len(v.keys) < o.min || o.max != unlimited && len(v.keys) > o.max {
		return false, nil
	}
	for _, k := range o.required {
		if _, ok := v.get(k); !ok {
			return false, nil
		}
	}
	for _, k := range v.keys {
		if ok, err := c.allValid(o.names, k); err != nil || !ok {
			return false, err
		}
		if ok, err := c.allValid(o.under(k), v.values[k]); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (c *compiler) objectEmpty(o *objectConstraint, depth int) (bool, error) {
	if o.max != unlimited && (o.max < o.min || o.max < len(o.required)) {
		return true, nil
	}
	for _, k := range o.required {
		if none, err := c.allEmpty(o.under(k), depth); err != nil || none {
			return none, err
		}
		if ok, err := c.allValid(o.names, k); err != nil || !ok {
			return !ok, err
		}
	}
	return false, nil
}

// objectValue makes the expression of the objects that fulfil a constraint.
func (c *compiler) objectValue(at string, o *objectConstraint) (*expr, error) {
	keys, closed := o.keys()
	if !closed && len(o.names) > 0 {
		values, finite, err := c.finite(o.names)
		if err != nil {
			return nil, err
		}
		if finite {
			closed = true
			for _, v := range values {
				if k, ok := v.(string); ok {
					keys = append(keys, k)
				}
			}
		}
	}
	if !closed {
		return c.mapValue(at, o)
	}
	m := &members{c: c, o: o, made: map[[2]int]*expr{}}
	for _, k := range keys {
		if ok, err := c.allValid(o.names, k); err != nil {
			return nil, err
		} else if !ok {
			if slices.Contains(o.required, k) {
				return never(), nil
			}
			continue
		}
		value, err := c.value(o.under(k))
		if err != nil {
			return nil, err
		}
		m.keys = append(m.keys, k)
		m.values = append(m.values, value)
	}
	return seq(text("{"), m.from(0, 0), text("}")), nil
}

// members makes the expression of the members of an object whose keys are known.
type members struct {
	c      *compiler
	o      *objectConstraint
	keys   []string
	values []*expr
	made   map[[2]int]*expr
}

// from is what may follow when the keys before the ith are done with and n are there, as
// far as that matters.
func (m *members) from(i, n int) *expr {
	if m.o.max == unlimited || m.o.max >= len(m.keys) {
		n = min(n, max(1, m.o.min)) // more are as good
	} else if n > m.o.max {
		return never()
	}
	if i == len(m.keys) {
		if n < m.o.min {
			return never()
		}
		return text("")
	}
	at := [2]int{i, n}
	if e, ok := m.made[at]; ok {
		return e
	}
	comma := ", "
	if n == 0 {
		comma = ""
	}
	with := seq(text(comma), keyed(m.keys[i]), m.values[i], m.from(i+1, n+1))
	if slices.Contains(m.o.required, m.keys[i]) {
		m.made[at] = with // needs no rule, as the only way on
	} else {
		m.made[at] = ref(&rule{name: "members", body: alt(with, m.from(i+1, n))})
	}
	return m.made[at]
}

// mapValue makes the expression of objects with any keys. A key may be there twice, of
// which readers take the last: so it cannot be told how many there are.
func (c *compiler) mapValue(at string, o *objectConstraint) (*expr, error) {
	if o.min > 1 {
		return nil, &UnsupportedError{Path: at, Keyword: "minProperties", Reason: "a grammar cannot see to it that " + strconv.Itoa(o.min) + " free keys differ"}
	}
	var all conjunction
	key := quote(repeat(ref(c.char()), 0, c.text))
	if len(o.names) > 0 {
		names, err := c.value(o.names.and(conjunction{onlyText}))
		if err != nil {
			return nil, err
		}
		key = names
	}
	for _, l := range o.layers {
		switch {
		case len(l.patterns) == 0:
			all = all.and(l.others)
		case len(l.patterns) == 1 && len(o.layers) == 1 && len(o.names) == 0 && c.isFalse(l.others):
			p := l.patterns[0]
			all = p.value
			e, err := c.textValue(at, &textConstraint{max: unlimited, patterns: []string{p.pattern}})
			if err != nil {
				return nil, err
			}
			key = e
		default:
			return nil, &UnsupportedError{Path: l.node.path, Keyword: "patternProperties", Reason: "which keys match no pattern is not in a grammar; name the keys, or have one pattern and additionalProperties false"}
		}
	}
	value, err := c.value(all)
	if err != nil {
		return nil, err
	}
	limit := o.max
	if limit == unlimited && c.items != unlimited {
		limit = max(o.min, c.items)
	}
	switch {
	case limit != unlimited && limit < o.min:
		return never(), nil
	case limit == 0:
		return text("{}"), nil
	}
	if limit != unlimited {
		limit--
	}
	member := seq(key, text(": "), value)
	tail := seq(member, repeat(seq(text(", "), member), 0, limit))
	if o.min == 0 {
		tail = optional(tail)
	}
	return seq(text("{"), tail, text("}")), nil
}

// onlyText is the schema of all texts; it stands in no document, as its path shows.
var onlyText = &schemaNode{path: "string", value: &object{keys: []string{"type"}, values: map[string]any{"type": "string"}}}

func (c *compiler) isFalse(all conjunction) bool {
	return slices.ContainsFunc(all, func(n *schemaNode) bool { return n.value == false })
}
