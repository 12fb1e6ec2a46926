package sms

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bayes is a multinomial naive Bayes classifier of texts, the baseline that needs no language
// model. Its tokens and estimates are those of examples/smishing (scikit-learn's defaults):
// runs of letters, digits and underscores of two characters at least, in lower case, and
// Laplace's smoothing.
type Bayes struct {
	rows   map[string]int            // by label
	counts map[string]map[string]int // by label and token
	total  map[string]int            // tokens by label
	vocab  map[string]bool
}

// Train counts rows.
func Train(rows []Row) *Bayes {
	b := &Bayes{map[string]int{}, map[string]map[string]int{}, map[string]int{}, map[string]bool{}}
	for _, label := range Labels() {
		b.counts[label] = map[string]int{}
	}
	for _, r := range rows {
		label := r.Out.Label
		b.rows[label]++
		for _, t := range tokens(r.In.Text) {
			b.counts[label][t]++
			b.total[label]++
			b.vocab[t] = true
		}
	}
	return b
}

// Classify returns the most probable label, the first of equals. Words that no row of the
// training has say nothing, and a label without rows is never chosen.
func (b *Bayes) Classify(text string) string {
	best, most := "", math.Inf(-1)
	for _, label := range Labels() {
		if b.rows[label] == 0 {
			continue
		}
		score := math.Log(float64(b.rows[label]))
		for _, t := range tokens(text) {
			if b.vocab[t] {
				score += math.Log(float64(b.counts[label][t]+1) / float64(b.total[label]+len(b.vocab)))
			}
		}
		if score > most {
			best, most = label, score
		}
	}
	return best
}

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
