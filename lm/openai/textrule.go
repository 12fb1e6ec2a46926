package openai

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// anything is the class of all characters.
const anything = `[\u0001-\U0010FFFF]`

// textUntil writes the rules of a free text that ends with a literal, which stands nowhere
// before: one rule for each number of characters of the literal that have just been read.
// The first is prefix + "0".
func textUntil(literal, prefix string) string {
	want := []rune(strings.ToValidUTF8(literal, string(utf8.RuneError)))
	back := failures(want)
	var b strings.Builder
	for state := range want {
		fmt.Fprintf(&b, "%s%d ::=", prefix, state)
		var taken []rune
		// The next character of the literal, and those of what begins it once more.
		for s := state; ; s = back[s-1] {
			if r := want[s]; !slices.Contains(taken, r) {
				taken = append(taken, r)
				fmt.Fprintf(&b, " [%s]", char(r))
				if s+1 < len(want) {
					fmt.Fprintf(&b, " %s%d", prefix, s+1)
				}
				b.WriteString(" |")
			}
			if s == 0 {
				break
			}
		}
		b.WriteString(" [^")
		for _, r := range taken {
			b.WriteString(char(r))
		}
		fmt.Fprintf(&b, "] %s0\n", prefix)
	}
	return b.String()
}

// failures returns, for each number of characters from 1, how many of them begin the literal
// once more at their end: the table of Knuth, Morris and Pratt.
func failures(want []rune) []int {
	out := make([]int, len(want))
	for i, n := 1, 0; i < len(want); i++ {
		for n > 0 && want[i] != want[n] {
			n = out[n-1]
		}
		if want[i] == want[n] {
			n++
		}
		out[i] = n
	}
	return out
}

// char writes a character for a class, by number, which all readers of GBNF know.
func char(r rune) string {
	if r > 0xFFFF {
		return fmt.Sprintf(`\U%08X`, r)
	}
	return fmt.Sprintf(`\u%04X`, r)
}

// renamed puts a prefix before the name of each rule of a grammar.
func renamed(grammar, prefix string) string {
	var b strings.Builder
	for i := 0; i < len(grammar); {
		end := i + 1
		switch c := grammar[i]; {
		case c == '"':
			end = closing(grammar, i, '"')
		case c == '[':
			end = closing(grammar, i, ']')
		case c == '{':
			end = closing(grammar, i, '}')
		case nameByte(c):
			for end < len(grammar) && nameByte(grammar[end]) {
				end++
			}
			b.WriteString(prefix)
		}
		b.WriteString(grammar[i:end])
		i = end
	}
	return b.String()
}

func nameByte(c byte) bool {
	return c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// closing returns where what begins at i has ended.
func closing(s string, i int, mark byte) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case mark:
			return i + 1
		}
	}
	return len(s)
}
