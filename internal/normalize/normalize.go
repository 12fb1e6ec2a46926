// Package normalize brings answers to a form in which those that mean the same are
// equal.
package normalize

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// punctuation is the marks of ASCII.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// Text returns a text as DSPy's normalize_text does, from the evaluation of SQuAD
// (Rajpurkar et al., arXiv 1606.05250): decomposed (NFD) and in lower case, without
// ASCII's punctuation and the words a, an and the, and with single spaces.
func Text(s string) string {
	s = strings.ToLower(norm.NFD.String(s))
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(punctuation, r) {
			return -1
		}
		return r
	}, s)
	words := strings.Fields(s)
	kept := words[:0]
	for _, w := range words {
		if w != "a" && w != "an" && w != "the" {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}
