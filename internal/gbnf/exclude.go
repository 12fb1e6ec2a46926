package gbnf

import (
	"fmt"
	"slices"
)

// exclusion is a schema that a value must not fulfil.
type exclusion struct {
	not     *schemaNode
	path    string // of the keyword that excludes it
	keyword string
}

// exclude takes out of a branch, which is final, what its exclusions forbid. It fails
// where it cannot tell exactly what they leave.
func (c *compiler) exclude(b *branch) (*branch, error) {
	out := *b
	out.without = nil
	for _, x := range b.without {
		if out.listed {
			left, err := c.withoutValues(out.values, x)
			if err != nil {
				return nil, err
			}
			out.values = left
			continue
		}
		not, err := c.branches(conjunction{x.not})
		if err != nil {
			return nil, err
		}
		var kept branch
		err = out.types(func(name string, part *branch) error {
			left, ok, err := c.withoutAll(part, not)
			switch {
			case err != nil:
				return err
			case !ok:
				return &UnsupportedError{Path: x.path, Keyword: x.keyword, Reason: fmt.Sprintf(
					"some values of type %s fulfil the schema at %q, too, and some may not; make the two differ in the type, a const or a required key", name, "#"+x.not.path)}
			case left != nil:
				kept.add(left)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = kept
	}
	return &out, nil
}

// withoutValues is those of some values that are not excluded.
func (c *compiler) withoutValues(values []any, x exclusion) ([]any, error) {
	var left []any
	for _, v := range values {
		bad, err := c.valid(x.not, v)
		if err != nil {
			return nil, err
		}
		if !bad {
			left = append(left, v)
		}
	}
	return left, nil
}

// withoutAll is a branch of one type without what fulfils one of some branches: nil where
// nothing is left, and false where that is no branch.
func (c *compiler) withoutAll(part *branch, not []*branch) (left *branch, ok bool, err error) {
	for _, n := range not {
		made := part
		if part.object != nil {
			made = &branch{object: part.object.closed()} // a grammar makes no others
		}
		both, err := c.and(made, n)
		if err != nil {
			return nil, false, err
		}
		none, err := c.empty(both, emptyDepth)
		if err != nil {
			return nil, false, err
		}
		switch {
		case none:
		case n.whole(part):
			return nil, true, nil
		case part.object != nil && n.object != nil && len(n.without) == 0 && !n.listed:
			object := part.object.withoutKey(n.object)
			if object == nil {
				return nil, false, nil
			}
			part = &branch{object: object}
		default:
			return nil, false, nil
		}
	}
	return part, true, nil
}

// whole reports whether all values of the one type of another branch fulfil a branch.
func (b *branch) whole(part *branch) bool {
	return len(b.without) == 0 && !b.listed && (part.null || part.yes || part.no ||
		part.number != nil && b.number.free() || part.text != nil && b.text.free() ||
		part.array != nil && b.array.free() || part.object != nil && b.object.free())
}

// withoutKey is what an object fulfils that does not fulfil another constraint, where all
// that this says is what stands under one key: then something else must stand there. It
// returns nil where the other says more.
func (o *objectConstraint) withoutKey(not *objectConstraint) *objectConstraint {
	if not.min > 0 || not.max != unlimited || len(not.names) > 0 || len(not.layers) != 1 {
		return nil
	}
	l := not.layers[0]
	if len(l.named) != 1 || len(l.patterns) > 0 || len(l.others) > 0 {
		return nil
	}
	key := l.keys[0]
	must := slices.Contains(o.required, key)
	switch {
	case len(l.named[key]) != 1:
		return nil
	case len(not.required) > 1 || len(not.required) == 1 && (not.required[0] != key || !must):
		return nil // without the key it would do, too
	}
	s := l.named[key][0]
	other := &schemaNode{path: "not" + s.path, negated: s}
	return o.and(&objectConstraint{
		layers: []layer{{named: map[string]conjunction{key: {other}}}}, required: []string{key}, max: unlimited,
	})
}

// add joins a branch of one type to one that has not that type.
func (b *branch) add(part *branch) {
	b.null, b.yes, b.no = b.null || part.null, b.yes || part.yes, b.no || part.no
	if part.number != nil {
		b.number = part.number
	}
	if part.text != nil {
		b.text = part.text
	}
	if part.array != nil {
		b.array = part.array
	}
	if part.object != nil {
		b.object = part.object
	}
}
