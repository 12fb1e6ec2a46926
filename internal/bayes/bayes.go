package bayes

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Classifier knows the rows that were added. The zero value knows none. Classify is safe for
// concurrent use, once no more are added.
type Classifier struct {
	classes []*class // in the order of their labels
	rows    int
	vocab   map[string]bool
}

type class struct {
	label  string
	rows   int
	counts map[string]int // by token
	total  int            // of tokens
}

// Add learns from a row.
func (c *Classifier) Add(text, label string) {
	if c.vocab == nil {
		c.vocab = map[string]bool{}
	}
	i, known := slices.BinarySearchFunc(c.classes, label, func(k *class, label string) int { return strings.Compare(k.label, label) })
	if !known {
		c.classes = slices.Insert(c.classes, i, &class{label: label, counts: map[string]int{}})
	}
	k := c.classes[i]
	k.rows++
	c.rows++
	for _, t := range tokens(text) {
		k.counts[t]++
		k.total++
		c.vocab[t] = true
	}
}

// Classify returns the most probable label of a text; of equally probable ones the first in
// sorted order, and "" where no row was added.
func (c *Classifier) Classify(text string) string {
	words := tokens(text)
	best, most := "", math.Inf(-1)
	for _, k := range c.classes {
		score := math.Log(float64(k.rows) / float64(c.rows))
		all := float64(k.total + len(c.vocab))
		for _, w := range words {
			if c.vocab[w] {
				score += math.Log(float64(k.counts[w]+1) / all)
			}
		}
		if score > most {
			best, most = k.label, score
		}
	}
	return best
}

// tokens splits a text as the package's documentation says.
func tokens(text string) []string {
	var out []string
	for _, run := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}) {
		if utf8.RuneCountInString(run) > 1 {
			out = append(out, run)
		}
	}
	return out
}
