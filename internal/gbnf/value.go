package gbnf

import "strings"

// sharedRules are rules that are the same everywhere in a grammar.
type sharedRules struct{ char *rule }

// char is the rule of one character of a text.
func (c *compiler) char() *rule {
	if c.shared.char == nil {
		c.shared.char = &rule{name: "char", body: anyChar()}
	}
	return c.shared.char
}

// maxRules is how many different values a schema may describe.
const maxRules = 8192

// value makes the expression of the values that fulfil a conjunction: a rule, which may
// be in the making.
func (c *compiler) value(all conjunction) (*expr, error) {
	key := all.key()
	if r, ok := c.rules[key]; ok {
		return ref(r), nil
	}
	if len(c.rules) >= maxRules {
		return nil, &UnsupportedError{Path: all[0].path, Keyword: "$ref", Reason: "schemas inside of each other come to too many rules"}
	}
	r := &rule{name: c.name(all)}
	c.rules[key] = r
	branches, err := c.branches(all)
	if err != nil {
		return nil, err
	}
	var parts []*expr
	for _, b := range branches {
		if b, err = c.exclude(b); err != nil {
			return nil, err
		}
		more, err := c.branchValue(all, b)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more...)
	}
	if r.body = alt(parts...); r.body.op == opText || r.body.op == opSet || r.body.isNever() {
		return r.body, nil // shorter than a name
	}
	return ref(r), nil
}

// name is what a rule is called: after the last name on the way to the schema.
func (c *compiler) name(all conjunction) string {
	if len(all) == 0 {
		return "value"
	}
	path := all[0].path
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return "document"
}

// branchValue makes the expressions of the values that fulfil a branch, which has no
// exclusions.
func (c *compiler) branchValue(all conjunction, b *branch) ([]*expr, error) {
	at := ""
	if len(all) > 0 {
		at = all[0].path
	}
	if b.listed {
		parts := make([]*expr, len(b.values))
		for i, v := range b.values {
			parts[i] = literal(v)
		}
		return []*expr{firstOf(parts...)}, nil
	}
	var parts []*expr
	add := func(e *expr, err error) error {
		parts = append(parts, e)
		return err
	}
	if b.text != nil {
		if err := add(c.textValue(at, b.text)); err != nil {
			return nil, err
		}
	}
	if b.number != nil {
		if why := b.number.problem(); why != "" {
			return nil, &UnsupportedError{Path: at, Keyword: "multipleOf", Reason: why}
		}
		parts = append(parts, b.number.expr())
	}
	if b.object != nil {
		if err := add(c.objectValue(at, b.object)); err != nil {
			return nil, err
		}
	}
	if b.array != nil {
		if err := add(c.arrayValue(b.array)); err != nil {
			return nil, err
		}
	}
	switch {
	case b.yes && b.no:
		parts = append(parts, firstOf(text("false"), text("true")))
	case b.yes:
		parts = append(parts, text("true"))
	case b.no:
		parts = append(parts, text("false"))
	}
	if b.null {
		parts = append(parts, text("null"))
	}
	return parts, nil
}

// literal is one value. A number may also be written as the schema has it, where that
// takes no exponent.
func literal(v any) *expr {
	e := text(written(v))
	if n, ok := v.(number); ok && !strings.ContainsAny(string(n), "eE") {
		return alt(e, text(string(n)))
	}
	return e
}
