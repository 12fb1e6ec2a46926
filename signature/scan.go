package signature

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	endToken tokenKind = iota
	nameToken
	textToken
	numberToken
	markToken
)

// token is a word of a signature's text.
type token struct {
	kind   tokenKind
	at     int    // byte offset in the whole text
	text   string // of a text without its quotes and escapes
	number int64
	whole  bool // number holds the value
}

// scan cuts a part of the text into tokens, as Python does for what stands in a
// list of parameters.
func (p *parser) scan(from, to int) ([]token, error) {
	var out []token
	for at := from; at < to; {
		r, n := utf8.DecodeRuneInString(p.text[at:to])
		switch {
		case unicode.IsSpace(r):
			at += n
		case r == '_' || unicode.IsLetter(r):
			end := at
			for end < to {
				r, n := utf8.DecodeRuneInString(p.text[end:to])
				if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
					break
				}
				end += n
			}
			out = append(out, token{kind: nameToken, at: at, text: p.text[at:end]})
			at = end
		case r == '"' || r == '\'':
			tok, end, err := p.scanText(at, to)
			if err != nil {
				return nil, err
			}
			if last := len(out) - 1; last >= 0 && out[last].kind == textToken {
				out[last].text += tok.text // texts side by side are one
			} else {
				out = append(out, tok)
			}
			at = end
		case r >= '0' && r <= '9':
			end := at
			for end < to && (p.text[end] == '_' || p.text[end] == '.' || p.text[end] >= '0' && p.text[end] <= '9') {
				end++
			}
			tok := token{kind: numberToken, at: at, text: p.text[at:end]}
			if v, err := strconv.ParseInt(strings.ReplaceAll(tok.text, "_", ""), 10, 64); err == nil {
				tok.number, tok.whole = v, true
			}
			out = append(out, tok)
			at = end
		case strings.HasPrefix(p.text[at:to], "..."):
			out = append(out, token{kind: markToken, at: at, text: "..."})
			at += 3
		case strings.ContainsRune(":,|[].()", r):
			out = append(out, token{kind: markToken, at: at, text: string(r)})
			at += n
		default:
			return nil, p.fail(at, "the character "+strconv.QuoteRune(r)+" has no place in a signature")
		}
	}
	return out, nil
}

// scanText reads a text in quotes.
func (p *parser) scanText(at, to int) (token, int, error) {
	quote := p.text[at]
	var b strings.Builder
	for i := at + 1; i < to; i++ {
		switch c := p.text[i]; c {
		case quote:
			return token{kind: textToken, at: at, text: b.String()}, i + 1, nil
		case '\n':
			return token{}, 0, p.fail(at, "the text in quotes does not end on its line")
		case '\\':
			if i++; i >= to {
				return token{}, 0, p.fail(at, "the text in quotes does not end")
			}
			switch e := p.text[i]; e {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case 'a', 'b', 'f', 'v':
				b.WriteByte(map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v'}[e])
			case '0', '1', '2', '3', '4', '5', '6', '7':
				n := i
				for n < to && n < i+3 && p.text[n] >= '0' && p.text[n] <= '7' {
					n++
				}
				v, _ := strconv.ParseInt(p.text[i:n], 8, 32) // at most three octal digits
				b.WriteRune(rune(v))
				i = n - 1
			case '\\', '\'', '"':
				b.WriteByte(e)
			case 'x', 'u', 'U':
				r, n, ok := codePoint(e, p.text[i+1:to])
				if !ok {
					return token{}, 0, p.fail(i-1, "the escape names no character")
				}
				b.WriteRune(r)
				i += n
			default: // as Python: what is no escape stays
				b.WriteByte('\\')
				b.WriteByte(e)
			}
		default:
			b.WriteByte(c)
		}
	}
	return token{}, 0, p.fail(at, "the text in quotes does not end")
}

// codePoint reads the digits of an escape \x41, \u0041 or \U00000041.
func codePoint(kind byte, digits string) (r rune, n int, ok bool) {
	n = map[byte]int{'x': 2, 'u': 4, 'U': 8}[kind]
	if len(digits) < n {
		return 0, 0, false
	}
	v, err := strconv.ParseUint(digits[:n], 16, 32)
	return rune(v), n, err == nil && utf8.ValidRune(rune(v))
}

// isKeyword reports whether a name is one that Python keeps for itself.
func isKeyword(name string) bool {
	return slices.Contains([]string{
		"False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
		"elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
		"not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
	}, name)
}

// isIdentifier reports whether a name can stand in a field marker.
func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}
