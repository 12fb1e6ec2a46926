package signature

import (
	"fmt"
	"slices"
	"strings"
)

// ParseOption configures [Parse].
type ParseOption func(*parser)

// Instructions sets the instructions of the signature; the default lists the fields.
func Instructions(text string) ParseOption { return func(p *parser) { p.instructions = text } }

// NamedType lets a signature's text use a type of the program's own by its name,
// such as an object that [ObjectOf] made.
func NamedType(name string, t *Type) ParseOption {
	return func(p *parser) {
		if t != nil { // else the name is not known, which is an error where it is used
			p.types[name] = t
		}
	}
}

// Parse makes a signature of a text in DSPy's form:
//
//	question, context: list[str] -> answer: Literal['yes', 'no'], score: float
//
// A field without a type is text. The types are str, int, float, bool, datetime,
// list, set, tuple and dict with or without their items' types, Literal, Optional,
// Union, "A | B", Any, None, and dspy.Image, Audio, File, History, Reasoning, Code,
// Tool and ToolCalls. Of two inputs with one name the second counts.
//
// A text that is no signature is a *[SyntaxError], one whose fields clash an
// *[Error].
func Parse(text string, opts ...ParseOption) (*Signature, error) {
	p := &parser{text: text, types: map[string]*Type{}}
	for _, o := range opts {
		o(p)
	}
	if n := strings.Count(text, "->"); n != 1 {
		return nil, p.fail(0, fmt.Sprintf("want exactly one -> between inputs and outputs, got %d", n))
	}
	left, right, _ := strings.Cut(text, "->")
	ins, err := p.side(0, len(left))
	if err != nil {
		return nil, err
	}
	outs, err := p.side(len(left)+2, len(left)+2+len(right))
	if err != nil {
		return nil, err
	}
	sig, err := build(p.instructions, ins, outs)
	if err != nil {
		return nil, err
	}
	return sig, nil
}

// MustParse is Parse for texts that are known to be right. It panics on an error.
func MustParse(text string, opts ...ParseOption) *Signature {
	s, err := Parse(text, opts...)
	if err != nil {
		panic(err)
	}
	return s
}

// SyntaxError is a text that is no signature.
type SyntaxError struct {
	// Text is the whole text, Offset the byte in it at which the mistake was seen.
	Text   string
	Offset int
	// Problem says what is wrong and what was expected.
	Problem string
}

// Error shows where the mistake is.
func (e *SyntaxError) Error() string {
	at := min(e.Offset, len(e.Text))
	return fmt.Sprintf("signature: %s, at %q behind %q", e.Problem, cutShort(e.Text[at:]), e.Text[:at])
}

func cutShort(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:30]) + "..."
	}
	return s
}

// parser reads a signature's text.
type parser struct {
	text         string
	instructions string
	types        map[string]*Type

	tokens []token // of the side at hand
	end    int     // where the side ends
	depth  int
}

func (p *parser) fail(at int, problem string) error {
	return &SyntaxError{Text: p.text, Offset: at, Problem: problem}
}

// side reads the fields on one side of the arrow.
func (p *parser) side(from, to int) ([]Field, error) {
	var err error
	if p.tokens, err = p.scan(from, to); err != nil {
		return nil, err
	}
	p.end = to
	var fields []Field
	for len(p.tokens) > 0 {
		f, err := p.field()
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(fields, func(o Field) bool { return o.Name == f.Name }); i >= 0 {
			fields[i] = f
		} else {
			fields = append(fields, f)
		}
		if len(p.tokens) == 0 {
			break
		}
		if err := p.want(","); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

func (p *parser) field() (Field, error) {
	name := p.next()
	switch {
	case name.kind != nameToken:
		return Field{}, p.fail(name.at, "want the name of a field")
	case isKeyword(name.text):
		return Field{}, p.fail(name.at, "the name "+name.text+" is a word of Python, so DSPy cannot have such a field; use another one")
	case strings.HasPrefix(name.text, "_"):
		return Field{}, p.fail(name.at, "a field's name must not begin with an underscore")
	}
	f := Field{Name: name.text, Type: &Type{Kind: KindString}}
	if !p.at(":") {
		return f, nil
	}
	p.next()
	noType := p.peek().kind == nameToken && p.peek().text == "None" // as DSPy: no type is text
	var err error
	if f.Type, err = p.union(); noType && f.Type != nil && f.Type.Kind == KindNone {
		f.Type = &Type{Kind: KindString}
	}
	return f, err
}

// union reads types with | between them.
func (p *parser) union() (*Type, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.peek().at, fmt.Sprintf("types are nested deeper than %d levels", maxDepth))
	}
	defer func() { p.depth-- }()
	first := p.peek().text
	t, err := p.single()
	if err != nil {
		return nil, err
	}
	for p.at("|") {
		p.next()
		right, err := p.single()
		if err != nil {
			return nil, err
		}
		if t.Kind == KindNone && right.Kind != KindNone && first == "NoneType" { // as DSPy, which does not turn None | int
			t, right = right, t
		}
		t = UnionOf(t, right)
	}
	return t, nil
}

func (p *parser) single() (*Type, error) {
	tok := p.next()
	if tok.kind == markToken && tok.text == "(" {
		t, err := p.union()
		if err != nil {
			return nil, err
		}
		return t, p.want(")")
	}
	if tok.kind != nameToken {
		return nil, p.fail(tok.at, "want a type")
	}
	name := tok.text
	for p.at(".") {
		p.next()
		part := p.next()
		if part.kind != nameToken {
			return nil, p.fail(part.at, "want a name behind the dot")
		}
		name += "." + part.text
	}
	if t, ok := p.types[name]; ok {
		return t, nil
	}
	if p.at("[") {
		return p.generic(name, tok.at)
	}
	if t := plainType(name); t != nil {
		return t, nil
	}
	return nil, p.fail(tok.at, "the type "+name+" is not known; give it with NamedType, or use str, int, float, bool, datetime, list, set, tuple, dict, Literal, Optional, Union, Any or one of dspy's")
}

// generic reads what stands in the brackets behind a type's name.
func (p *parser) generic(name string, at int) (*Type, error) {
	open := p.next()
	switch strings.TrimPrefix(strings.TrimPrefix(name, "typing."), "dspy.") {
	case "Literal":
		values, err := p.literals()
		if err != nil {
			return nil, err
		}
		return LiteralOf(values...), nil
	case "Code":
		lang := p.next()
		if lang.kind != textToken {
			return nil, p.fail(lang.at, "want the language in quotes")
		}
		return &Type{Kind: KindCode, Name: lang.text}, p.want("]")
	case "tuple", "Tuple":
		return p.tuple()
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	count := func(n int) error {
		if len(args) != n {
			return p.fail(open.at, fmt.Sprintf("%s takes %d types, got %d", name, n, len(args)))
		}
		return nil
	}
	switch strings.TrimPrefix(name, "typing.") {
	case "list", "List":
		return ListOf(args[0]), count(1)
	case "set", "Set":
		return SetOf(args[0]), count(1)
	case "Optional":
		return UnionOf(args[0], &Type{Kind: KindNone}), count(1)
	case "Union":
		return UnionOf(args...), nil
	case "dict", "Dict":
		if err := count(2); err != nil {
			return nil, err
		}
		if k := args[0].Kind; args[0].Optional || k != KindString && k != KindInt && k != KindFloat && k != KindBool && k != KindEnum && k != KindAny {
			return nil, p.fail(open.at, "the keys of a dict are texts, numbers or truth values, not "+args[0].String())
		}
		return DictOf(args[0], args[1]), nil
	}
	return nil, p.fail(at, "the type "+name+" takes no types in brackets, or is not known")
}

// arguments reads types up to the closing bracket, at least one.
func (p *parser) arguments() ([]*Type, error) {
	var args []*Type
	for {
		t, err := p.union()
		if err != nil {
			return nil, err
		}
		args = append(args, t)
		if done, err := p.listEnds(); done || err != nil {
			return args, err
		}
	}
}

func (p *parser) tuple() (*Type, error) {
	var items []*Type
	for {
		if tok := p.peek(); p.at("...") {
			p.next()
			if len(items) != 1 {
				return nil, p.fail(tok.at, "... stands behind one type, for a tuple of any length")
			}
			return &Type{Kind: KindTuple, Elem: items[0]}, p.want("]")
		}
		t, err := p.union()
		if err != nil {
			return nil, err
		}
		items = append(items, t)
		if done, err := p.listEnds(); done || err != nil {
			return TupleOf(items...), err
		}
	}
}

// literals reads values up to the closing bracket, at least one.
func (p *parser) literals() ([]Value, error) {
	var values []Value
	for {
		tok := p.next()
		switch {
		case tok.kind == textToken:
			values = append(values, tok.text)
		case tok.kind == numberToken && tok.whole:
			values = append(values, tok.number)
		case tok.kind == nameToken && (tok.text == "True" || tok.text == "False"):
			values = append(values, tok.text == "True")
		case tok.kind == nameToken && tok.text == "None":
			values = append(values, nil)
		default:
			return nil, p.fail(tok.at, "a Literal holds texts in quotes, whole numbers, True, False or None")
		}
		if done, err := p.listEnds(); done || err != nil {
			return values, err
		}
	}
}

// listEnds takes the comma behind an item, or the bracket that ends the list, before
// which a comma may stand.
func (p *parser) listEnds() (bool, error) {
	if !p.at("]") {
		if err := p.want(","); err != nil {
			return false, err
		}
		if !p.at("]") {
			return false, nil
		}
	}
	p.next()
	return true, nil
}

// at reports whether a mark comes next.
func (p *parser) at(mark string) bool { t := p.peek(); return t.kind == markToken && t.text == mark }

// peek returns the next token; behind the last one it is empty and at the end.
func (p *parser) peek() token {
	if len(p.tokens) == 0 {
		return token{at: p.end}
	}
	return p.tokens[0]
}

func (p *parser) next() token {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) want(mark string) error {
	t := p.next()
	if t.kind != markToken || t.text != mark {
		return p.fail(t.at, "want "+mark)
	}
	return nil
}
