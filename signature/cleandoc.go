package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleandoc removes the indentation that a text has because of the code around
// it: leading and trailing blank lines go, the first line loses its own leading
// white space, and the others the white space that they share. It does what
// Python does to a docstring, so that instructions come out as in DSPy.
func cleandoc(doc string) string {
	lines := strings.Split(expandTabs(doc), "\n")
	margin := -1
	for _, l := range lines[1:] {
		if t := strings.TrimLeftFunc(l, unicode.IsSpace); t != "" {
			if n := utf8.RuneCountInString(l[:len(l)-len(t)]); margin < 0 || n < margin {
				margin = n
			}
		}
	}
	lines[0] = strings.TrimLeftFunc(lines[0], unicode.IsSpace)
	for i := range lines[1:] {
		if margin > 0 {
			lines[i+1] = dropRunes(lines[i+1], margin)
		}
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}

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
