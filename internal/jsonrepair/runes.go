package jsonrepair

import "unicode"

// eof stands for the rune beyond either end of the text.
const eof rune = -1

// isSpace goes by Python's str.isspace, as the trimming of texts does: it counts
// four separators of ASCII that Go does not.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// isDigit goes by Python's str.isdigit, which takes raised and lowered digits too.
func isDigit(r rune) bool {
	switch r {
	case '²', '³', '¹', '⁰':
		return true
	}
	return unicode.IsDigit(r) || r >= '⁴' && r <= '⁹' || r >= '₀' && r <= '₉'
}

func isAlnum(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// isBare reports whether a key that has no quotes may hold the rune.
func isBare(r rune) bool { return isAlnum(r) || r == '_' || r == '-' }

func isHex(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
}

// isQuote reports whether a text may begin with the rune: straight and curly
// quotes, of which models write all four.
func isQuote(r rune) bool {
	switch r {
	case '"', '\'', '“', '”':
		return true
	}
	return false
}

// closingQuote is the quote that ends what the given one begins.
func closingQuote(r rune) rune {
	if r == '“' {
		return '”'
	}
	return r
}

func isNewline(r rune) bool { return r == '\n' || r == '\r' }

// oneOf is a set of runes that may hold eof, which a string could not.
func oneOf(r rune, set ...rune) bool {
	for _, s := range set {
		if r == s {
			return true
		}
	}
	return false
}
