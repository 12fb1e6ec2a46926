package jsonrepair

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/whetgo/whet/signature"
)

// number reads what begins like a number. Dates, fractions, ranges and figures
// with thousands separators (10/20, 1-2, 1,234) begin so too; they stay texts,
// as no one number is meant for certain.
func (p *parser) number() signature.Value {
	start := p.pos
	var b strings.Builder
	last := eof
	for {
		c := p.at(p.pos)
		signed := c == '+' && (last == 'e' || last == 'E')
		if !signed && !(isNumeric(c) && (c != ',' || p.here() != inList)) {
			break
		}
		if c != '_' { // 1_000 as Python writes it
			b.WriteRune(c)
			last = c
		}
		p.pos++
	}
	if unicode.IsLetter(p.at(p.pos)) { // 4th, 12px
		p.pos = start
		return p.str()
	}
	digits := b.String()
	if digits != "" && strings.ContainsRune("+-eE/,", last) {
		digits = digits[:len(digits)-1]
		p.pos--
	}
	return numberValue(digits)
}

func isNumeric(c rune) bool {
	switch c {
	case '-', '.', 'e', 'E', '/', ',', '_':
		return true
	}
	return c >= '0' && c <= '9'
}

// numberValue turns the text of a number into one: a whole number into int64, or
// float64 where it is too large. What is no number, or none that a float64 could
// hold, stays the text that it is.
func numberValue(s string) signature.Value {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return s
	}
	return f
}
