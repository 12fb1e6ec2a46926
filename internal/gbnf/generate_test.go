package gbnf

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var walks = flag.Int("walks", 200, "how many random texts TestWalks makes of each grammar")

// walk writes a text of a grammar at random: after some bytes it takes the shortest way
// to the end.
func walk(t testing.TB, g *Grammar, r *rand.Rand, most int) string {
	t.Helper()
	s := g.Start()
	var b strings.Builder
	for {
		if s.Complete() && (s.Final() || r.IntN(4) == 0) {
			return b.String()
		}
		if b.Len() >= most {
			rest := s.Shortest()
			end, ok := s.Advance(rest)
			if !ok || !end.Complete() {
				t.Fatalf("%q + %q is not complete", b.String(), rest)
			}
			return b.String() + rest
		}
		if forced := s.Forced(1 + r.IntN(40)); forced != "" {
			if !utf8.ValidString(forced) {
				t.Fatalf("%q forces %q", b.String(), forced)
			}
			b.WriteString(forced)
			s = mustAdvance(t, s, forced)
			continue
		}
		var next [256]State
		var may []byte
		for c := range 256 {
			if to, ok := s.Advance(string([]byte{byte(c)})); ok {
				next[c] = to
				may = append(may, byte(c))
			}
		}
		if len(may) == 0 {
			t.Fatalf("nothing may follow %q, which is not complete", b.String())
		}
		c := may[r.IntN(len(may))]
		b.WriteByte(c)
		s = next[c]
	}
}

func mustAdvance(t testing.TB, s State, text string) State {
	t.Helper()
	s, ok := s.Advance(text)
	if !ok {
		t.Fatalf("%q is refused", text)
	}
	return s
}

// schemasToGenerate are schemas whose texts and arrays are bounded.
func schemasToGenerate(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/generate/*.json")
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		out[strings.TrimSuffix(filepath.Base(f), ".json")] = data
	}
	require.GreaterOrEqual(t, len(out), 30)
	return out
}

// TestWalks makes texts of grammars at random, all of which must validate, and changes
// them: what is still accepted must validate, too.
func TestWalks(t *testing.T) {
	t.Parallel()
	peer := openPeer(t)
	for name, schema := range schemasToGenerate(t) {
		t.Run(name, func(t *testing.T) {
			g, err := FromSchema(schema)
			require.NoError(t, err)
			checkWalks(t, g, validator(t, schema), peer, *walks)
		})
	}
}

// openSchemas leave open what those that are for generating bound.
var openSchemas = []string{
	`{}`, `{"type": "object"}`, `{"type": "array"}`, `{"type": "string"}`, `{"type": ["number", "null"]}`,
	`{"minimum": 3}`, `{"maxLength": 2, "maximum": -1.5}`,
	`{"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1}`,
	`{"type": "object", "properties": {"a": {}, "b": true}, "minProperties": 1}`,
	`{"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}, "minProperties": 2, "maxProperties": 2}`,
	`{"type": "string", "pattern": "a|^b|c$"}`, `{"type": "string", "pattern": "\\d{3}", "minLength": 5}`,
	`{"type": "string", "pattern": "(?m)^x$", "maxLength": 6}`, `{"allOf": [{"pattern": "a"}, {"pattern": "b"}], "type": "string"}`,
	`{"type": "string", "format": "time"}`, `{"type": "string", "format": "hostname"}`, `{"type": "string", "format": "uri"}`,
	`{"type": "number", "exclusiveMinimum": 1000000}`, `{"type": "number", "maximum": -0.001, "exclusiveMinimum": -12.75}`,
	`{"type": "integer", "multipleOf": 97}`, `{"type": "number", "multipleOf": 2.5, "maximum": 7}`, `{"multipleOf": 1000, "type": "integer"}`,
	`{"type": "array", "contains": {}, "minContains": 0}`, `{"not": {"type": ["string", "object"]}}`,
	`{"if": {"properties": {"k": {"const": "a"}}, "required": ["k"], "type": "object"}, "then": {"properties": {"v": {"type": "integer"}}}, "else": {"type": "null"}}`,
	`{"allOf": [{"properties": {"a": {"minimum": 3}}}, {"properties": {"a": {"maximum": 5}, "b": {}}}], "type": "object", "required": ["a"]}`,
	`{"prefixItems": [{"type": "integer"}], "items": {"type": "string"}, "type": "array"}`,
	`{"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": false, "type": "object"}`,
	`{"enum": [1.0, 1e2, "a\"b", {"b": 1, "a": [true, null]}]}`,
}

func TestWalksOpen(t *testing.T) {
	t.Parallel()
	peer := openPeer(t)
	for _, schema := range openSchemas {
		t.Run(schema, func(t *testing.T) {
			for _, options := range [][]Option{nil, {MaxString(4), MaxItems(2)}} {
				g, err := FromSchema([]byte(schema), options...)
				require.NoError(t, err)
				checkWalks(t, g, validator(t, []byte(schema)), peer, *walks/2)
			}
		})
	}
}

func checkWalks(t *testing.T, g *Grammar, validate func(string) error, peer func(*testing.T, string) peerFunc, n int) {
	t.Helper()
	var llama peerFunc
	if peer != nil {
		llama = peer(t, g.String())
	}
	r := rand.New(rand.NewPCG(1, uint64(len(g.String()))))
	for i := range n {
		text := walk(t, g, r, 5+r.IntN(200))
		if err := validate(text); err != nil {
			t.Fatalf("%s does not validate: %v; the grammar is\n%.2000s", text, err, g)
		}
		if !g.accepts(t, text) {
			t.Fatalf("%s is refused again", text)
		}
		changed := change(r, text)
		accepted := utf8.ValidString(changed) && g.accepts(t, changed)
		if accepted { // the validator panics on numbers such as 0e9999999999
			if err := validate(changed); err != nil {
				t.Fatalf("%s is accepted and does not validate: %v", changed, err)
			}
		}
		if llama == nil || i%8 > 0 {
			continue
		}
		if got, can := llama(text); can && !got {
			t.Fatalf("llama.cpp refuses %s; the grammar is\n%.2000s", text, g)
		}
		if !utf8.ValidString(changed) {
			continue
		}
		if got, can := llama(changed); can && got != accepted {
			t.Fatalf("accepted %s = %v, and llama.cpp differs; the grammar is\n%.2000s", changed, accepted, g)
		}
	}
}

// change makes a text a little different: a character less, twice, another, or two
// exchanged.
func change(r *rand.Rand, s string) string {
	chars := []rune(s)
	if len(chars) == 0 {
		return "0"
	}
	i := r.IntN(len(chars))
	const other = "0123456789-.,: \"{}[]abnrtu\\\néπ"
	switch r.IntN(4) {
	case 0:
		return string(chars[:i]) + string(chars[i+1:])
	case 1:
		return string(chars[:i]) + string(chars[i]) + string(chars[i:])
	case 2:
		j := r.IntN(len(chars))
		chars[i], chars[j] = chars[j], chars[i]
		return string(chars)
	}
	others := []rune(other)
	chars[i] = others[r.IntN(len(others))]
	return string(chars)
}

// TestShortestIsNoLonger compares with all texts of a small grammar.
func TestShortestIsNoLonger(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for name, schema := range schemasToGenerate(t) {
		if name == "enum-mixed" || name == "country" {
			continue // the first of an enumeration is the shortest
		}
		g, err := FromSchema(schema)
		require.NoError(t, err)
		shortest := g.Start().Shortest()
		for range 50 {
			if text := walk(t, g, r, r.IntN(60)); len(text) < len(shortest) && !strings.Contains(string(schema), "enum") && !strings.Contains(string(schema), "boolean") {
				t.Errorf("%s: %s is shorter than %s", name, text, shortest)
			}
		}
	}
}
