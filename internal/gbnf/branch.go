package gbnf

import "slices"

// branch is what values of each type must fulfil, as a schema says it without choices. A
// nil part means that no value of that type will do. A schema with choices is several
// branches, of which one must hold.
type branch struct {
	null, yes, no bool // null, true and false will do
	number        *numberConstraint
	text          *textConstraint
	array         *arrayConstraint
	object        *objectConstraint
	values        []any // with listed, what will do, of any type, besides nothing else
	listed        bool
	without       []exclusion
}

// anything is the branch of a schema that says nothing.
func anything() *branch {
	return &branch{
		null: true, yes: true, no: true,
		number: &numberConstraint{}, text: &textConstraint{max: unlimited},
		array: &arrayConstraint{max: unlimited}, object: &objectConstraint{max: unlimited},
	}
}

// maxBranches is how many choices a schema may come to.
const maxBranches = 256

// and is what fulfils both of two branches.
func (c *compiler) and(a, b *branch) (*branch, error) {
	out := &branch{without: slices.Clone(a.without)}
	for _, x := range b.without {
		if !slices.Contains(out.without, x) {
			out.without = append(out.without, x)
		}
	}
	if a.listed || b.listed {
		if !a.listed {
			a, b = b, a
		}
		out.listed = true
		for _, v := range a.values {
			ok, err := c.holds(b, v)
			if err != nil {
				return nil, err
			}
			if ok {
				out.values = append(out.values, v)
			}
		}
		return out, nil
	}
	out.null, out.yes, out.no = a.null && b.null, a.yes && b.yes, a.no && b.no
	if a.number != nil && b.number != nil {
		n := a.number.and(*b.number)
		out.number = &n
	}
	if a.text != nil && b.text != nil {
		out.text = a.text.and(b.text)
	}
	if a.array != nil && b.array != nil {
		out.array = a.array.and(b.array)
	}
	if a.object != nil && b.object != nil {
		out.object = a.object.and(b.object)
	}
	return out, nil
}

// holds reports whether a value fulfils a branch, its exclusions aside.
func (c *compiler) holds(b *branch, v any) (bool, error) {
	if b.listed {
		return slices.ContainsFunc(b.values, func(w any) bool { return equal(v, w) }), nil
	}
	switch v := v.(type) {
	case nil:
		return b.null, nil
	case bool:
		return v && b.yes || !v && b.no, nil
	case number:
		r, ok := v.rat()
		return ok && b.number != nil && b.number.holds(r), nil
	case string:
		return b.text != nil && b.text.holds(v), nil
	case []any:
		if b.array == nil {
			return false, nil
		}
		return c.arrayHolds(b.array, v)
	case *object:
		if b.object == nil {
			return false, nil
		}
		return c.objectHolds(b.object, v)
	}
	return false, nil
}

// equal compares values as JSON Schema does.
func equal(v, w any) bool {
	switch v := v.(type) {
	case number:
		w, ok := w.(number)
		if !ok {
			return false
		}
		a, okA := v.rat()
		b, okB := w.rat()
		return okA && okB && a.Cmp(b) == 0
	case []any:
		w, ok := w.([]any)
		return ok && slices.EqualFunc(v, w, equal)
	case *object:
		w, ok := w.(*object)
		if !ok || len(v.keys) != len(w.keys) {
			return false
		}
		for k, item := range v.values {
			if other, has := w.get(k); !has || !equal(item, other) {
				return false
			}
		}
		return true
	}
	return v == w
}

// allValid reports whether a value validates against all schemas of a conjunction.
func (c *compiler) allValid(all conjunction, v any) (bool, error) {
	for _, n := range all {
		if ok, err := c.valid(n, v); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// types calls f with a branch for each type that a branch allows: one that allows
// nothing else.
func (b *branch) types(f func(name string, part *branch) error) error {
	if b.listed {
		return f("value", &branch{listed: true, values: b.values})
	}
	for _, t := range []struct {
		name string
		part branch
		has  bool
	}{
		{"null", branch{null: true}, b.null},
		{"boolean", branch{yes: true}, b.yes},
		{"boolean", branch{no: true}, b.no},
		{"number", branch{number: b.number}, b.number != nil},
		{"string", branch{text: b.text}, b.text != nil},
		{"array", branch{array: b.array}, b.array != nil},
		{"object", branch{object: b.object}, b.object != nil},
	} {
		if t.has {
			if err := f(t.name, &t.part); err != nil {
				return err
			}
		}
	}
	return nil
}

// emptyDepth is how deep it is looked for the reason that no value fulfils a branch.
const emptyDepth = 4

// empty reports whether it is certain that no value fulfils a branch; at depth 0 only
// what is at hand is looked at.
func (c *compiler) empty(b *branch, depth int) (bool, error) {
	if b.listed {
		return len(b.values) == 0, nil
	}
	if b.null || b.yes || b.no || b.number != nil && !b.number.empty() || b.text != nil && !b.text.empty(depth) {
		return false, nil
	}
	if b.array != nil {
		if none, err := c.arrayEmpty(b.array, depth); err != nil || !none {
			return false, err
		}
	}
	if b.object != nil {
		if none, err := c.objectEmpty(b.object, depth); err != nil || !none {
			return false, err
		}
	}
	return true, nil
}

// allEmpty reports whether it is certain that no value fulfils all of some schemas.
func (c *compiler) allEmpty(all conjunction, depth int) (bool, error) {
	if depth == 0 {
		return false, nil
	}
	branches, err := c.branches(all)
	if err != nil {
		return false, err
	}
	for _, b := range branches {
		if none, err := c.empty(b, depth-1); err != nil || !none {
			return false, err
		}
	}
	return true, nil
}
