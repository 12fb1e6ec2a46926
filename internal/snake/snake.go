// Package snake turns Go names into the names that prompts and files use.
package snake

import (
	"strings"
	"unicode"
)

// Case returns the snake_case of a Go name: a new word begins at an upper-case
// letter that follows a lower-case one or a digit, and at the last letter of a
// run of upper-case ones: "NextQuery" is "next_query", "SMSText" is "sms_text".
func Case(name string) string {
	rs := []rune(name)
	var b strings.Builder
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 && rs[i-1] != '_' &&
			(!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
