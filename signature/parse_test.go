package signature

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	person := ObjectOf("Person", Field{Name: "name", Type: &Type{Kind: KindString}})
	for text, want := range map[string]string{
		"question -> answer": "question: str -> answer: str",
		"a, b: list[str] -> c: Literal['x', \"y\"], d: float": "a: str, b: list[str] -> c: Literal['x', 'y'], d: float",
		"-> a":                " -> a: str",
		"a ->":                "a: str -> ",
		" a , b, -> c , ":     "a: str, b: str -> c: str",
		"a: int, a: str -> b": "a: str -> b: str",
		"a -> b: Optional[int], c: int | None, d: None | int, e: Union[int, None], f: Union[None, int]": "a: str -> b: Union[int, NoneType], c: Union[int, NoneType], d: Union[NoneType, int], e: Union[int, NoneType], f: Union[NoneType, int]",
		"a -> b: int | str | None":                              "a: str -> b: Union[int, str, NoneType]",
		"a -> b: Union[int, int]":                               "a: str -> b: int",
		"a -> b: tuple[int, str], c: tuple[int, ...], d: tuple": "a: str -> b: tuple[int, str], c: tuple[int, Ellipsis], d: tuple",
		"a -> b: dict[str, list[int]], c: dict, d: set[str]":    "a: str -> b: dict[str, list[int]], c: dict, d: set[str]",
		"a: dspy.Image, h: dspy.History, c: dspy.Code['java'] -> b: dspy.ToolCalls, r: dspy.Reasoning": "a: Image, h: History, c: Code_java -> b: ToolCalls, r: str",
		"a -> b: Literal[1, True, None, 'x'], c: Any, d: typing.List[Person]":                          "a: str -> b: Literal[1, True, None, 'x'], c: Any, d: list[Person]",
		`a -> b: Literal["it's", 'say "hi"', 'both \' and "']`:                                         `a: str -> b: Literal["it's", 'say "hi"', 'both \' and "']`,
		"a -> b: Literal['a',], c: tuple[int,], d: list[int,]":                                         "a: str -> b: Literal['a'], c: tuple[int], d: list[int]",
		`a -> b: Literal['\101\x42\a']`:                                                                "a: str -> b: Literal['AB\a']",
		"größe -> été: datetime.datetime":                                                              "größe: str -> été: datetime",
	} {
		s, err := Parse(text, NamedType("Person", person))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var b strings.Builder
		for i, fields := range [][]Field{s.Inputs(), s.Outputs()} {
			if i == 1 {
				b.WriteString(" -> ")
			}
			for j, f := range fields {
				if j > 0 {
					b.WriteString(", ")
				}
				b.WriteString(f.Name + ": " + f.Type.String())
			}
		}
		if b.String() != want {
			t.Errorf("%q is\n%s, want\n%s", text, b.String(), want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "exactly one ->",
		"a -> b -> c":             "exactly one ->",
		"a: -> b":                 "want a type",
		"a ':' int -> b":          "want ,",
		"a -> b: list[int ']'":    "want ,",
		"a -> b: Gone":            "the type Gone is not known",
		"a b -> c":                "want ,",
		"a -> b: list[":           "want a type",
		"a -> b: list[int":        "want ,",
		"a -> b: wat":             "the type wat is not known",
		"a -> b: wat[int]":        "takes no types",
		"a -> b: list[int, str]":  "takes 1 types, got 2",
		"a -> b: dict[str]":       "takes 2 types, got 1",
		"a -> b: dict[list, str]": "keys of a dict",
		"a -> b: Literal[x]":      "a Literal holds",
		"a -> b: Literal['x":      "does not end",
		"class -> b":              "a word of Python",
		"_a -> b":                 "underscore",
		"1a -> b":                 "want the name of a field",
		"a; b -> c":               "has no place",
		"a -> b: tuple[..., int]": "stands behind one type",
		"a -> b: dspy.Code[java]": "language in quotes",
		"a, b -> c: " + strings.Repeat("list[", 300) + "int": "nested deeper",
	} {
		_, err := Parse(text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want a *SyntaxError with %q", text, err, want)
		}
	}
	var clash *Error
	if _, err := Parse("a -> a"); !errors.As(err, &clash) || clash.Field != "a" {
		t.Errorf("a -> a: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a -> b", "a: list[str], b: Literal['x', 1] -> c: Optional[int] | str", "a: dict[str, tuple[int, ...]] -> b: dspy.Code['go']", "->", "a: '"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			var syntax *SyntaxError
			var clash *Error
			if !errors.As(err, &syntax) && !errors.As(err, &clash) {
				t.Errorf("%q: a %T", text, err)
			}
			return
		}
		// What a signature is written as is a signature again, the same one.
		again, err := Parse(written(s))
		if err != nil {
			t.Fatalf("%q is written as %q: %v", text, written(s), err)
		}
		if written(again) != written(s) {
			t.Errorf("%q is written as %q and then as %q", text, written(s), written(again))
		}
		for _, field := range s.Fields() {
			field.Type.Schema()
		}
	})
}

// written writes a signature with its types.
func written(s *Signature) string {
	side := func(fields []Field) string {
		parts := make([]string, len(fields))
		for i, f := range fields {
			// Names that the model sees, and not those of a signature's text.
			name := strings.NewReplacer("Ellipsis", "...", "Code_", "Code").Replace(f.Type.String())
			if f.Type.Kind == KindCode && f.Type.Name != "" || strings.Contains(name, "Literal") {
				name = "str" // their quotes are for the model
			}
			parts[i] = f.Name + ": " + name
		}
		return strings.Join(parts, ", ")
	}
	return side(s.Inputs()) + " -> " + side(s.Outputs())
}
