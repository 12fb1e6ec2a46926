package gbnf

import (
	"fmt"
	"math/big"
	"strings"
)

// branches is what a conjunction comes to: one of the branches must hold.
func (c *compiler) branches(all conjunction) ([]*branch, error) {
	out := []*branch{anything()}
	for _, n := range all {
		more, err := c.schema(n, nil)
		if err != nil {
			return nil, err
		}
		if out, err = c.cross(n, out, more); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cross is what fulfils one branch of each of two lists; branches that nothing fulfils
// are left out.
func (c *compiler) cross(n *schemaNode, as, bs []*branch) ([]*branch, error) {
	var out []*branch
	for _, a := range as {
		for _, b := range bs {
			both, err := c.and(a, b)
			if err != nil {
				return nil, err
			}
			if none, err := c.empty(both, 0); err != nil {
				return nil, err
			} else if !none {
				out = append(out, both)
			}
			if len(out) > maxBranches {
				return nil, &UnsupportedError{Path: n.path, Keyword: "anyOf", Reason: fmt.Sprintf("choices inside of choices come to more than %d", maxBranches)}
			}
		}
	}
	return out, nil
}

// inPlace are the keywords that hold other schemas for the same value.
var inPlace = []string{"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "not", "$dynamicRef", "dependentSchemas"}

// schema is what one schema comes to. chain is the schemas that this one is a part of,
// for the same value.
func (c *compiler) schema(n *schemaNode, chain conjunction) ([]*branch, error) {
	o, ok := n.value.(*object)
	switch {
	case n.negated != nil:
		b := anything()
		b.without = []exclusion{{n.negated, n.negated.path, "if"}}
		return []*branch{b}, nil
	case n.value == true:
		return []*branch{anything()}, nil
	case n.value == false:
		return nil, nil
	case !ok:
		return nil, &SchemaError{Path: n.path, Reason: "want a schema, an object or a truth value, got " + written(n.value)}
	case chain.has(n):
		return nil, &SchemaError{Path: n.path, Reason: "the schema is defined by itself, without a value in between"}
	}
	if known, ok := c.known[n]; ok {
		return known, nil
	}
	out, err := c.keywords(n, o, append(chain[:len(chain):len(chain)], n))
	if err == nil {
		c.known[n] = out
	}
	return out, err
}

// keywords is what the keywords of a schema come to.
func (c *compiler) keywords(n *schemaNode, o *object, chain conjunction) ([]*branch, error) {
	if listed, err := c.listed(n, o); listed != nil || err != nil {
		return listed, err
	}
	if err := c.refuse(n, o); err != nil {
		return nil, err
	}
	own, err := c.own(n, o)
	if err != nil {
		return nil, err
	}
	// In the order of the document, as this is the order of the keys.
	out, ownPlace := []*branch{anything()}, false
	for _, k := range append(o.keys[:len(o.keys):len(o.keys)], "properties") {
		var more []*branch
		if k == "properties" && !ownPlace {
			ownPlace = true
			more = []*branch{own}
		} else if more, err = c.applied(n, o, k, chain); err != nil {
			return nil, err
		} else if more == nil {
			continue
		}
		if out, err = c.cross(n, out, more); err != nil || len(out) == 0 {
			return nil, err
		}
	}
	return out, nil
}

// applied is what a keyword with other schemas for the same value comes to; nil for
// other keywords. Where nothing fulfils it, it is a branch that nothing fulfils.
func (c *compiler) applied(n *schemaNode, o *object, k string, chain conjunction) ([]*branch, error) {
	v := o.values[k]
	var out []*branch
	switch k {
	case "$ref":
		s, _ := v.(string)
		to, err := c.resolve(n, s)
		if err != nil {
			return nil, err
		}
		out, err = c.schema(to, chain)
		return orNothing(out), err
	case "allOf":
		out = []*branch{anything()}
		for i, item := range list(v) {
			more, err := c.schema(c.child(n, item, k, fmt.Sprint(i)), chain)
			if err != nil {
				return nil, err
			}
			if out, err = c.cross(n, out, more); err != nil {
				return nil, err
			}
		}
		return orNothing(out), nil
	case "anyOf", "oneOf":
		return c.choices(n, k, list(v), chain)
	case "not":
		b := anything()
		b.without = []exclusion{{c.child(n, v, k), n.path, k}}
		return []*branch{b}, nil
	case "if":
		return c.conditional(n, o, chain)
	}
	return nil, nil
}

func (c *compiler) choices(n *schemaNode, k string, items []any, chain conjunction) ([]*branch, error) {
	var out []*branch
	for i, item := range items {
		more, err := c.schema(c.child(n, item, k, fmt.Sprint(i)), chain)
		if err != nil {
			return nil, err
		}
		for _, b := range more {
			b := *b
			for j, other := range items {
				if k == "oneOf" && i != j {
					b.without = append(b.without[:len(b.without):len(b.without)], exclusion{c.child(n, other, k, fmt.Sprint(j)), n.path, k})
				}
			}
			out = append(out, &b)
		}
	}
	return orNothing(out), nil
}

// conditional is if, then and else: the first two together, or the last and not the
// first.
func (c *compiler) conditional(n *schemaNode, o *object, chain conjunction) ([]*branch, error) {
	then, hasThen := o.get("then")
	other, hasOther := o.get("else")
	if !hasThen && !hasOther {
		return nil, nil
	}
	condition := c.child(n, o.values["if"], "if")
	yes, err := c.schema(condition, chain)
	if err != nil {
		return nil, err
	}
	no := anything()
	no.without = []exclusion{{condition, n.path, "if"}}
	nos := []*branch{no}
	if hasThen {
		more, err := c.schema(c.child(n, then, "then"), chain)
		if err != nil {
			return nil, err
		}
		if yes, err = c.cross(n, yes, more); err != nil {
			return nil, err
		}
	}
	if hasOther {
		more, err := c.schema(c.child(n, other, "else"), chain)
		if err != nil {
			return nil, err
		}
		if nos, err = c.cross(n, nos, more); err != nil {
			return nil, err
		}
	}
	return orNothing(append(yes, nos...)), nil
}

// orNothing tells what nothing fulfils from what says nothing.
func orNothing(b []*branch) []*branch {
	if b == nil {
		return []*branch{}
	}
	return b
}

// listed is the values of enum and const that fulfil all of their schema, which need not
// be understood otherwise; nil without those keywords.
func (c *compiler) listed(n *schemaNode, o *object) ([]*branch, error) {
	enum, hasEnum := o.get("enum")
	value, hasConst := o.get("const")
	if !hasEnum && !hasConst {
		return nil, nil
	}
	values := list(enum)
	if hasConst {
		values = []any{value}
	}
	b := &branch{listed: true}
	for _, v := range values {
		ok, err := c.valid(n, v)
		if err != nil {
			return nil, err
		}
		if ok {
			b.values = append(b.values, v)
		}
	}
	return []*branch{b}, nil
}

func list(v any) []any {
	items, _ := v.([]any)
	return items
}

// refuse is an error for keywords that no grammar can be held to.
func (c *compiler) refuse(n *schemaNode, o *object) error {
	fail := func(k, reason string) error { return &UnsupportedError{Path: n.path, Keyword: k, Reason: reason} }
	applies := ""
	for _, k := range inPlace {
		if _, ok := o.get(k); ok && applies == "" {
			applies = k
		}
	}
	for _, k := range o.keys {
		v := o.values[k]
		switch k {
		case "$id":
			if n.path != "" {
				return fail(k, "a schema inside has an address of its own; leave it out")
			}
		case "$dynamicRef", "$recursiveRef", "$dynamicAnchor":
			if k != "$dynamicAnchor" {
				return fail(k, "what it refers to depends on the way there; use $ref")
			}
		case "contains":
			if least, ok := o.get("minContains"); ok && least == any(number("0")) && o.values["maxContains"] == nil {
				continue
			}
			return fail(k, "a grammar cannot count which items are of one kind")
		case "dependentSchemas", "dependentRequired", "dependencies":
			if d, ok := v.(*object); !ok || len(d.keys) > 0 {
				return fail(k, "what holds for one key depends on another; use anyOf with the keys required")
			}
		case "unevaluatedProperties", "unevaluatedItems":
			if v != true && applies != "" {
				return fail(k, "what is evaluated depends on "+applies+"; say which keys and items there are")
			}
		}
	}
	return nil
}

// own is what the keywords of a schema say that hold no schemas for the same value.
func (c *compiler) own(n *schemaNode, o *object) (*branch, error) {
	b := anything()
	if t, ok := o.get("type"); ok {
		b = b.ofTypes(t)
	}
	for _, part := range []func(*branch, *schemaNode, *object) error{c.numberKeywords, c.textKeywords, c.arrayKeywords, c.objectKeywords} {
		if err := part(b, n, o); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// ofTypes is what a branch says of values of one type or of several.
func (b *branch) ofTypes(t any) *branch {
	names := list(t)
	if names == nil {
		names = []any{t}
	}
	out := &branch{}
	for _, name := range names {
		switch name {
		case "null":
			out.null = true
		case "boolean":
			out.yes, out.no = true, true
		case "integer":
			if out.number == nil {
				out.number = &numberConstraint{step: one()}
			}
		case "number":
			out.number = b.number
		case "string":
			out.text = b.text
		case "array":
			out.array = b.array
		case "object":
			out.object = b.object
		}
	}
	return out
}

func (c *compiler) numberKeywords(b *branch, n *schemaNode, o *object) error {
	if b.number == nil {
		return nil
	}
	for _, k := range o.keys {
		if !strings.Contains(" minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ", " "+k+" ") {
			continue
		}
		v, _ := o.values[k].(number)
		r, ok := v.rat()
		if !ok {
			return &SchemaError{Path: n.path, Reason: "want a number under " + k}
		}
		m := numberConstraint{}
		switch k {
		case "minimum":
			m.lo = r
		case "maximum":
			m.hi = r
		case "exclusiveMinimum":
			m.lo, m.loOpen = r, true
		case "exclusiveMaximum":
			m.hi, m.hiOpen = r, true
		case "multipleOf":
			m.step = r
		}
		both := b.number.and(m)
		b.number = &both
	}
	return nil
}

// integer is the number under a key that limits how many of something there are: of a
// maximum at most maxCount, of a minimum at most one more.
func integer(o *object, key string, otherwise int) int {
	v, _ := o.values[key].(number)
	r, ok := v.rat()
	if v == "" || !ok {
		return otherwise
	}
	if r.Cmp(new(big.Rat).SetInt64(maxCount)) > 0 {
		if key[:3] == "max" {
			return maxCount
		}
		return maxCount + 1
	}
	return int(r.Num().Int64())
}

// maxCount is how many characters, items and keys there are at most where their number
// is limited.
const maxCount = 1 << 16
