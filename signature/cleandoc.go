package signature

import "strings"

// cleandoc removes the indentation that a text has because of the code around
// it: leading and trailing blank lines go, the first line loses its own leading
// white space, and the others the white space that they share. It does what
// Python does to a docstring, so that instructions come out as in DSPy.
func cleandoc(doc string) string {
	lines := strings.Split(strings.ReplaceAll(doc, "\t", "        "), "\n")
	margin := -1
	for _, l := range lines[1:] {
		if t := strings.TrimLeft(l, " "); strings.TrimSpace(t) != "" {
			if n := len(l) - len(t); margin < 0 || n < margin {
				margin = n
			}
		}
	}
	lines[0] = strings.TrimLeft(lines[0], " \r\v\f")
	for i := range lines[1:] {
		if margin > 0 {
			lines[i+1] = lines[i+1][min(margin, len(lines[i+1])):]
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
