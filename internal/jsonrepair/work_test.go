package jsonrepair

import (
	"strings"
	"testing"
)

// Work is counted in runes looked at, as time would depend on the machine.

const hostileSize = 100_000

func fill(s string) string { return strings.Repeat(s, hostileSize/len(s)) }

// TestWork: texts in which everything could be looked for again and again, to the
// end, cost a few looks at each rune all the same.
func TestWork(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"closed parentheses": fill("(a)\n"),
		"quotes":             fill(`"`),
		"apostrophes":        fill("'"),
		"curly quotes":       fill("“"),
		"low quotes":         `{"a":"` + fill("„"),
		"backslashes":        fill(`\`),
		"backslashes in":     `{"a":"` + fill(`\`),
		"backslash pairs":    `{"a":"` + fill(`\\x`),
		"spaces":             `{"a":"x,` + fill(" "),
		"newlines":           fill("\n"),
		"commas in value":    `{"a":"` + fill("x,"),
		"commas, far quote":  `{"a":"` + fill("x, ") + `"` + fill(" "),
		"commas, colons":     `{"a":"` + fill("x, y: ") + `"}`,
		"quotes in value":    `{"a":"` + fill(`x"y `) + `"}`,
		"quotes in item":     `["` + fill(`x"y `) + `"]`,
		"quotes in key":      `{"` + fill(`x"y `) + `"}`,
		"quotes, bare":       `{"a": ` + fill(`x"y `) + `"}`,
		"quotes in class":    `{"a":"[` + fill(`x"`) + `"}`,
		"braces in value":    `{"a":"` + fill("}x") + `"}`,
		"containers in":      `{"a":"x,` + fill("[(") + `"}`,
		"containers, closed": `{"a":"x` + fill(",[1]") + `"}`,
		"fences in value":    `{"a":"` + fill("}```"),
		"fences":             fill("```json\n"),
		"block comments":     fill("/*"),
		"line comments":      "[" + fill("//\n"),
		"hashes":             "[" + fill("#:\n"),
		"escaped objects":    "[" + fill(`{\"a\":1},`),
		"repeated keys":      "[{" + fill("a:1 "),
		"items or members":   `{"a":[` + fill(`"b":1 `),
		"objects, in order":  fill(`{"a":1}`),
		"objects, as list":   fill(`{"a":1},`),
		"numbers":            "{" + fill("1,1"),
		"minus":              "[" + fill("-"),
		"colons":             "{" + fill(":"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runes := []rune(text)
			p := newParser(runes)
			p.all()
			if p.exhausted() || p.looks > 20*len(runes) {
				t.Errorf("%d looks at %d runes, gave up: %v", p.looks, len(runes), p.exhausted())
			}
		})
	}
}

// TestGivesUp: texts that would cost too much, or nest too deeply, are given up
// soon after the limit.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"braces":             fill("{"),
		"brackets":           fill("["),
		"parentheses":        fill("("),
		"parentheses, lines": fill("(\n"),
		"open keys":          fill("{a:"),
		"open keys in value": `{"a":"` + fill("{b: "),
		"fences, quoted":     "[" + fill("\"```json```"),
		"sets":               fill("{1,2},"),
		"open sets":          "[" + fill("{{},"),
		"rows":               `{"a":[[1],[2]]` + fill(" [3]"),
		"list parts":         `{"a":[1]` + fill(" [3]"),
		"more members":       `{"a":1}` + fill(`,"b":2}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runes := []rune(text)
			p := newParser(runes)
			p.all()
			if over := p.looks - p.limit; over <= 0 || over > 10*len(runes) {
				t.Errorf("%d looks at %d runes where the limit is %d", p.looks, len(runes), p.limit)
			}
		})
	}
}
