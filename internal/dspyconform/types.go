package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/whetgo/whet/signature"
)

// generator makes the parts of one case from its seed.
type generator struct {
	*rand.Rand
	classes int // counts the classes, to name them
}

func plainType(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }

var scalars = []signature.Kind{
	signature.KindString, signature.KindInt, signature.KindFloat, signature.KindBool, signature.KindTime,
}

// families make the types of outputs, in turn, so that every kind is seen.
var families = []func(g *generator) *signature.Type{
	func(*generator) *signature.Type { return plainType(signature.KindString) },
	func(*generator) *signature.Type { return plainType(signature.KindInt) },
	func(*generator) *signature.Type { return plainType(signature.KindFloat) },
	func(*generator) *signature.Type { return plainType(signature.KindBool) },
	func(*generator) *signature.Type { return plainType(signature.KindTime) },
	func(g *generator) *signature.Type { return signature.ListOf(g.inner(1)) },
	func(g *generator) *signature.Type { return g.literal() },
	func(g *generator) *signature.Type { return g.model(1) },
	func(g *generator) *signature.Type { return signature.OptionalOf(g.inner(1)) },
	func(g *generator) *signature.Type { return g.enum() },
	func(g *generator) *signature.Type { return g.dict(1) },
	func(g *generator) *signature.Type { return g.tuple(1) },
	func(g *generator) *signature.Type { return g.union(1) },
	func(g *generator) *signature.Type { return signature.SetOf(plainType(pick(g.Rand, scalars[:2]))) },
	func(g *generator) *signature.Type { return signature.ListOf(g.model(0)) },
	func(*generator) *signature.Type { return plainType(signature.KindAny) },
	func(g *generator) *signature.Type { return g.code() },
	func(*generator) *signature.Type { return plainType(signature.KindReasoning) },
	func(*generator) *signature.Type { return plainType(signature.KindToolCalls) },
	func(g *generator) *signature.Type { return g.mixedLiteral() },
	func(*generator) *signature.Type { return signature.OptionalOf(plainType(signature.KindString)) },
	func(*generator) *signature.Type { return signature.ListOf(nil) },
	func(*generator) *signature.Type { return signature.DictOf(nil, nil) },
}

// inner is a type that stands inside another one.
func (g *generator) inner(depth int) *signature.Type {
	if depth <= 0 || chance(g.Rand, 2) {
		return plainType(pick(g.Rand, scalars))
	}
	switch g.IntN(8) {
	case 0:
		return signature.ListOf(g.inner(depth - 1))
	case 1:
		return g.dict(depth - 1)
	case 2:
		return g.tuple(depth - 1)
	case 3:
		return g.literal()
	case 4:
		return g.enum()
	case 5:
		return plainType(signature.KindAny)
	default:
		return g.model(depth - 1)
	}
}

func (g *generator) literal() *signature.Type {
	if chance(g.Rand, 4) {
		return g.mixedLiteral()
	}
	return signature.LiteralOf(pick(g.Rand, [][]signature.Value{
		{"ham", "spam", "smishing"},
		{"yes", "no"},
		{"a"},
		{"it's", "plain"},
		{`say "hi"`, "x"},
		{`both ' and "`, "'", `"`},
		{"two words", "Two Words"},
		{"1", "2", "3"},
		{"True", "None"},
		{"żółć", "😀"},
		{"[x]", "{y}"},
		{`back\slash`, "a,b"},
	})...)
}

func (g *generator) mixedLiteral() *signature.Type {
	return signature.LiteralOf(pick(g.Rand, [][]signature.Value{
		{int64(1), int64(2), int64(3)}, {"a", int64(1)}, {true, "maybe"}, {int64(-5), "x", nil}, {false, int64(7)},
	})...)
}

func (g *generator) name(kind string) string {
	g.classes++
	return fmt.Sprintf("%s%d", kind, g.classes)
}

func (g *generator) enum() *signature.Type {
	choices := pick(g.Rand, [][]string{{"red", "green", "blue"}, {"low", "very high"}, {"a'b", `c"d`}, {"X"}, {"1", "2"}})
	t := &signature.Type{Kind: signature.KindEnum, Name: g.name("Color"), Choices: choices}
	for i := range choices {
		t.Members = append(t.Members, []string{"FIRST", "SECOND", "third"}[i])
	}
	return t
}

func (g *generator) dict(depth int) *signature.Type {
	key := plainType(signature.KindString)
	if chance(g.Rand, 3) {
		key = plainType(signature.KindInt)
	}
	if chance(g.Rand, 3) {
		return signature.DictOf(key, plainType(signature.KindAny))
	}
	return signature.DictOf(key, g.inner(depth))
}

func (g *generator) tuple(depth int) *signature.Type {
	if chance(g.Rand, 3) {
		return &signature.Type{Kind: signature.KindTuple, Elem: g.inner(depth)}
	}
	items := make([]*signature.Type, 1+g.IntN(3))
	for i := range items {
		items[i] = g.inner(depth)
	}
	return signature.TupleOf(items...)
}

// union has members that no value could be of two of.
func (g *generator) union(depth int) *signature.Type {
	members := pick(g.Rand, [][]*signature.Type{
		{plainType(signature.KindInt), plainType(signature.KindString)},
		{plainType(signature.KindBool), plainType(signature.KindFloat)},
		{plainType(signature.KindInt), signature.ListOf(plainType(signature.KindInt))},
		{plainType(signature.KindString), g.model(depth - 1)},
		{g.model(depth - 1), plainType(signature.KindInt), plainType(signature.KindNone)},
		{plainType(signature.KindInt), plainType(signature.KindString), plainType(signature.KindNone)},
		{signature.ListOf(plainType(signature.KindString)), signature.DictOf(plainType(signature.KindString), plainType(signature.KindInt))},
	})
	return signature.UnionOf(members...)
}

func (g *generator) code() *signature.Type {
	return &signature.Type{Kind: signature.KindCode, Name: pick(g.Rand, []string{"", "go", "Python", "c"})}
}

// model is a pydantic model.
func (g *generator) model(depth int) *signature.Type {
	t := signature.ObjectOf(g.name("Model"))
	if chance(g.Rand, 3) {
		t.Desc = pick(g.Rand, []string{"A person.", "What was found.\n\nIn two lines, with \"quotes\"."})
	}
	names := []string{"name", "age", "is_ok", "next_query", "camelCase", "items2"}
	for i := range 1 + g.IntN(3) {
		f := signature.Field{Name: names[(i*2+g.IntN(2))%len(names)], Type: g.inner(depth)}
		if typeOfField(t.Fields, f.Name) != nil {
			continue
		}
		if chance(g.Rand, 4) {
			f.Desc = text(g.Rand)
		}
		g.constrain(&f)
		switch g.IntN(5) {
		case 0:
			f.Type = signature.OptionalOf(f.Type)
			f.HasDefault = true
		case 1:
			f.Default, f.HasDefault = g.value(f), true
		}
		t.Fields = append(t.Fields, f)
	}
	return t
}

// constrain gives a field constraints now and then, such as value can meet.
func (g *generator) constrain(f *signature.Field) {
	if !chance(g.Rand, 4) {
		return
	}
	whole := func(op signature.ConstraintOp, n int64) signature.Constraint {
		return signature.Constraint{Op: op, Bound: n}
	}
	switch f.Type.Kind {
	case signature.KindInt:
		f.Constraints = pick(g.Rand, [][]signature.Constraint{
			{whole(signature.AtLeast, 0), whole(signature.AtMost, 10)},
			{whole(signature.MoreThan, -1)},
			{whole(signature.LessThan, 11)},
			{whole(signature.MultipleOf, 5)},
			{whole(signature.AtMost, 10), whole(signature.AtLeast, 0)},
		})
	case signature.KindFloat:
		f.Constraints = []signature.Constraint{{Op: signature.MoreThan, Bound: 0.0}, {Op: signature.AtMost, Bound: 1.5}}
	case signature.KindString:
		f.Constraints = pick(g.Rand, [][]signature.Constraint{
			{whole(signature.MinLength, 2), whole(signature.MaxLength, 8)},
			{{Op: signature.Pattern, Bound: "^[a-z]+$"}},
			{{Op: signature.Pattern, Bound: "^[a-z]"}, whole(signature.MinLength, 1)},
		})
	case signature.KindList:
		f.Constraints = []signature.Constraint{whole(signature.MinLength, 1), whole(signature.MaxLength, 3)}
	}
}
