package gbnf

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzSchema checks that no text crashes, and that what a grammar makes validates.
func FuzzSchema(f *testing.F) {
	for _, s := range openSchemas {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		g, err := FromSchema(schema, MaxString(8), MaxItems(3))
		if err != nil {
			var broken *SchemaError
			var not *UnsupportedError
			if !errors.As(err, &broken) && !errors.As(err, &not) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if s := g.String(); !strings.HasPrefix(s, "root ::= ") {
			t.Fatalf("the grammar is %s", s)
		}
		valid := validator(t, schema)
		r := rand.New(rand.NewPCG(1, 1))
		for most := range 5 {
			text := walk(t, g, r, most*10)
			if err := valid(text); err != nil {
				t.Fatalf("%s: %s: %v", schema, text, err)
			}
		}
	})
}

// FuzzPattern checks that a pattern's grammar accepts what regexp matches, and makes
// nothing else.
func FuzzPattern(f *testing.F) {
	for _, tt := range patterns {
		for _, text := range tt.texts {
			f.Add(tt.pattern, text)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		g, err := FromPattern(pattern)
		if err != nil || !utf8.ValidString(text) || len(text) > 1000 {
			return
		}
		whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
		if err != nil {
			return // what stands around it makes it too large
		}
		if got := g.accepts(t, text); got != whole.MatchString(text) {
			t.Fatalf("%q: accepted %q = %v", pattern, text, got)
		}
		made := walk(t, g, rand.New(rand.NewPCG(1, 1)), 30)
		if !whole.MatchString(made) {
			t.Fatalf("%q: made %q", pattern, made)
		}
	})
}
