package main

import (
	"math"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// naiveBayes is a multinomial naive Bayes text classifier: a baseline that
// needs no language model, to be printed beside the program's own figures.
//
// It is what scikit-learn's CountVectorizer and MultinomialNB do by default, so that
// nothing about it was chosen on this data. The text is lower-cased; a token is a
// longest run of letters, digits and underscores, of two characters at least; a
// repeated token counts each time.
//
// Estimates: class priors are the shares of the training rows, unsmoothed;
// word probabilities are Laplace-smoothed, (n+1)/(total of the class + size of
// the vocabulary of all classes). Words never seen in training are skipped.
type naiveBayes struct {
	labels []string                  // sorted
	prior  map[string]float64        // log share of the training rows
	counts map[string]map[string]int // label, then token
	total  map[string]int            // tokens of each label
	vocab  map[string]bool
}

// trainBayes counts the texts; labels[i] is the class of texts[i]. It panics
// when the two differ in length. Trained on nothing, it classifies every text
// as "".
func trainBayes(texts, labels []string) *naiveBayes {
	if len(texts) != len(labels) {
		panic("trainBayes: texts and labels differ in length")
	}
	b := &naiveBayes{
		prior:  map[string]float64{},
		counts: map[string]map[string]int{},
		total:  map[string]int{},
		vocab:  map[string]bool{},
	}
	rows := map[string]int{}
	for i, text := range texts {
		label := labels[i]
		rows[label]++
		if b.counts[label] == nil {
			b.counts[label] = map[string]int{}
			b.labels = append(b.labels, label)
		}
		for _, tok := range bayesTokens(text) {
			b.counts[label][tok]++
			b.total[label]++
			b.vocab[tok] = true
		}
	}
	sort.Strings(b.labels)
	for label, n := range rows {
		b.prior[label] = math.Log(float64(n) / float64(len(texts)))
	}
	return b
}

// classify returns the most probable label of the text; of equally probable
// ones, the first in sorted order.
func (b *naiveBayes) classify(text string) string {
	tokens := bayesTokens(text)
	best, bestScore := "", math.Inf(-1)
	for _, label := range b.labels {
		score := b.prior[label]
		denom := float64(b.total[label] + len(b.vocab))
		for _, tok := range tokens {
			if b.vocab[tok] {
				score += math.Log(float64(b.counts[label][tok]+1) / denom)
			}
		}
		if score > bestScore {
			best, bestScore = label, score
		}
	}
	return best
}

// bayesTokens splits a text as the comment of naiveBayes says.
func bayesTokens(text string) []string {
	var tokens []string
	for _, run := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}) {
		if utf8.RuneCountInString(run) > 1 {
			tokens = append(tokens, run)
		}
	}
	return tokens
}
