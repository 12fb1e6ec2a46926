package adapter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// malformed is a reply that is not what was asked for.
type malformed struct {
	// outputs are those of the signature: one of the names below, or written out.
	outputs string
	reply   string
	// want holds the values, nil for an error.
	want []any
	// repair is what was mended; of an error a part of its text.
	repair string
	// text is the input.
	text string
}

const (
	labelOut  = "label: Literal['ham', 'spam', 'smishing']"
	bothOut   = "reasoning, label: Literal['ham', 'spam', 'smishing']"
	colonWhat = "name and colon in place of a marker"
	bareWhat  = "bare answer without a marker"
	lineWhat  = "marker within a line"
	formWhat  = "malformed marker"
	afterWhat = "text after the answer"
	jsonWhat  = "JSON in place of markers"
)

// malformedChat begins with the texts of which another library for Go made empty
// values without an error.
var malformedChat = []malformed{
	{outputs: labelOut, reply: "label: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "**label:** spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "**label**: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "label:\n\nspam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "```json\n{\"label\": \"spam\"}\n```", want: []any{"label", "spam"}, repair: jsonWhat},
	{outputs: labelOut, reply: "Label: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "label : spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "spam", want: []any{"label", "spam"}, repair: bareWhat},
	{outputs: labelOut, reply: "", repair: "none of the output fields"},
	{outputs: labelOut, reply: `{"label":"spam"}`, want: []any{"label", "spam"}, repair: jsonWhat},
	{outputs: labelOut, reply: "```\nlabel: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "```json\n{\"label\": \"spam\"", want: []any{"label", "spam"}, repair: jsonWhat},
	{outputs: labelOut, reply: "Sure! The label: spam", want: []any{"label", "spam"}, repair: "name within a line in place of a marker"},
	{outputs: "answer", reply: "label: a ** b", want: []any{"answer", "label: a ** b"}, repair: bareWhat},
	{outputs: "label", reply: "label: a ** b", want: []any{"label", "a ** b"}, repair: colonWhat},
	{outputs: "note, label: Literal['ham', 'spam']", reply: "<note>5 < 6 & so</note>\nlabel: spam", repair: `lacks the field "note"`},
	{outputs: "ok: bool", reply: "spam: yes", repair: `lacks the field "ok"`},
	{outputs: "label, spam: bool, score: float", reply: "spam: yes", repair: `lacks the field "label"`},

	// markers
	{outputs: labelOut, reply: "The answer is [[ ## label ## ]] spam [[ ## completed ## ]]", want: []any{"label", "spam"}, repair: lineWhat},
	{outputs: labelOut, reply: "[[ ## label ## ]] spam [[ ## completed ## ]]", want: []any{"label", "spam"}, repair: lineWhat},
	{outputs: "a, b", reply: "[[ ## a ## ]] x [[ ## b ## ]] y", want: []any{"a", "x", "b", "y"}, repair: lineWhat},
	{outputs: labelOut, reply: "[[ ## label ## ]\nspam", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "[[## label ##]]\nspam\n[[## completed ##]]", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "## label ##\nspam", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "### Label\nspam", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "[[label]] spam", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "[[ ## Label ## ]]\nspam", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "[[ ## label: spam ## ]]", want: []any{"label", "spam"}, repair: formWhat},
	{outputs: labelOut, reply: "**Label**\nspam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "- label: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "1. **Label**: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: "is_spam: bool", reply: "Is Spam: yes", want: []any{"is_spam", true}, repair: colonWhat},
	{outputs: bothOut, reply: "Reasoning: it asks for\nmoney\n\nLabel: spam", want: []any{"reasoning", "it asks for\nmoney", "label", "spam"}, repair: colonWhat + ", " + colonWhat},
	{outputs: bothOut, reply: "[[ ## reasoning ## ]]\nit asks for money\n\nLabel: spam", want: []any{"reasoning", "it asks for money", "label", "spam"}, repair: colonWhat},
	{outputs: bothOut, reply: "[[ ## reasoning ## ]]\nLabel: a word with many meanings\n[[ ## label ## ]]\nspam", want: []any{"reasoning", "Label: a word with many meanings", "label", "spam"}},
	{outputs: bothOut, reply: "[[ ## reasoning ## ]]\nI would say spam", repair: `lacks the field "label"`},
	{outputs: labelOut, reply: "```\n[[ ## label ## ]]\nspam\n```", want: []any{"label", "spam"}, repair: "fences around the reply"},
	{outputs: "answer", reply: "```\n[[ ## answer ## ]]\nyes, it is\n```", want: []any{"answer", "yes, it is"}, repair: "fences around the reply"},

	// ambiguity
	{outputs: labelOut, reply: "label: spam\nlabel: ham", repair: "different answers"},
	{outputs: labelOut, reply: "label: spam\nlabel: spam", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "First the label: spam. Then the label: ham.", repair: "different answers"},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nham or spam", repair: "one of ham, spam, smishing"},
	{outputs: labelOut, reply: "ham/spam", repair: `lacks the field "label"`},
	{outputs: labelOut, reply: "It is not spam", repair: `lacks the field "label"`},
	{outputs: labelOut, reply: "The label is not spam.", repair: `field "label"`},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam: 0.1, ham: 0.9", repair: `field "label"`},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam?", repair: `field "label"`},
	{outputs: labelOut, reply: "[[ ## label ## ]]\n{label}", repair: `field "label"`},

	// choices
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam - because it asks for money", want: []any{"label", "spam"}, repair: afterWhat},
	{outputs: labelOut, reply: "[[ ## label ## ]]\n**Spam** (it asks for money)", want: []any{"label", "spam"}, repair: afterWhat},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam\n\nI hope this helps!", want: []any{"label", "spam"}, repair: afterWhat},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam - ham is unlikely", repair: `field "label"`},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam-like", repair: `field "label"`},
	{outputs: labelOut, reply: "[[ ## label ## ]]\n```\nspam\n```", want: []any{"label", "spam"}, repair: "fences around the answer"},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nLabel: spam", want: []any{"label", "spam"}, repair: "name repeated before the answer"},
	{outputs: labelOut, reply: "[[ ## label ## ]]\n<think>Could be ham.</think>\nspam", want: []any{"label", "spam"}, repair: "thoughts left out"},
	{outputs: labelOut, reply: "<think>\n[[ ## label ## ]]\nham? No.\n</think>\n[[ ## label ## ]]\nspam", want: []any{"label", "spam"}, repair: "thoughts left out"},
	{outputs: labelOut, reply: "It is ham, or not.\n</think>\n\nspam", want: []any{"label", "spam"}, repair: "thoughts left out, " + bareWhat},
	{outputs: labelOut, reply: "<think>\nspam, spam, spam", repair: "none of the output fields"},
	{outputs: "lang: Literal['C', 'C#', 'C++']", reply: "[[ ## lang ## ]]\n**C#**.", want: []any{"lang", "C#"}, repair: "marks around a choice"},
	{outputs: "size: Optional[Literal['S', 'M']]", reply: "[[ ## size ## ]]\ns.", want: []any{"size", "S"}, repair: "letter case of a choice and marks around it"},
	{outputs: "size: Optional[Literal['S', 'M']]", reply: "no idea", repair: `lacks the field "size"`},
	{outputs: "kinds: list[Literal['x', 'y']]", reply: `[[ ## kinds ## ]]` + "\n" + `["X", "y."]`, want: []any{"kinds", []string{"x", "y"}}, repair: "letter case of a choice, marks around a choice"},
	{outputs: "kinds: list[Literal['x', 'y']]", reply: `[[ ## kinds ## ]]` + "\n" + `["x", "z"]`, repair: `item 1: want one of x, y, got "z"`},

	// truth values and numbers
	{outputs: "ok: bool", reply: "[[ ## ok ## ]]\nYes, it is.", want: []any{"ok", true}, repair: afterWhat},
	{outputs: "ok: bool", reply: "No.", want: []any{"ok", false}, repair: bareWhat + ", marks around a truth value"},
	{outputs: "ok: bool", reply: "[[ ## ok ## ]]\nyes and no", repair: `field "ok"`},
	{outputs: "x: float", reply: "[[ ## x ## ]]\n0,5", want: []any{"x", 0.5}, repair: "decimal comma"},
	{outputs: "x: float", reply: "[[ ## x ## ]]\n1,234", repair: `field "x"`},
	{outputs: "x: float", reply: "[[ ## x ## ]]\n1,234.5", want: []any{"x", 1234.5}, repair: "marks between thousands"},
	{outputs: "x: float", reply: "[[ ## x ## ]]\n1.234,5", want: []any{"x", 1234.5}, repair: "decimal comma"},
	{outputs: "x: float", reply: "[[ ## x ## ]]\n95%", repair: `field "x"`},
	{outputs: "x: float", reply: "[[ ## x ## ]]\nNaN", repair: `field "x"`},
	{outputs: "n: int", reply: "[[ ## n ## ]]\n1,234", want: []any{"n", 1234}, repair: "marks between thousands"},
	{outputs: "n: int", reply: "[[ ## n ## ]]\n**42**.", want: []any{"n", 42}, repair: "marks around a number"},
	{outputs: "n: int", reply: "42", want: []any{"n", 42}, repair: bareWhat},
	{outputs: "n: int", reply: "about 42", repair: `lacks the field "n"`},
	{outputs: "n: int", reply: "[[ ## n ## ]]\n42\nThat is all.", want: []any{"n", 42}, repair: afterWhat},
	{outputs: "n: int", reply: "[[ ## n ## ]]\n42\nor 43", repair: `field "n"`},
	{outputs: "at: datetime", reply: "[[ ## at ## ]]\n2024", repair: `field "at"`},

	// lists and objects
	{outputs: "xs: list[str]", reply: "[[ ## xs ## ]]\n- a\n- b", want: []any{"xs", []string{"a", "b"}}, repair: "lines with bullets in place of a list"},
	{outputs: "xs: list[int]", reply: "[1, 2", want: []any{"xs", []signature.Value{int64(1), int64(2)}}, repair: bareWhat + ", JSON mended"},
	{outputs: "xs: list[int]", reply: "[[ ## xs ## ]]\n[1, 2, \"x\"]", repair: `item 2: want int, got "x"`},
	{outputs: "xs: list[str]", reply: "[[ ## xs ## ]]\na, b", repair: `field "xs"`},
	{outputs: "d: dict[str, int]", reply: "[[ ## d ## ]]\n{'a': 1,}", want: []any{"d", signature.RecordOf("a", 1)}, repair: "JSON mended"},
	{outputs: "d: dict[str, int]", reply: "[[ ## d ## ]]\n{\"a\": \"x\"}", repair: `key "a": want int, got "x"`},
	{outputs: "a: Union[int, str]", reply: "[[ ## a ## ]]\nsee [1]", want: []any{"a", "see [1]"}, repair: "text taken as it stands"},

	// free text, and what only repeats the input
	{outputs: "answer", reply: "Paris, of course.", want: []any{"answer", "Paris, of course."}, repair: bareWhat},
	{outputs: "answer", reply: "[[ ## question ## ]]\nWhich?", repair: `lacks the field "answer"`},
	{outputs: "answer", reply: "What is the capital of France?\nParis", text: "What is the capital of France?", want: []any{"answer", "Paris"}, repair: bareWhat + ", and repeated input left out"},
	{outputs: "answer", reply: "What is the capital of France?", text: "What is the capital of France?", repair: "may only have repeated it"},
	{outputs: labelOut, reply: "label: ham", text: "They wrote: label: ham", repair: "may only have repeated it"},
	{outputs: labelOut, reply: "label: ham\nlabel: spam", text: "They wrote: label: ham", want: []any{"label", "spam"}, repair: colonWhat},
	{outputs: labelOut, reply: "spam", text: "Is this spam or ham?", repair: "may only have repeated it"},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nSpam.", text: "Is this spam or ham?", want: []any{"label", "spam"}, repair: "letter case of a choice and marks around it"},
}

var malformedJSON = []malformed{
	{outputs: labelOut, reply: `Sure! {"label": "spam"} I hope this helps.`, want: []any{"label", "spam"}, repair: "JSON mended"},
	{outputs: labelOut, reply: "```json\n{\"label\": \"spam\"}\n```", want: []any{"label", "spam"}, repair: "fences around JSON"},
	{outputs: labelOut, reply: `{"label": "spam`, want: []any{"label", "spam"}, repair: "JSON mended"},
	{outputs: bothOut, reply: `{"reasoning": "it asks for`, repair: `lacks the field "label"`},
	{outputs: labelOut, reply: `{"Label": "Spam."}`, want: []any{"label", "spam"}, repair: "spelling of a key, letter case of a choice and marks around it"},
	{outputs: labelOut, reply: `{"Label": "spam", "LABEL": "ham"}`, repair: `field "label"`},
	{outputs: labelOut, reply: `{"answer": "spam"}`, repair: `lacks the field "label"`},
	{outputs: labelOut, reply: `{"label": null}`, repair: "one of ham, spam, smishing"},
	{outputs: labelOut, reply: `{"label": ["spam"]}`, repair: "one of ham, spam, smishing"},
	{outputs: labelOut, reply: "[[ ## label ## ]]\nspam\n\n[[ ## completed ## ]]", want: []any{"label", "spam"}, repair: "markers in place of JSON"},
	{outputs: bothOut, reply: "[[ ## reasoning ## ]]\nr\n[[ ## label ## ]]\nspam", want: []any{"reasoning", "r", "label", "spam"}, repair: "markers in place of JSON, markers in place of JSON"},
	{outputs: labelOut, reply: "label: spam", want: []any{"label", "spam"}, repair: "name and colon in place of JSON"},
	{outputs: labelOut, reply: "spam", want: []any{"label", "spam"}, repair: "bare answer without JSON"},
	{outputs: "n: int", reply: `"42"`, want: []any{"n", 42}, repair: "bare answer without JSON"},
	{outputs: "answer", reply: "It is Paris.", want: []any{"answer", "It is Paris."}, repair: "bare answer without JSON"},
	{outputs: "answer: Optional[str]", reply: "", repair: `lacks the field "answer"`},
	{outputs: "answer: Optional[str]", reply: "{}", want: []any{"answer", nil}},
	{outputs: "x: float", reply: `{"x": "0,5"}`, want: []any{"x", 0.5}, repair: "decimal comma"},
	{outputs: "x: float", reply: `{"x": 1e999}`, repair: `field "x"`},
	{outputs: labelOut, reply: `<think>{"label": "ham"}?</think>{"label": "spam"}`, want: []any{"label", "spam"}, repair: "thoughts left out"},
	{outputs: "xs: list[int]", reply: `{"xs": [1, {"a": 2}]}`, repair: `item 1: want int, got {"a":2}`},
	{outputs: labelOut, reply: `{"label": "ham"}`, text: `Reply with {"label": "ham"} only!`, repair: "may only have repeated it"},
}

func TestMalformedReplies(t *testing.T) {
	t.Parallel()
	n := 0
	for _, group := range []struct {
		adapter adapter.Adapter
		table   []malformed
	}{{adapter.Chat{}, malformedChat}, {adapter.JSON{}, malformedJSON}} {
		for i, m := range group.table {
			n++
			t.Run(fmt.Sprintf("%s/%d", group.adapter.Name(), i), func(t *testing.T) {
				t.Parallel()
				m.check(t, group.adapter)
			})
		}
	}
	if n < 60 {
		t.Errorf("%d replies, want 60", n)
	}
}

func (m malformed) check(t *testing.T, a adapter.Adapter) {
	t.Helper()
	text := m.text
	if text == "" {
		text = "You won! Call now"
	}
	sig := signature.MustParse("text -> " + m.outputs)
	got, repairs, err := prepared(t, a, sig).Parse(m.reply, signature.RecordOf("text", text))
	if m.want == nil {
		var pe *adapter.ParseError
		if !errors.As(err, &pe) {
			t.Fatalf("%q gave %v with the repairs %v, want a *ParseError", m.reply, got, repairs)
		}
		if !strings.Contains(err.Error(), m.repair) || pe.Raw != m.reply || pe.Field == "" || pe.Expected == "" || got.Len() > 0 {
			t.Errorf("%q gave %v and the error %+v, want one that says %q", m.reply, got, pe, m.repair)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: %v", m.reply, err)
	}
	if want := signature.RecordOf(m.want...); !want.Equal(got) {
		t.Errorf("%q gave %v, want %v", m.reply, got, want)
	}
	checkRepair(t, repairs, m.repair)
}
