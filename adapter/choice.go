package adapter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// alternative is a way to write a value of a closed type.
type alternative struct {
	text  string
	value signature.Value
}

// alternatives are the ways to write the values of an enum or a literal: the value
// and, of an enum class, the member's name.
func alternatives(t *signature.Type) []alternative {
	var out []alternative
	for i, v := range t.Literals() {
		if v != nil {
			out = append(out, alternative{pythonText(v), v})
		}
		if i < len(t.Members) {
			out = append(out, alternative{t.Members[i], v})
		}
	}
	return out
}

// The capitals are how prompts ask for them.
var truthValues = []alternative{
	{"True", true}, {"False", false}, {"true", true}, {"false", false}, {"Yes", true}, {"No", false}, {"yes", true}, {"no", false},
}

// lenientChoice finds the choice that a text means: without regard to letter case,
// to marks around it and to an explanation behind it.
func lenientChoice(t *signature.Type, s string) (signature.Value, string, error) {
	a, what, err := choose(alternatives(t), s, "a choice")
	return a.value, what, err
}

func lenientBool(s string) (signature.Value, string, error) {
	a, what, err := choose(truthValues, s, "a truth value")
	return a.value, what, err
}

// choose is lenientChoice for any alternatives; noun names them in the repair.
func choose(from []alternative, s, noun string) (alternative, string, error) {
	s = strip(s)
	if a, ok := only(from, func(a alternative) bool { return a.text == s }); ok {
		return a, "spelling of " + noun, nil
	}
	if a, ok := only(from, func(a alternative) bool { return strings.EqualFold(a.text, s) }); ok {
		return a, "letter case of " + noun, nil
	}
	m := markedText(s)
	if a, ok := only(from, func(a alternative) bool { return m.is(a.text, func(x, y string) bool { return x == y }) }); ok {
		return a, "marks around " + noun, nil
	}
	if a, ok := only(from, func(a alternative) bool { return m.is(a.text, strings.EqualFold) }); ok {
		return a, "letter case of " + noun + " and marks around it", nil
	}
	if a, ok := explained(from, s); ok {
		return a, "text after the answer", nil
	}
	return alternative{}, "", errValue
}

// only returns the longest alternative that fits; none if two values fit alike.
func only(from []alternative, fits func(alternative) bool) (best alternative, ok bool) {
	twice := false
	for _, a := range from {
		switch {
		case !fits(a) || ok && len(a.text) < len(best.text):
		case ok && len(a.text) == len(best.text):
			twice = twice || !signature.EqualValues(a.value, best.value)
		default:
			best, ok, twice = a, true, false
		}
	}
	return best, ok && !twice
}

// What models put before and behind a short answer.
const (
	marksBefore = "*_`\"'“”‘’«»([{<#>•- \t\r\n"
	marksBehind = "*_`\"'“”‘’«»)]}> \t\r\n.,;:!"
)

// marked is a text with the marks around it.
type marked struct{ before, core, behind string }

func markedText(s string) marked {
	core := strings.TrimLeft(s, marksBefore)
	before := s[:len(s)-len(core)]
	short := strings.TrimRight(core, marksBehind)
	return marked{before, short, core[len(short):]}
}

// is reports whether the text is the choice with marks around it. Marks that belong
// to the choice must be there: C# is not C. A hyphen is a bullet only with a space
// behind it, or -1 would be 1.
func (m marked) is(choice string, equal func(x, y string) bool) bool {
	c := markedText(choice)
	if m.core == "" || !equal(c.core, m.core) || !strings.HasSuffix(m.before, c.before) || !strings.HasPrefix(m.behind, c.behind) {
		return false
	}
	extra := strings.TrimSuffix(m.before, c.before)
	return !strings.Contains(extra, "-") || strings.HasSuffix(extra, "- ")
}

// explained finds the one choice that a text begins with, as a word and with an
// explanation behind it. A text that names another choice too, or begins to take
// the choice back, is none.
func explained(from []alternative, s string) (alternative, bool) {
	start := strings.TrimLeft(s, strings.ReplaceAll(marksBefore, "-", ""))
	start = strings.TrimPrefix(start, "- ")
	a, ok := only(from, func(a alternative) bool {
		return len(start) > len(a.text) && strings.EqualFold(start[:len(a.text)], a.text) && !startsWord(start[len(a.text):])
	})
	if !ok {
		return a, false
	}
	why, ok := explanation(start[len(a.text):])
	if !ok {
		return a, false
	}
	lower := asciiLower(why)
	for _, other := range from {
		if !signature.EqualValues(other.value, a.value) && containsWord(lower, asciiLower(other.text)) {
			return a, false
		}
	}
	return a, true
}

// explanation returns what stands behind a separator: a dash, a colon, the end of a
// sentence or line, or a word such as because.
func explanation(s string) (string, bool) {
	s = strings.TrimLeft(s, "*_`\"'”’»)]")
	rest := strings.TrimLeft(s, " \t")
	if rest == "" {
		return "", false
	}
	r, size := utf8.DecodeRuneInString(rest)
	next := rest[size:]
	spaced := next == "" || strings.ContainsRune(" \t\r\n*_", rune(next[0]))
	switch {
	case r == '\n' || r == '\r' || r == '(':
	case strings.ContainsRune("-–—", r) && (spaced || len(rest) < len(s)):
	case strings.ContainsRune(":;,.!", r) && spaced:
	default:
		word, _, _ := strings.Cut(asciiLower(rest), " ")
		switch word {
		case "because", "since", "as", "due":
			return rest, len(rest) < len(s)
		}
		return "", false
	}
	next = strings.TrimLeft(next, marksBefore)
	word := asciiLower(next)
	if end := strings.IndexFunc(word, func(r rune) bool { return !wordRune(r) && r != '\'' }); end >= 0 {
		word = word[:end]
	}
	switch word {
	case "no", "not", "false", "never", "wrong", "isn't", "unlikely":
		return "", false
	}
	if word != "" && unicode.IsDigit(rune(word[0])) {
		return "", false // a score of the choice, as in a list of all
	}
	return next, true
}

func startsWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && wordRune(r)
}

// containsWord reports whether a text holds a word, with no letter or digit before
// or behind it.
func containsWord(s, word string) bool {
	if word == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if (i == 0 || !wordRune(before)) && !startsWord(s[i+len(word):]) {
			return true
		}
		from = i + 1 // the next may overlap this one
	}
}

// asciiLower lowers A to Z and keeps the length of the text, whatever it holds.
func asciiLower(s string) string {
	isUpper := func(c byte) bool { return c >= 'A' && c <= 'Z' }
	for i := range len(s) {
		if !isUpper(s[i]) {
			continue
		}
		b := []byte(s)
		for i, c := range b {
			if isUpper(c) {
				b[i] = c + 'a' - 'A'
			}
		}
		return string(b)
	}
	return s
}

// unmark drops what models like to put around a short answer.
func unmark(s string) string { return markedText(strip(s)).core }

// unquote drops one pair of equal quotes.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
