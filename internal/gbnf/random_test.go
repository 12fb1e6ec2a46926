package gbnf

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var randoms = flag.Int("randoms", 400, "how many random schemas TestRandomSchemas makes")

// TestRandomSchemas makes schemas of few keywords with few values, so that they overlap,
// and compares their grammars with the validator on what these make and on given values.
func TestRandomSchemas(t *testing.T) {
	t.Parallel()
	peer := openPeer(t)
	supported, accepted := 0, 0
	for i := range *randoms {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		text := randomSchema(r, 3)
		if object := strings.HasPrefix(text, "{"); object && r.IntN(2) == 0 {
			text = `{"$defs": {"d": ` + randomSchema(r, 2) + `}, ` + strings.TrimPrefix(text, "{")
			text = strings.ReplaceAll(text, ", }", "}")
		} else {
			text = strings.ReplaceAll(text, `{"$ref": "#/$defs/d"}`, "{}")
		}
		g, err := FromSchema([]byte(text))
		var broken *SchemaError
		var not *UnsupportedError
		if errors.As(err, &broken) && strings.Contains(broken.Reason, "by itself") || errors.As(err, &not) && not.Keyword != "" {
			continue
		}
		valid := validator(t, []byte(text))
		if err != nil {
			g = Choice() // no value can be written
		}
		supported++
		if err == nil {
			checkWalks(t, g, valid, nil, 10)
		}
		accepted += checkValues(t, text, g, valid, peer)
	}
	t.Logf("%d of %d schemas supported, %d values accepted", supported, *randoms, accepted)
	if supported < *randoms/3 || accepted < *randoms {
		t.Error("too few schemas say anything")
	}
}

func checkValues(t *testing.T, schema string, g *Grammar, valid func(string) error, peer func(*testing.T, string) peerFunc) (accepted int) {
	t.Helper()
	for _, text := range randomValues {
		value, err := parseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if valid(text) != nil {
			if g.accepts(t, text) {
				t.Fatalf("%s: %s is accepted and not valid; the grammar is\n%s", schema, text, g)
			}
			continue
		}
		canon, ok := canonical(t, []byte(schema), value)
		if !ok {
			continue
		}
		if !g.accepts(t, canon) {
			t.Fatalf("%s: %s is valid and refused; the grammar is\n%s", schema, canon, g)
		}
		accepted++
	}
	if peer != nil {
		llama := peer(t, g.String())
		for _, text := range randomValues {
			if got, _ := llama(text); got != g.accepts(t, text) {
				t.Fatalf("%s: llama.cpp accepts %s: %v; the grammar is\n%s", schema, text, got, g)
			}
		}
	}
	return accepted
}

var randomValues = []string{
	`null`, `true`, `false`, `0`, `1`, `2`, `3`, `-1`, `1.5`, `2.5`, `12`, `""`, `"a"`, `"b"`, `"ab"`, `"ba"`, `"abc"`, `"é"`, `[]`, `[1]`, `[1, 2]`, `["a"]`, `["a", 1]`, `[null, true, 1]`,
	`{}`, `{"a": 1}`, `{"b": 1}`, `{"a": 1, "b": 2}`, `{"a": "a"}`, `{"a": null, "b": "b"}`, `{"c": []}`, `{"a": {"a": 1}}`, `{"a": [1], "c": 3}`, `[{"a": 1}]`, `[[1], []]`, `{"a": 2, "b": 1, "c": 0}`,
}

// randomSchema makes a schema of random keywords.
func randomSchema(r *rand.Rand, depth int) string {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	if depth == 0 {
		return pick(`{}`, `true`, `{"type": "integer"}`, `{"type": "string"}`, `{"const": 1}`, `{"const": "a"}`, `{"type": ["null", "array"]}`, `{"$ref": "#/$defs/d"}`, `false`)
	}
	sub := func() string { return randomSchema(r, depth-1) }
	subs := func() string { return sub() + ", " + sub() }
	var parts []string
	keyword := map[string]bool{}
	for range 1 + r.IntN(3) {
		k := pick("type", "type", "enum", "properties", "properties", "required", "additionalProperties", "propertyNames", "items", "prefixItems", "minItems", "maxItems",
			"minimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "anyOf", "oneOf", "oneOf", "allOf", "not", "if", "patternProperties", "minProperties", "maxProperties")
		if keyword[k] {
			continue
		}
		keyword[k] = true
		v := ""
		switch k {
		case "type":
			v = pick(`"object"`, `"object"`, `"array"`, `"integer"`, `"number"`, `"string"`, `["string", "object"]`, `["integer", "null", "array"]`, `"boolean"`)
		case "enum":
			v = "[" + pick(randomValues...) + ", " + pick(randomValues...) + "]"
		case "properties":
			v = pick(`{"a": %s}`, `{"a": %s, "b": %s}`, `{"b": %s, "a": %s}`, `{"c": %s, "a": %s}`)
			for strings.Contains(v, "%s") {
				v = strings.Replace(v, "%s", sub(), 1)
			}
		case "required":
			v = pick(`["a"]`, `["b"]`, `["a", "b"]`, `[]`)
		case "additionalProperties", "items", "not":
			v = sub()
		case "propertyNames":
			v = pick(`{"enum": ["a", "b"]}`, `{"maxLength": 1}`, `{"pattern": "^[ab]"}`)
		case "patternProperties":
			v = fmt.Sprintf(`{"^a": %s}`, sub())
		case "prefixItems", "anyOf", "oneOf", "allOf":
			v = "[" + subs() + "]"
		case "if":
			v = sub() + `, "then": ` + sub() + `, "else": ` + sub()
		case "multipleOf":
			v = pick("2", "0.5", "3")
		case "pattern":
			v = pick(`"a"`, `"^a"`, `"b$"`, `"^[a-c]*$"`)
		default:
			v = pick("0", "1", "2", "3")
		}
		parts = append(parts, fmt.Sprintf("%q: %s", k, v))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
