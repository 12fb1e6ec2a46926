package gbnf

import "slices"

// rulesOf returns the rules that an expression uses, in the order in which they are
// first met when reading.
func rulesOf(root *expr) []*rule {
	var rules []*rule
	seen := map[*rule]bool{}
	var walk func(e *expr)
	walk = func(e *expr) {
		if e.op == opRule && !seen[e.rule] {
			seen[e.rule] = true
			rules = append(rules, e.rule)
		}
		for _, a := range e.args {
			walk(a)
		}
	}
	walk(root)
	for i := 0; i < len(rules); i++ { // grows
		walk(rules[i].body)
	}
	return rules
}

// prune takes out what no text can pass, such as a rule that needs itself and an
// alternative with such a rule, so that every beginning that matches has an end. The
// rules are changed in place; the root that comes back is never() where nothing is left.
func prune(root *expr) *expr {
	rules := rulesOf(root)
	// In rules that follow one from the other the later ones are the ends.
	slices.Reverse(rules)
	ends := map[*rule]bool{}
	for changed := true; changed; {
		changed = false
		for _, r := range rules {
			if !ends[r] && productive(r.body, ends) {
				ends[r], changed = true, true
			}
		}
	}
	for _, r := range rules {
		r.body = pruned(r.body, ends)
	}
	return pruned(root, ends)
}

// productive reports whether a text matches, if those rules that are known to have one
// are the only ones that do.
func productive(e *expr, ends map[*rule]bool) bool {
	has := func(a *expr) bool { return productive(a, ends) }
	switch e.op {
	case opRule:
		return ends[e.rule]
	case opSeq:
		return !slices.ContainsFunc(e.args, func(a *expr) bool { return !has(a) })
	case opAlt:
		return slices.ContainsFunc(e.args, has)
	case opRepeat:
		return e.min == 0 || has(e.args[0])
	}
	return true
}

func pruned(e *expr, ends map[*rule]bool) *expr {
	if e.op == opRule {
		if !ends[e.rule] {
			return never()
		}
		return e
	}
	args := make([]*expr, len(e.args))
	same := true
	for i, a := range e.args {
		args[i] = pruned(a, ends)
		same = same && args[i] == a
	}
	switch {
	case same:
		return e
	case e.op == opSeq:
		return seq(args...)
	case e.op == opAlt:
		return alternatives(e.first, args)
	}
	return repeat(args[0], e.min, e.max)
}
