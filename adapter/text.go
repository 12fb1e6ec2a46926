package adapter

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/whetgo/whet/signature"
)

// formatValue writes a value as text only: see content.value.
func formatValue(t *signature.Type, v signature.Value) (string, error) {
	c := content{keep: true, textOnly: true}
	err := c.value(t, v)
	return c.text.String(), err
}

// isSpace reports what Python's strip drops: what Unicode calls white space and
// four separators that it does not.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// strip drops the white space at both ends as Python's strip does, stripRight that
// at the end.
func strip(s string) string      { return strings.TrimFunc(s, isSpace) }
func stripRight(s string) string { return strings.TrimRightFunc(s, isSpace) }

// numbered writes a list that was given to a text field.
func numbered(items []signature.Value) (string, error) {
	if len(items) == 0 {
		return "N/A", nil
	}
	lines := make([]string, len(items))
	for i, item := range items {
		s, err := formatValue(nil, item)
		if err != nil {
			return "", err
		}
		lines[i] = blob(s)
		if len(items) > 1 {
			lines[i] = fmt.Sprintf("[%d] %s", i+1, lines[i])
		}
	}
	return strings.Join(lines, "\n"), nil
}

// blob quotes a text in guillemets; one that holds a line end or a guillemet gets
// three of them and an indented block.
func blob(s string) string {
	if !strings.ContainsAny(s, "\n«»") {
		return "«" + s + "»"
	}
	return "«««\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n»»»"
}

// dedent takes off the white space that all lines begin with, and empties lines of
// blanks and tabs, as Python's textwrap.dedent does.
func dedent(s string) string {
	lines := strings.Split(s, "\n")
	margin, some := "", false
	for i, line := range lines {
		rest := strings.TrimLeft(line, " \t")
		indent := line[:len(line)-len(rest)]
		switch {
		case rest == "":
			lines[i] = ""
		case !some:
			margin, some = indent, true
		default:
			n := 0
			for n < len(margin) && n < len(indent) && margin[n] == indent[n] {
				n++
			}
			margin = margin[:n]
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n")
}
