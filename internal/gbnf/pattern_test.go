package gbnf

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patterns are expressions with texts to try, besides those that walks find.
var patterns = []struct {
	pattern string
	texts   []string
}{
	{`a`, []string{"a", "b", ""}},
	{`^abc$`, []string{"abc", "ab"}},
	{`\Aabc\z`, []string{"abc", "^abc"}},
	{`(^a|b)c$`, []string{"ac", "bc", "c"}},
	{`a*`, []string{"", "aaa", "b"}},
	{`(?:ab)+c?`, []string{"ab", "ababc", "c"}},
	{`[0-9]{2,4}`, []string{"1", "12", "12345"}},
	{`(?i)straße|ΣΑΣ`, []string{"STRASSE", "STRAßE", "strAẞe", "σας", "ΣΑσ"}},
	{`\pL+`, []string{"abcäöü", "日本", "a1"}},
	{`.`, []string{"\n", "x", "é", "😀", "xx"}},
	{`(?s).`, []string{"\n", "x"}},
	{`[^a-z]`, []string{"A", "é", "\n", "m"}},
	{`\d+(\.\d+)?`, []string{"1", "1.", "1.5"}},
	{`(a|ab)(c|bcd)(d*)`, []string{"abcd", "abbcd", "acd"}},
	{`x{0}y`, []string{"y", "xy"}},
	{`a|b|`, []string{"", "a", "c"}},
	{`[é-ü]+\x{10FFFF}?`, []string{"éü", "é\U0010FFFF", "z"}},
	{`(a?(b?[x-z]*)*\d{0,3})*c`, []string{"c", "abbxx12c", "1"}},
	{`(a?b?)*c`, []string{"c", "abbac", "d"}},
}

func TestPatternsAgainstRegexp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 3))
	for _, tt := range patterns {
		g := pattern(t, tt.pattern)
		whole := regexp.MustCompile(`\A(?:` + tt.pattern + `)\z`)
		for _, text := range tt.texts {
			assert.Equal(t, whole.MatchString(text), g.accepts(t, text), "%s: %q", tt.pattern, text)
		}
		for range 100 {
			text := walk(t, g, r, 20)
			if !whole.MatchString(text) {
				t.Errorf("%s: made %q, which does not match", tt.pattern, text)
			}
			text = change(r, text)
			assert.Equal(t, whole.MatchString(text), utf8.ValidString(text) && g.accepts(t, text), "%s: %q", tt.pattern, text)
		}
	}
}

// TestSearchedPatterns has patterns of schemas, which are looked for in a text, alone and
// with a length, for which another way is gone.
func TestSearchedPatterns(t *testing.T) {
	t.Parallel()
	searched := []string{
		`a`, `^a`, `a$`, `^a$`, `^$`, `^a|b$`, `(^a|b)c`, `a.c`, `\bfoo\b`, `\Bo`, `(?m)^x$`, `\d{3}`, `^[^"\\]*$`, `["\\]`, `[\x00-\x1f]`,
		`é+`, `(?i)k`, `^(a|b)*a(a|b)$`, `x*`, ``, `^a.*z$`, `a\n?$`,
	}
	texts := []string{
		"", "a", "b", "c", "ab", "ba", "ac", "bc", "xbc", "foo", "a foo.", "foobar", "o", "fo", "x", "y\nx", "xx\ny", "123", "12 345", "\"", "\\", "a\x01",
		"é", "éé", "K", "\u212a", "aaba", "abab", "axxz", "a\n", "aé\"\\/\b\f\n\r\t\x1f\x7fz", "😀",
	}
	for _, p := range searched {
		re := regexp.MustCompile(p)
		for _, more := range []string{``, `, "minLength": 2`, `, "maxLength": 3`, `, "minLength": 1, "maxLength": 4`} {
			text := `{"type": "string", "pattern": ` + written(p) + more + `}`
			g, err := FromSchema([]byte(text))
			if err != nil { // no text is so long
				var not *UnsupportedError
				require.ErrorAs(t, err, &not)
				require.Empty(t, not.Keyword)
				g = Choice()
			}
			valid := validator(t, []byte(text))
			for _, s := range texts {
				want := valid(written(s)) == nil
				if more == "" && want != re.MatchString(s) {
					t.Fatalf("%s: %q: the judges differ", p, s)
				}
				assert.Equal(t, want, g.accepts(t, written(s)), "%s: %q", text, s)
			}
		}
	}
}

func TestPatternErrors(t *testing.T) {
	t.Parallel()
	for _, p := range []string{`\bfoo`, `a^b`, `a$b`, `(?m)^a`, `(a$)*`, `\B`} {
		_, err := FromPattern(p)
		var not *UnsupportedError
		require.ErrorAs(t, err, &not, p)
		assert.Equal(t, "pattern", not.Keyword)
		assert.ErrorContains(t, err, p)
	}
	_, err := FromPattern(`[^\x00-\x{10FFFF}]`)
	assert.ErrorContains(t, err, "no text matches")
	_, err = FromPattern(`a(`)
	var broken *PatternError
	require.True(t, errors.As(err, &broken))
	assert.Equal(t, `a(`, broken.Pattern)
	assert.ErrorContains(t, err, "missing closing )")
	assert.Error(t, errors.Unwrap(err))
}

// TestNestedPatterns has patterns whose parts are in each other many times.
func TestNestedPatterns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ open, shut string }{{"(a?", ")*"}, {"(a?b?", "c?)*"}, {"(a*|", "|b)+"}, {"(", "{0,2})?"}, {"(a?", "){0,3}"}, {"(a", "b){1,2}"}} {
		p := strings.Repeat(tt.open, 30) + "x" + strings.Repeat(tt.shut, 30)
		if _, err := regexp.Compile(p); err != nil {
			continue
		}
		g := pattern(t, p)
		assert.True(t, g.accepts(t, g.Start().Shortest()), p)
		assert.Less(t, len(g.String()), 20000, p)
	}
}
