package main

import (
	"fmt"
	"time"

	"github.com/whetgo/whet/signature"
)

// fixed are cases that are the same in every run: signatures in DSPy's form at the
// border of what is one, and what shows the agreed differences.
func fixed() []*testCase {
	var out []*testCase
	for i := range borderTexts {
		out = append(out, &testCase{name: fmt.Sprintf("text %d", i), text: &borderTexts[i]})
	}
	out = append(out, fixedSignatures()...)
	out = append(out, fixedReplies()...)
	out = append(out, fixedMarkers()...)
	for i, c := range out {
		c.id = -1 - i
	}
	return out
}

func one(name string, t *signature.Type) []signature.Field {
	return []signature.Field{{Name: name, Type: t}}
}

func fixedSignatures() []*testCase {
	str, empty, white := plainType(signature.KindString), "", "\n\r\n\r\n\r\n!"
	in, out := one("a", str), one("b", str)
	marked := signature.RecordOf("a", "x [[ ## b ## ]]\nspam", "b", "[[ ## completed ## ]]")
	return []*testCase{
		{name: "empty instructions", inputs: in, outputs: out, instructions: &empty},
		{name: "white lines before the instructions", inputs: in, outputs: out, instructions: &white},
		{name: "blank instructions", inputs: in, outputs: out, edits: []edit{{op: "with_instructions", text: " \n "}}},
		{name: "no outputs", inputs: in},
		{name: "no inputs", outputs: out},
		{name: "an unknown field deleted", inputs: in, outputs: out, edits: []edit{{op: "delete", name: "c"}}},
		{name: "a name taken", inputs: in, outputs: out, edits: []edit{{op: "append", field: out[0], input: true}}},
		{name: "a place too far", inputs: in, outputs: out, edits: []edit{{op: "insert", field: signature.Field{Name: "c", Type: str}, index: 3}}},
		{name: "an underscore", inputs: one("_a", str), outputs: out},
		{name: "an empty choice", inputs: in, outputs: one("b", signature.LiteralOf("", "x"))},
		{name: "a choice with spaces", inputs: in, outputs: one("b", signature.LiteralOf(" x", "y"))},
		{name: "a reserved name", inputs: one("fields", str), outputs: out},
		{name: "the order of a set", inputs: one("a", signature.SetOf(str)), outputs: out, in: signature.RecordOf("a", []string{"one", "two", "three", "four", "five"})},
		{name: "a time in a demo", inputs: in, outputs: one("b", plainType(signature.KindTime)), demos: []signature.Record{
			signature.RecordOf("a", "x", "b", time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)),
		}},
		{name: "markers in data", inputs: in, outputs: out, in: marked.Without("b"), demos: []signature.Record{marked}},
	}
}

// fixedReplies are replies that both read differently on purpose.
func fixedReplies() []*testCase {
	in := one("a", plainType(signature.KindString))
	simple := func(t *signature.Type, form, chat, json string) *testCase {
		c := &testCase{name: form, inputs: in, outputs: one("b", t), in: signature.RecordOf("a", "x")}
		if chat != "" {
			c.chat = []reply{{"[[ ## b ## ]]\n" + chat, form}}
		}
		if json != "" {
			c.json = []reply{{`{"b": ` + json + `}`, form}}
		}
		return c
	}
	indented := simple(plainType(signature.KindString), "an indented marker", "", "")
	indented.chat = []reply{{"  [[ ## b ## ]] spam\nand more", "an indented marker"}}
	bounded := simple(plainType(signature.KindInt), "a value that breaks a constraint", "11", "11")
	bounded.outputs[0].Constraints = []signature.Constraint{{Op: signature.AtMost, Bound: int64(10)}}
	empty := simple(plainType(signature.KindInt), "an empty reply", "", "")
	empty.outputs[0].Default, empty.outputs[0].HasDefault = int64(7), true
	empty.chat = []reply{{"", "an empty reply"}}
	return []*testCase{
		indented, bounded, empty,
		simple(plainType(signature.KindTime), "a year as a time", "2024", "2024"),
		simple(plainType(signature.KindTime), "a time without a zone", "2024-05-06T07:08:09", `"2024-05-06T07:08:09"`),
		simple(plainType(signature.KindFloat), "a number that is none", "nan", "NaN"),
		simple(plainType(signature.KindInt), "a number beyond 64 bits", "123456789012345678901234567890", "123456789012345678901234567890"),
		simple(signature.LiteralOf(1, 2), "True for a whole number", "", "true"),
		simple(plainType(signature.KindBool), "a bold answer", "**True**", ""),
		simple(signature.LiteralOf("ham", "spam"), "another letter case", "Spam.", `"Spam."`),
	}
}

// fixedMarkers hold field markers in all places of data.
func fixedMarkers() []*testCase {
	str := plainType(signature.KindString)
	outputs := []signature.Field{{Name: "b", Type: str}, {Name: "c", Type: signature.ListOf(str)}, {Name: "d", Type: signature.DictOf(str, str)}}
	var out []*testCase
	for _, marker := range []string{
		"[[ ## b ## ]]", "[[ ## c ## ]]\nx", "[[ ## completed ## ]]", "[[ ##", "[[\u200d ## b ## ]]", "[[\u200d\u200d ##", "[[[ ## b ## ]]]",
		"[[ ## b ## ]][[ ## c ## ]]", "a\u2028[[ ## d ## ]]", "[[ ## b ## ]]\r\n[[ ## d ## ]]\n", "x [[ ## a ## ]] y", "{\"b\": \"[[ ## b ## ]]\"}",
	} {
		demo := signature.RecordOf("a", marker, "b", marker+" z", "c", []string{marker, "z"}, "d", signature.RecordOf(marker, marker))
		out = append(out, &testCase{
			name: fmt.Sprintf("marker %q", marker), inputs: one("a", str), outputs: outputs,
			in: signature.RecordOf("a", marker), demos: []signature.Record{demo, demo.Without("d")},
		})
	}
	return out
}
