package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleandoc removes the indentation that a text has because of the code around
// it: the first line loses its own leading white space, the others the white space
// that they share, and lines that are empty then go at both ends. It does what
// Python does to a docstring, so that instructions come out as in DSPy: not twice the
// same, as the first line may be another one the second time.
func cleandoc(doc string) string {
	lines := strings.Split(expandTabs(doc), "\n")
	margin := -1
	for _, l := range lines[1:] {
		if t := strings.TrimLeftFunc(l, isSpace); t != "" {
			if n := utf8.RuneCountInString(l[:len(l)-len(t)]); margin < 0 || n < margin {
				margin = n
			}
		}
	}
	lines[0] = strings.TrimLeftFunc(lines[0], isSpace)
	for i := range lines[1:] {
		if margin > 0 {
			lines[i+1] = dropRunes(lines[i+1], margin)
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}

// isSpace reports whether Python takes the character for white space: what Unicode
// does, and four separators.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// dropRunes cuts n characters off the beginning.
func dropRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[i:]
		}
		n--
	}
	return ""
}

// expandTabs replaces each tab by the spaces that lead to the next column that is
// a multiple of eight.
func expandTabs(s string) string {
	if !strings.ContainsRune(s, '\t') {
		return s
	}
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			n := 8 - column%8
			b.WriteString("        "[:n])
			column += n
			continue
		case '\n', '\r':
			column = -1
		}
		b.WriteRune(r)
		column++
	}
	return b.String()
}
