package main

import (
	"slices"
	"strings"

	"github.com/whetgo/whet/signature"
)

// agreement is a difference that is meant, with the row of docs/dspy-differences.md
// that says why.
type agreement struct {
	// what is the first column of the row.
	what string
	// explains says whether a difference is of this kind.
	explains func(difference) bool
}

// agreements are all differences that are meant. The first that explains a
// difference counts.
var agreements = []agreement{
	{"Field markers in data", func(d difference) bool {
		return strings.HasSuffix(d.where, "by default") && d.whet != d.dspy && unhide(d.whet) == d.dspy
	}},
	{"What small models really write", func(d difference) bool {
		return strings.HasSuffix(d.where, "by default") && d.repaired && strings.HasPrefix(d.dspy, "error: AdapterParseError")
	}},
	{"Dicts in the response format", func(d difference) bool {
		return d.where == "response formats" && d.whet == `{"type": "json_object"}` && holdsDict(d.sig)
	}},
	{"DSPy's own types in the response format", func(d difference) bool {
		return d.where == "response formats" && plainSchema(d.dspy) == plainSchema(d.whet)
	}},
	{"A reply without any of the outputs", func(d difference) bool {
		return strings.HasSuffix(d.where, "by default") && refuses(d.whet, "error: ") && strings.Contains(d.whet, "none of the output fields was found")
	}},
	{"Indented field markers", ofForm("an indented marker")},
	{"Constraints", func(d difference) bool {
		return !refuses(d.dspy, "error: ") && slices.ContainsFunc(d.field.Constraints, func(c signature.Constraint) bool {
			return refuses(d.whet, "error: ") && (c.Op == signature.Pattern && strings.Contains(d.whet, "want a text that matches") || c.String() != "" && strings.Contains(d.whet, "want "+c.String()))
		})
	}},
	{"Times in the demos of DSPy's files", func(d difference) bool {
		return d.where == "states of DSPy" && d.whet == strings.ReplaceAll(d.dspy, "+00:00", "Z")
	}},
	{"White space before instructions in a file", func(d difference) bool {
		bare := strings.NewReplacer(`\r`, "", `\n`, "")
		return d.where == "states of DSPy" && d.whet != d.dspy && bare.Replace(d.whet) == bare.Replace(d.dspy)
	}},
	{"The order of a set", func(d difference) bool { return d.c.name == "the order of a set" && sameLetters(d.whet, d.dspy) }},
	{"Line separators within JSON", func(d difference) bool {
		return strings.HasSuffix(d.where, "by default") && !refuses(d.whet, "error: ") && strings.ContainsAny(d.reply.text, "\u0085\u2028\u2029")
	}},
	{"Small numbers as times", func(d difference) bool {
		return strings.HasSuffix(d.where, "by default") && strings.Contains(d.whet, "want datetime, got ") && strings.Contains(d.dspy, `{"$time": "19`)
	}},
	{"Times without a zone", func(d difference) bool {
		return strings.Contains(d.dspy, `"naive": true}`) && !refuses(d.whet, "error: ")
	}},
	{"Numbers that JSON does not have", func(d difference) bool { return strings.Contains(d.dspy, `{"$float": "`) && refuses(d.whet, "error: ") }},
	{"True among whole numbers", func(d difference) bool {
		return d.field.Type != nil && d.field.Type.Kind == signature.KindLiteral && d.dspy == "true" && d.whet == "1"
	}},
	{"Whole numbers beyond 64 bits", func(d difference) bool { return strings.Contains(d.dspy, `{"$int": "`) }},
	{"Instructions of white space", named("blank instructions")},
	{"Signatures without outputs", named("no outputs")},
	{"Deleting a field that is not there", func(d difference) bool {
		return d.where == "signature" && strings.HasSuffix(d.whet, "has no such field") && !refuses(d.dspy, "error: ")
	}},
	{"Adding a field whose name is taken", named("a name taken")},
	{"Choices that are empty or have spaces around them", named("an empty choice", "a choice with spaces")},
	{"Field names that pydantic does not allow", func(d difference) bool {
		return d.where == "signature" && refuses(d.dspy, "error: TypeError: 'NoneType' object is not subscriptable", "error: PydanticUserError: Fields must not use names with leading underscores")
	}},
	{"Names of types in a string signature", func(d difference) bool {
		return d.where == "signature" && d.c.text != nil && refuses(d.dspy, "error: ValueError: Unknown name", "error: ValueError: Field types must be types")
	}},
	{"Parameter lists in a string signature", ofText("a -> b: int = 3", "a = 1 -> b", "*a -> b", "a, *, b -> c", "a, /, b -> c")},
	{"Types that no prompt needs", ofText("a -> b: bytes", "a -> b: frozenset[int]", "a -> b: tuple[()]", "a -> b: Literal[1.5]",
		"a -> b: Literal[r'\\n']", "a -> b: dict[str, int, int]", "a -> b: dict[list[int], int]")},
	{"`dspy.Code[\"go\"]` in a string signature", func(d difference) bool {
		return d.where == "signature" && d.c.text != nil && strings.Contains(d.dspy, "|Code_('") && !strings.Contains(d.whet, "error: ")
	}},
}

func ofForm(form string) func(difference) bool {
	return func(d difference) bool { return d.reply.form == form }
}

// named explains what becomes of the signature of some of the fixed cases.
func named(names ...string) func(difference) bool {
	return func(d difference) bool { return d.where == "signature" && slices.Contains(names, d.c.name) }
}

// ofText explains that whet refuses some texts.
func ofText(texts ...string) func(difference) bool {
	return func(d difference) bool {
		return d.where == "signature" && d.c.text != nil && slices.Contains(texts, *d.c.text) && refuses(d.whet, "error: signature: ")
	}
}

func refuses(side string, errors ...string) bool {
	return slices.ContainsFunc(errors, func(e string) bool { return strings.HasPrefix(side, e) })
}

// sameLetters reports whether two texts are made of the same characters.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return string(x) == string(y)
}
