package gbnf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// String writes the grammar in GBNF, as llama.cpp, llama-server and vLLM read it. Its
// root is the rule "root". It is the same for the same grammar.
func (g *Grammar) String() string {
	p := printer{names: map[*rule]string{}, taken: map[string]int{"root": 1}, parts: map[string]string{}}
	rules := rulesOf(g.root)
	if g.root.op == opRule { // the first, under another name
		p.names[rules[0]] = "root"
	}
	for _, r := range rules {
		if p.names[r] == "" {
			p.names[r] = p.name(r.name)
		}
	}
	if g.root.op != opRule {
		p.rule("root", g.root)
	}
	for _, r := range rules {
		p.rule(p.names[r], r.body)
	}
	return p.out.String()
}

// maxRepeat is up to how many times llama.cpp repeats something; from there on it would
// drop an upper limit.
const maxRepeat = 2000

type printer struct {
	names map[*rule]string
	taken map[string]int
	parts map[string]string // the rules that printing has added, by what they say
	added [][2]string
	out   strings.Builder
}

// name returns a rule's name, with a number where it is taken.
func (p *printer) name(hint string) string {
	hint = strings.Trim(strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, hint), "-")
	if hint == "" || unicode.IsDigit(rune(hint[0])) {
		hint = "rule-" + hint
	}
	for {
		p.taken[hint]++
		if p.taken[hint] == 1 {
			return hint
		}
		hint += "-" + strconv.Itoa(p.taken[hint])
	}
}

// rule writes a rule and those that had to be added for it.
func (p *printer) rule(name string, body *expr) {
	line := p.expr(body, name, 0)
	p.out.WriteString(name + " ::= " + line + "\n")
	for _, a := range p.added {
		p.out.WriteString(a[0] + " ::= " + a[1] + "\n")
	}
	p.added = p.added[:0]
}

// nothing is a class without characters, for a grammar that allows no text.
const nothing = `[^\u0000-\U0010FFFF]`

// How tightly an expression's context binds.
const (
	inRule = iota
	inSequence
	inRepeat
)

func (p *printer) expr(e *expr, owner string, context int) string {
	switch e.op {
	case opText:
		return quoted(e.text)
	case opSet:
		return class(e.set)
	case opRule:
		return p.names[e.rule]
	case opRepeat:
		if s := p.repeat(e, owner); context < inRepeat {
			return s
		} else {
			return "(" + s + ")"
		}
	}
	if e.isNever() {
		return nothing
	}
	parts := make([]string, len(e.args))
	sep, inner := " ", inSequence
	if e.op == opAlt {
		sep, inner = " | ", inRule
	}
	for i, a := range e.args {
		parts[i] = p.expr(a, owner, inner)
	}
	s := strings.Join(parts, sep)
	if context == inRepeat || context == inSequence && e.op == opAlt {
		return "(" + s + ")"
	}
	return s
}

// part returns the name of a rule for a part of another.
func (p *printer) part(owner, body string) string {
	if name, ok := p.parts[body]; ok {
		return name
	}
	name := p.name(owner)
	p.parts[body] = name
	p.added = append(p.added, [2]string{name, body})
	return name
}

func (p *printer) repeat(e *expr, owner string) string {
	body := e.args[0]
	switch {
	case e.min == 0 && e.max == unlimited:
		return p.expr(body, owner, inRepeat) + "*"
	case e.min == 1 && e.max == unlimited:
		return p.expr(body, owner, inRepeat) + "+"
	case e.min == 0 && e.max == 1:
		return p.expr(body, owner, inRepeat) + "?"
	}
	// llama.cpp limits how many rules a repeated group comes to, so it gets a name.
	item := p.expr(body, owner, inRule)
	if body.op != opSet && body.op != opRule && body.op != opText {
		item = p.part(owner, item)
	}
	return p.times(item, owner, e.min, e.max)
}

// times repeats an item, in pieces that llama.cpp takes.
func (p *printer) times(item, owner string, lo, hi int) string {
	switch {
	case lo > maxRepeat || lo == maxRepeat && hi > maxRepeat:
		if hi != unlimited {
			hi -= maxRepeat
		}
		return fmt.Sprintf("%s{%d} %s", item, maxRepeat, p.times(item, owner, lo-maxRepeat, hi))
	case hi == unlimited:
		return fmt.Sprintf("%s{%d,}", item, lo)
	case hi <= maxRepeat && lo == hi:
		return fmt.Sprintf("%s{%d}", item, lo)
	case hi <= maxRepeat:
		return fmt.Sprintf("%s{%d,%d}", item, lo, hi)
	}
	// Two ways that differ in length, so that a text is read in one way only.
	more := fmt.Sprintf("%s{%d} %s", item, maxRepeat, p.times(item, owner, 0, hi-maxRepeat))
	return p.part(owner, fmt.Sprintf("%s{%d,%d} | %s", item, lo, maxRepeat-1, more))
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if unicode.IsPrint(r) {
				b.WriteRune(r)
			} else {
				b.WriteString(escaped(r))
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

func escaped(r rune) string {
	if r > 0xFFFF {
		return fmt.Sprintf(`\U%08X`, r)
	}
	return fmt.Sprintf(`\u%04X`, r)
}

// class writes a set. All but letters and digits is written by number, as the readers
// of GBNF differ in which escapes they know.
func class(s runeSet) string {
	char := func(r rune) string {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return string(r)
		}
		return escaped(r)
	}
	var b strings.Builder
	b.WriteByte('[')
	for _, p := range s {
		b.WriteString(char(p.lo))
		if p.hi > p.lo {
			b.WriteString("-" + char(p.hi))
		}
	}
	b.WriteByte(']')
	return b.String()
}
