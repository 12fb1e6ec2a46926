package lmtest

import (
	"strings"
	"unicode"

	"github.com/whetgo/whet/lm"
)

// cut ends a reply at the request's stop texts and its token limit (words here).
func cut(text string, r *lm.Request) (string, lm.FinishReason) {
	for _, stop := range r.Stop {
		if i := strings.Index(text, stop); stop != "" && i >= 0 {
			text = text[:i]
		}
	}
	if r.MaxTokens > 0 {
		if n := wordEnd(text, r.MaxTokens); n < len(text) {
			return text[:n], lm.FinishLength
		}
	}
	return text, lm.FinishStop
}

// wordEnd returns where the n-th word ends, or len(s) when there are no more.
func wordEnd(s string, n int) int {
	inWord := false
	for i, r := range s {
		space := r == ' ' || r == '\n' || r == '\t' || r == '\r'
		if inWord && space {
			if n--; n == 0 {
				return i
			}
		}
		inWord = !space
	}
	return len(s)
}

func countWords(s string) int { return len(strings.Fields(s)) }

// countMarks counts words and marks: "<end>!" has four, "a b" two.
func countMarks(s string) int {
	n, inWord := 0, false
	for _, r := range s {
		word := unicode.IsLetter(r) || unicode.IsDigit(r)
		if word && !inWord || !word && !unicode.IsSpace(r) {
			n++
		}
		inWord = word
	}
	return n
}

func promptText(r *lm.Request) string {
	var b strings.Builder
	b.WriteString(r.Prompt)
	for _, m := range r.Messages {
		b.WriteString(m.Text())
		b.WriteByte('\n')
	}
	return b.String()
}
