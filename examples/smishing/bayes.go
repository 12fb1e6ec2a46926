package main

import (
	"math"
	"sort"
	"strings"
	"unicode"
)

// naiveBayes is a multinomial naive Bayes text classifier: a baseline that
// needs no language model, to be printed beside the program's own figures.
//
// Tokens: the text is lower-cased; a token is a longest run of letters or a
// longest run of digits, so "50p" gives "50" and "p" and "don't" gives "don"
// and "t". Everything else (white space, punctuation, currency signs,
// apostrophes) only separates. A run of five or more digits (a telephone
// number, a short code, a reference) becomes the one token longNumber.
// A token of a single character counts, and a repeated token counts each time.
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

// longNumber is the token that stands for every run of minLongDigits digits or
// more. It is the spelling of a word on purpose: a text that holds it as a
// word means much the same.
const (
	longNumber    = "longnum"
	minLongDigits = 5
)

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
	const (
		none = iota
		letter
		digit
	)
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r):
			return letter
		case unicode.IsDigit(r):
			return digit
		}
		return none
	}
	var tokens []string
	var run []rune
	running := none
	flush := func() {
		switch {
		case len(run) == 0:
		case running == digit && len(run) >= minLongDigits:
			tokens = append(tokens, longNumber)
		default:
			tokens = append(tokens, string(run))
		}
		run = run[:0]
	}
	for _, r := range strings.ToLower(text) {
		k := kind(r)
		if k != running {
			flush()
			running = k
		}
		if k != none {
			run = append(run, r)
		}
	}
	flush()
	return tokens
}
