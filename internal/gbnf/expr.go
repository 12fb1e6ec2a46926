package gbnf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// op says what an expression is.
type op int

const (
	opText   op = iota // a text
	opSet              // one code point of a set
	opSeq              // all of args, one after the other
	opAlt              // one of args
	opRepeat           // args[0], at least min and at most max times
	opRule             // what a rule says
)

// unlimited is the max of a repetition without an end.
const unlimited = -1

// expr is an expression of a grammar, immutable. An opAlt without args matches nothing.
type expr struct {
	op       op
	text     string
	set      runeSet
	args     []*expr
	min, max int
	rule     *rule
	first    bool // of opAlt: its first alternative counts as the shortest
	key      string
}

// rule is an expression with a name, which may refer to itself behind some text.
type rule struct {
	name string
	body *expr // set when all it refers to exists
}

// made sets the key, which is the same for expressions of one form.
func (e *expr) made() *expr {
	var b strings.Builder
	b.WriteByte("tscarR"[e.op])
	switch e.op {
	case opText:
		b.WriteString(strconv.Quote(e.text))
	case opSet:
		for _, p := range e.set {
			b.WriteString(strconv.Itoa(int(p.lo)) + "-" + strconv.Itoa(int(p.hi)) + ",")
		}
	case opRepeat:
		b.WriteString(strconv.Itoa(e.min) + ":" + strconv.Itoa(e.max))
	case opRule:
		fmt.Fprintf(&b, "%p", e.rule) // its body may not be there yet
	}
	b.WriteByte('(')
	for _, a := range e.args {
		b.WriteString(a.key)
		b.WriteByte(' ')
	}
	b.WriteByte(')')
	e.key = b.String()
	return e
}

func text(s string) *expr { return (&expr{op: opText, text: s}).made() }

// never matches nothing.
func never() *expr { return (&expr{op: opAlt}).made() }

func (e *expr) isNever() bool { return e.op == opAlt && len(e.args) == 0 }

func (e *expr) isEmpty() bool { return e.op == opText && e.text == "" }

func set(s runeSet) *expr {
	switch {
	case len(s) == 0:
		return never()
	case len(s) == 1 && s[0].lo == s[0].hi:
		return text(string(s[0].lo))
	}
	return (&expr{op: opSet, set: s}).made()
}

func ref(r *rule) *expr { return (&expr{op: opRule, rule: r}).made() }

func seq(args ...*expr) *expr {
	var flat []*expr
	for _, a := range args {
		switch {
		case a.isNever():
			return a
		case a.isEmpty():
		case a.op == opSeq:
			flat = append(flat, a.args...)
		default:
			flat = append(flat, a)
		}
	}
	var out []*expr
	for _, a := range flat {
		if last := len(out) - 1; last >= 0 && a.op == opText && out[last].op == opText {
			out[last] = text(out[last].text + a.text)
		} else {
			out = append(out, a)
		}
	}
	switch len(out) {
	case 0:
		return text("")
	case 1:
		return out[0]
	}
	return (&expr{op: opSeq, args: out}).made()
}

// alt matches one of its arguments; what is there twice counts once.
func alt(args ...*expr) *expr { return alternatives(false, args) }

// firstOf is an alt whose first alternative counts as the shortest, whatever the
// lengths.
func firstOf(args ...*expr) *expr { return alternatives(true, args) }

func alternatives(first bool, args []*expr) *expr {
	var out []*expr
	seen := map[string]bool{}
	add := func(a *expr) {
		if !seen[a.key] {
			seen[a.key] = true
			out = append(out, a)
		}
	}
	for _, a := range args {
		if a.op == opAlt && !a.first {
			for _, b := range a.args {
				add(b)
			}
		} else if !a.isNever() {
			add(a)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	if !slices.ContainsFunc(out, func(a *expr) bool { return a.op != opSet }) && len(out) > 0 {
		var all runeSet
		for _, a := range out {
			all = all.or(a.set)
		}
		return set(all)
	}
	return (&expr{op: opAlt, args: out, first: first}).made()
}

// optional matches e or nothing.
func optional(e *expr) *expr { return repeat(e, 0, 1) }

// repeat matches e at least lo and at most hi times. What matches the empty text is
// repeated without it, as llama.cpp would take an empty round for left recursion.
func repeat(e *expr, lo, hi int) *expr {
	if e.nullable() {
		e, lo = e.nonEmpty(), 0
	}
	switch {
	case hi != unlimited && hi < lo:
		return never()
	case hi == 0 || e.isNever() && lo == 0:
		return text("")
	case e.isNever():
		return e
	case lo == 1 && hi == 1:
		return e
	case e.op == opRepeat && e.min <= 1 && e.max == unlimited && hi == unlimited:
		return repeat(e.args[0], min(e.min, lo), unlimited)
	}
	return (&expr{op: opRepeat, args: []*expr{e}, min: lo, max: hi}).made()
}

// nullable reports whether the empty text matches. A rule in the making is one of
// values, which does not.
func (e *expr) nullable() bool {
	switch e.op {
	case opText:
		return e.text == ""
	case opSeq:
		return !slices.ContainsFunc(e.args, func(a *expr) bool { return !a.nullable() })
	case opAlt:
		return slices.ContainsFunc(e.args, (*expr).nullable)
	case opRepeat:
		return e.min == 0 || e.args[0].nullable()
	case opRule:
		return e.rule.body != nil && e.rule.body.nullable()
	}
	return false
}

// nonEmpty matches what e does but for the empty text.
func (e *expr) nonEmpty() *expr {
	switch {
	case !e.nullable():
		return e
	case e.op == opText:
		return never()
	case e.op == opRule:
		return shared(e.rule.body.nonEmpty())
	case e.op == opRepeat:
		return repeat(e.args[0].nonEmpty(), 1, e.max)
	case e.op == opAlt:
		args := make([]*expr, len(e.args))
		for i, a := range e.args {
			args[i] = a.nonEmpty()
		}
		return alternatives(e.first, args)
	}
	// Of opSeq: some part is the first that is not empty. Each part is there several
	// times, and parts may have parts: so those that are long get a rule.
	parts := make([]*expr, len(e.args))
	for i, a := range e.args {
		parts[i] = shared(a.nonEmpty())
	}
	var out []*expr
	tail := text("")
	for i := len(parts) - 1; i >= 0; i-- {
		out = append(out, seq(parts[i], tail))
		tail = seq(optional(parts[i]), tail)
	}
	slices.Reverse(out)
	return alt(out...)
}

// shared puts a long expression into a rule.
func shared(e *expr) *expr {
	if len(e.key) < 64 || e.op == opRule {
		return e
	}
	return ref(&rule{name: "part", body: e})
}
