package adapter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is a run of letters and digits, in lower case, with what stands before it
// and, for the last, what stands behind it.
type word struct{ text, gap, last string }

// wordsOf returns the first words of a text, all for a negative number.
// Underscores part words, points and commas between digits do not. Characters
// without width are left out, and full-width letters are those they look like.
func wordsOf(s string, most int) []word {
	var out []word
	var b strings.Builder
	gapFrom := 0
	begin := 0
	flush := func(end int) {
		if b.Len() > 0 {
			out = append(out, word{text: b.String(), gap: foldMarks(s[gapFrom:begin])})
			b.Reset()
			gapFrom = end
		}
	}
	for i, r := range s {
		if most >= 0 && len(out) >= most {
			return out
		}
		r = foldWidth(r)
		switch {
		case unicode.Is(unicode.Cf, r):
			continue
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) && b.Len() > 0:
			if b.Len() == 0 {
				begin = i
			}
			b.WriteRune(unicode.ToLower(r))
		case (r == '.' || r == ',') && b.Len() > 0 && isDigit(b.String()[b.Len()-1]) && nextIsDigit(s[i:]):
			b.WriteRune(r)
		default:
			flush(i)
		}
	}
	flush(len(s))
	if len(out) > 0 {
		out[len(out)-1].last = foldMarks(s[min(gapFrom, len(s)):])
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func nextIsDigit(s string) bool {
	_, size := utf8.DecodeRuneInString(s)
	return len(s) > size && isDigit(s[size])
}

// foldWidth writes a full-width character as the one it looks like.
func foldWidth(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		return r - 0xff01 + '!'
	}
	return r
}

// foldMarks returns the marks between two words as they look.
func foldMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if r = foldWidth(r); unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// firstText returns the first line that holds a word.
func firstText(s string) string {
	for line := range strings.Lines(s) {
		if len(wordsOf(line, 1)) > 0 {
			return line
		}
	}
	return s
}
