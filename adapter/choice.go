package adapter

import (
	"slices"
	"strings"

	"github.com/whetgo/whet/signature"
)

// readChoice finds the choice that a text means: itself, without the spaces,
// quotes or type name around it as in DSPy, and then without regard to letter
// case, Markdown and a mark at its end.
func readChoice(choices []string, text string) (signature.Value, string, error) {
	if slices.Contains(choices, text) {
		return text, "", nil
	}
	s := strip(text)
	for _, wrapper := range []string{"Literal[", "str["} {
		if inner, ok := strings.CutPrefix(s, wrapper); ok && strings.HasSuffix(inner, "]") {
			s = inner[:len(inner)-1]
			break
		}
	}
	if s = unquote(s); slices.Contains(choices, s) {
		return s, "", nil
	}
	if c := foldChoice(choices, s); c != "" {
		return c, "letter case of a choice", nil
	}
	bare := unmark(s)
	if slices.Contains(choices, bare) {
		return bare, "marks around a choice", nil
	}
	if c := foldChoice(choices, bare); c != "" {
		return c, "letter case of a choice and marks around it", nil
	}
	return nil, "", errValue
}

// foldChoice returns the one choice that differs from s in letter case only, ""
// when there is none or more than one.
func foldChoice(choices []string, s string) string {
	match := ""
	for _, c := range choices {
		if strings.EqualFold(c, s) {
			if match != "" {
				return ""
			}
			match = c
		}
	}
	return match
}

// unmark drops what models like to put around a short answer: Markdown's stars,
// quotes, and a full stop or the like behind it.
func unmark(s string) string { return strings.Trim(s, "*_`\"'“”‘’ \t\r\n.,;:!") }

// unquote drops one pair of equal quotes.
func unquote(s string) string {
	s = strip(s)
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
