package main

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// borderTexts are texts at the border of what is a signature, right and wrong ones.
var borderTexts = []string{
	"question", "", "->", "a -> b -> c", "a => b", "question -> answer: strr", "question, -> answer", ", a -> b", "a,, b -> c",
	"a b -> c", "a -> a", "a, a -> b", "a -> b, b", "a: list[str -> b", "a -> b: list[]", "a -> b: dict[str]", "a -> b: dict[str, int, int]",
	"a -> b: Literal[]", "a -> b: Literal['x', 1, True, None]", "a -> b: Literal[-1]", "a -> b: Literal[x]", "a -> b: Literal[1.5]",
	"a -> b: Optional[int, str]", "a -> b: Optional[int]", "a -> b: Union[int]", "a -> b: int | None | str", "a -> b: None | int",
	"class -> b", "a -> None", "1a -> b", "_a -> b", "a -> __b", "a! -> b", "a -> b: 'int'", "a -> b: 3", "a: -> b", "a -> b:",
	"zażółć -> odpowiedź", "a->b", "  a  ->  b  ", "a\n-> b", "a -> b\t: int", "a -> b: tuple[int, ...]", "a -> b: tuple[...]", "a -> b: tuple[()]",
	"a -> b: typing.List[int]", "a -> b: List[int]", "a -> b: Dict[str, Any]", "a -> b: Any", "a -> b: object", "a -> b: bytes",
	"a -> b: list[list[list[int]]]", "a -> b: (int)", "a -> b: int,", "a -> b: list[int,]", "a -> b: Literal['it\\'s', \"x\"]",
	"a -> b: Literal['->']", "a: Literal['x -> y'] -> b", "a -> b: Literal['a' 'b']", "a -> b: Literal['\\x41']", "a -> b: Literal[r'\\n']",
	"a -> b: datetime", "a -> b: datetime.datetime", "a -> b: dspy.Image", "a: dspy.Image -> b", "a -> b: dspy.Nothing", "a -> b: dspy.Code['go']",
	"a -> b: dspy.Reasoning", "a: list[dspy.Tool] -> b: dspy.ToolCalls", "a: dspy.History, q -> b", "a -> b: Code", "a -> b: Image",
	"a -> b: str | int", "a -> b: 'a' | 'b'", "a -> b: int or str", "a -> b: list(int)", "a -> b: int = 3", "a = 1 -> b", "*a -> b", "a, *, b -> c", "a, /, b -> c",
	"a # note -> b", "a -> b # note", "a -> b: dict[list[int], int]", "a -> b: dict[Literal['x','y'], int]", "a -> b: dict[int, dict[str, bool]]",
	"a -> b: set[int]", "a -> b: frozenset[int]", "a -> b: NoneType", "a -> b: None", "a -> b: Literal[None]", "a -> b: Optional[None]",
	"True -> b", "match -> case", "self -> type", "str -> int", "a: str, b: int -> c: float, d: bool", "question -> answer: Literal[\"yes\", 'no']", "a -> b: int | str | None, c",
	"instructions -> b", "a -> signature", "a -> copy", "a -> json", "fields -> b", "async -> b", "a; b -> c", "a) -> (b", "a -> b: [int]", "a -> b: {int}",
}

// textSignature gives a case a signature in DSPy's form.
func (g *generator) textSignature(c *testCase) {
	names := g.Perm(len(fieldNames))
	side := func(n int, from []func(*generator) *signature.Type) string {
		var fields []string
		for range n {
			f := fieldNames[names[0]]
			names = names[1:]
			if !chance(g.Rand, 3) {
				f += pick(g.Rand, []string{":", ": ", " : "}) + g.typeText(pick(g.Rand, from)(g))
			}
			fields = append(fields, f)
		}
		return strings.Join(fields, pick(g.Rand, []string{", ", ",", " , "}))
	}
	text := side(1+g.IntN(2), families) + pick(g.Rand, []string{" -> ", "->"}) + side(1+g.IntN(3), families)
	c.text = &text
}

// typeText writes a type as one might in Python. A class has no name there, so
// something else stands for it.
func (g *generator) typeText(t *signature.Type) string {
	if t == nil {
		return "Any"
	}
	if t.Optional {
		plain := *t
		plain.Optional = false
		inner := g.typeText(&plain)
		return pick(g.Rand, []string{"Optional[" + inner + "]", inner + " | None", "Union[" + inner + ", None]"})
	}
	inside := func(types ...*signature.Type) string {
		var texts []string
		for _, t := range types {
			texts = append(texts, g.typeText(t))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	switch t.Kind {
	case signature.KindTime:
		return "datetime.datetime"
	case signature.KindObject:
		return "dict[str, int]"
	case signature.KindEnum, signature.KindLiteral:
		var texts []string
		for _, v := range t.Literals() {
			texts = append(texts, signature.PythonRepr(v))
		}
		return "Literal[" + strings.Join(texts, pick(g.Rand, []string{", ", ","})) + "]"
	case signature.KindList:
		if t.Elem == nil {
			return "list"
		}
		return pick(g.Rand, []string{"list", "List"}) + inside(t.Elem)
	case signature.KindSet:
		return "set" + inside(t.Elem)
	case signature.KindDict:
		if t.Key == nil {
			return "dict"
		}
		return pick(g.Rand, []string{"dict", "Dict"}) + inside(t.Key, t.Elem)
	case signature.KindTuple:
		if t.Items == nil {
			return fmt.Sprintf("tuple[%s, ...]", g.typeText(t.Elem))
		}
		return "tuple" + inside(t.Items...)
	case signature.KindUnion:
		if chance(g.Rand, 2) {
			return "Union" + inside(t.Items...)
		}
		var texts []string
		for _, item := range t.Items {
			texts = append(texts, g.typeText(item))
		}
		return strings.Join(texts, " | ")
	case signature.KindCode:
		if t.Name != "" {
			return fmt.Sprintf("dspy.Code[%q]", t.Name)
		}
		return "dspy.Code"
	case signature.KindReasoning:
		return "dspy.Reasoning"
	case signature.KindToolCalls:
		return "dspy.ToolCalls"
	}
	return t.String()
}
