package adapter

import (
	"strconv"
	"strings"

	"github.com/whetgo/whet/signature"
)

// pythonLiteral reads what Python's literal_eval does of a text in which the repair
// of JSON found nothing: numbers such as 1_000, +5 and 0x10, True, False and None,
// texts in single quotes, and several of these with commas between, which are a
// tuple.
func pythonLiteral(text string) (signature.Value, bool) {
	if strip(text) == "set()" { // the one call in it: a set of nothing has no other form
		return []signature.Value{}, true
	}
	p := literalReader{rest: strings.TrimLeft(text, " \t")}
	v, ok := p.item()
	if !ok {
		return nil, false
	}
	p.space()
	if !strings.HasPrefix(p.rest, ",") {
		return v, p.atEnd()
	}
	items := []signature.Value{v}
	for strings.HasPrefix(p.rest, ",") {
		p.rest = p.rest[1:]
		p.space()
		if p.atEnd() {
			break // a comma may stand at the end
		}
		if v, ok = p.item(); !ok {
			return nil, false
		}
		items = append(items, v)
		p.space()
	}
	return items, p.atEnd()
}

type literalReader struct{ rest string }

func (p *literalReader) space() { p.rest = strings.TrimLeft(p.rest, " \t\f") }

// atEnd reports whether nothing follows but line ends and comments.
func (p *literalReader) atEnd() bool {
	for rest := p.rest; ; {
		rest = strings.TrimLeft(rest, " \t\f\r\n")
		if !strings.HasPrefix(rest, "#") {
			return rest == ""
		}
		_, rest, _ = strings.Cut(rest, "\n")
	}
}

func (p *literalReader) item() (signature.Value, bool) {
	for word, v := range map[string]signature.Value{"True": true, "False": false, "None": nil} {
		if rest, ok := strings.CutPrefix(p.rest, word); ok && (rest == "" || !wordRune(rune(rest[0])) && rest[0] < 0x80) {
			p.rest = rest
			return v, true
		}
	}
	if s, ok := p.text(); ok {
		return s, true
	}
	return p.number()
}

func (p *literalReader) number() (signature.Value, bool) {
	sign := ""
	if p.rest != "" && (p.rest[0] == '+' || p.rest[0] == '-') {
		sign = strings.TrimPrefix(p.rest[:1], "+")
		p.rest = p.rest[1:]
		p.space()
	}
	end := 0
	for end < len(p.rest) {
		c := p.rest[end]
		afterE := end > 0 && (p.rest[end-1]|0x20) == 'e' && !strings.HasPrefix(p.rest, "0x") && !strings.HasPrefix(p.rest, "0X")
		if !wordRune(rune(c)) && c != '.' && !(afterE && (c == '+' || c == '-')) {
			break
		}
		end++
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	if word == "" || word[0] != '.' && (word[0] < '0' || word[0] > '9') {
		return nil, false
	}
	base := 10
	if len(word) > 2 && word[0] == '0' && strings.ContainsRune("xXoObB", rune(word[1])) {
		base = 0
	} else if whole := strings.Trim(word, "0123456789_"); whole == "" && word[0] == '0' && strings.Trim(word, "0_") != "" {
		return nil, false // 007
	}
	if base == 10 {
		plain, ok := withoutUnderscores(word)
		if !ok {
			return nil, false
		}
		word = plain
	}
	if n, err := strconv.ParseInt(sign+word, base, 64); err == nil {
		return n, true
	}
	if base == 0 {
		return nil, false
	}
	f, err := floatText(sign + word)
	return f, err == nil
}

// text reads one text, or several side by side, which are one.
func (p *literalReader) text() (string, bool) {
	var b strings.Builder
	found := false
	for {
		start := p.rest
		raw := false
		if s := strings.TrimLeft(start, "rRuU"); len(start)-len(s) == 1 {
			raw, start = strings.ContainsAny(start[:1], "rR"), s
		}
		if start == "" || start[0] != '\'' && start[0] != '"' {
			return b.String(), found
		}
		quote := start[:1]
		if strings.HasPrefix(start, strings.Repeat(quote, 3)) {
			quote = strings.Repeat(quote, 3)
		}
		rest, ok := unescape(&b, start[len(quote):], quote, raw)
		if !ok {
			return "", false
		}
		found = true
		p.rest = rest
		p.space()
	}
}

// unescape writes a text up to its closing quote and returns what follows that.
func unescape(b *strings.Builder, s, quote string, raw bool) (string, bool) {
	for s != "" {
		if rest, ok := strings.CutPrefix(s, quote); ok {
			return rest, true
		}
		switch c := s[0]; {
		case c == '\n' && len(quote) == 1:
			return "", false
		case c == '\\' && len(s) > 1:
			if raw {
				b.WriteString(s[:2])
				s = s[2:]
				continue
			}
			n := writeEscape(b, s)
			if n == 0 {
				return "", false
			}
			s = s[n:]
		default:
			b.WriteByte(c)
			s = s[1:]
		}
	}
	return "", false
}

// writeEscape writes what an escape stands for and returns its length, 0 for one
// that is malformed.
func writeEscape(b *strings.Builder, s string) int {
	const plain, meant = "'\"\\abfnrtv", "'\"\\\a\b\f\n\r\t\v"
	if i := strings.IndexByte(plain, s[1]); i >= 0 {
		b.WriteByte(meant[i])
		return 2
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	switch {
	case s[1] == '\n':
		return 2 // the line goes on
	case digits > 0:
		if len(s) < 2+digits {
			return 0
		}
		n, err := strconv.ParseUint(s[2:2+digits], 16, 32)
		if err != nil || n > 0x10ffff {
			return 0
		}
		b.WriteRune(rune(n))
		return 2 + digits
	case s[1] >= '0' && s[1] <= '7':
		end := 2
		for end < len(s) && end < 4 && s[end] >= '0' && s[end] <= '7' {
			end++
		}
		n, _ := strconv.ParseUint(s[1:end], 8, 32)
		b.WriteRune(rune(n))
		return end
	default: // as Python: what is no escape stays
		b.WriteString(s[:2])
		return 2
	}
}
