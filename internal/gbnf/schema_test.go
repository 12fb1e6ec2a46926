package gbnf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPairs has schemas and instances of our own, in the form of the JSON Schema Test
// Suite.
func TestPairs(t *testing.T) {
	t.Parallel()
	peer := openPeer(t)
	n := &tally{keywords: map[string]int{}}
	files := readGroups(t, "testdata/pairs/*.json")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, g := range files[name] {
			valid := validator(t, g.Schema)
			for _, test := range g.Tests {
				if err := valid(string(test.Data)); (err == nil) != test.Valid {
					t.Errorf("%s: %s: %s: validates: %v", name, g.Description, test.Description, err)
				}
			}
			n.checkGroup(t, name, g, peer)
		}
	}
	t.Log(n)
	assert.Zero(t, n.unsupported)
	assert.Zero(t, n.extra)
	assert.Greater(t, n.valid, 50)
	assert.Greater(t, n.invalid, 50)
}

// TestForms checks the one form in which a value is accepted.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		schema string
		yes    []string
		no     []string
	}{
		{`{"properties": {"b": {}, "a": {}}, "type": "object"}`, []string{`{}`, `{"b": 1, "a": 2}`, `{"a": null}`}, []string{`{"a": 1, "b": 2}`, `{"a":1}`, `{"c": 1}`, `{"b": 1, "b": 2}`}},
		{`{"allOf": [{"properties": {"x": {}}}], "properties": {"y": {}}, "type": "object"}`, []string{`{"x": 1, "y": 2}`}, []string{`{"y": 2, "x": 1}`}},
		{`{"properties": {"y": {}}, "allOf": [{"properties": {"x": {}}}], "type": "object"}`, []string{`{"y": 2, "x": 1}`}, []string{`{"x": 1, "y": 2}`}},
		{`{"type": "object", "required": ["z"]}`, []string{`{"z": 0}`}, []string{`{}`, `{"a": 1, "z": 0}`}},
		{`{"type": "object"}`, []string{`{}`, `{"z": 0, "a": {"b": []}}`}, []string{`{ }`, `{"a" : 1}`, `{"a": 1,"b": 2}`}},
		{`{"type": "object", "properties": {}}`, []string{`{}`}, []string{`{"a": 1}`}},
		{`{"properties": {"a\"/\né": {}}, "type": "object"}`, []string{"{\"a\\\"/\\né\": 1}"}, []string{`{"a\"\/\né": 1}`}},
		{`{"type": "string"}`, []string{`"\/\b\u00e9\uABCD\ud7ff"`, `"é😀` + "\x7f" + `"`}, []string{`"\u12"`, `"\ud83d\ude00"`}},
		{`{"type": "string", "pattern": "^[\u0000-/]+$"}`, []string{`"\"\u0000\n/"`}, []string{`"\/"`, `"\u000A"`, `"\u000a"`, `"\u0022"`}},
		{`{"type": "array", "maxItems": 2}`, []string{`[]`, `[1]`, `[1, [2]]`}, []string{`[1,2]`, `[1, 2, 3]`}},
		{`{"enum": [{"b": 1, "a": [1, 2.50]}]}`, []string{`{"b": 1, "a": [1, 2.5]}`}, []string{`{"a": [1, 2.5], "b": 1}`, `{"b":1,"a":[1,2.5]}`}},
		{`true`, []string{`1`, `null`, `{"a": [true]}`}, []string{``, ` 1`}},
	} {
		g := schema(t, tt.schema)
		for _, s := range tt.yes {
			assert.True(t, g.accepts(t, s), "%s: %s", tt.schema, s)
		}
		for _, s := range tt.no {
			assert.False(t, g.accepts(t, s), "%s: %s", tt.schema, s)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schema, yes, no string }{
		{`{}`, `"abc"`, `"abcd"`},
		{`{"type": "string", "minLength": 5}`, `"abcde"`, `"abcdef"`},
		{`{"type": "string", "maxLength": 5}`, `"abcde"`, `"abcdef"`},
		{`{"type": "string", "pattern": "^a+$"}`, `"aaa"`, `"aaaa"`},
		{`{"type": "string", "pattern": "\\bab\\b"}`, `"ab "`, `"  ab"`},
		{`{"type": "array"}`, `[1, 2]`, `[1, 2, 3]`},
		{`{"type": "array", "minItems": 3}`, `[1, 2, 3]`, `[1, 2, 3, 4]`},
		{`{"type": "array", "prefixItems": [{}, {}, {}]}`, `[1, 2, 3]`, `[1, 2, 3, 4]`},
		{`{"type": "object"}`, `{"a": 1, "b": 2}`, `{"a": 1, "b": 2, "c": 3}`},
	} {
		g := schema(t, tt.schema, MaxString(3), MaxItems(2))
		assert.True(t, g.accepts(t, tt.yes), "%s: %s", tt.schema, tt.yes)
		assert.False(t, g.accepts(t, tt.no), "%s: %s", tt.schema, tt.no)
		open := schema(t, tt.schema, MaxString(0), MaxItems(-1))
		if !strings.Contains(tt.schema, "maxLength") {
			assert.True(t, open.accepts(t, tt.no), "%s: %s", tt.schema, tt.no)
		}
	}
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schema, path, keyword string }{
		{`{"contains": {}}`, "", "contains"},
		{`{"properties": {"a/b": {"uniqueItems": true}}}`, "/properties/a~1b", "uniqueItems"},
		{`{"$ref": "https://example.com/other"}`, "", "$ref"},
		{`{"$ref": "other.json#/x"}`, "", "$ref"},
		{`{"$dynamicRef": "#x", "$dynamicAnchor": "x"}`, "", "$dynamicRef"},
		{`{"dependentRequired": {"a": ["b"]}}`, "", "dependentRequired"},
		{`{"dependentSchemas": {"a": {"type": "object"}}}`, "", "dependentSchemas"},
		{`{"$ref": "#/$defs/a", "unevaluatedProperties": false, "$defs": {"a": {}}}`, "", "unevaluatedProperties"},
		{`{"patternProperties": {"a": {}}, "type": "object"}`, "", "patternProperties"},
		{`{"type": "object", "minProperties": 2}`, "", "minProperties"},
		{`{"oneOf": [{"type": "integer"}, {"minimum": 2}]}`, "", "oneOf"},
		{`{"items": {"not": {"minimum": 2}}, "type": "array"}`, "/items", "not"},
		{`{"if": {"minimum": 2}, "then": {"type": "null"}}`, "", "if"},
		{`{"multipleOf": 0.123456789}`, "", "multipleOf"},
		{`{"pattern": "(?=a)"}`, "/pattern", "pattern"},
		{`{"minLength": 100000, "type": "string"}`, "", "minLength"},
		{`{"$schema": "http://json-schema.org/draft-07/schema#"}`, "", "$schema"},
		{`{"properties": {"a": {"$id": "x"}}}`, "/properties/a", "$id"},
		{`{"minimum": 1e999999999}`, "", ""},
		{`false`, "", ""},
		{`{"type": "string", "maxLength": 2, "minLength": 3}`, "", ""},
		{`{"properties": {"a": {"$ref": "#"}}, "required": ["a"], "type": "object"}`, "", ""},
		{`{"type": "array", "minItems": 60000, "items": {"type": "array", "minItems": 60000}}`, "", ""},
	} {
		_, err := FromSchema([]byte(tt.schema))
		var not *UnsupportedError
		if assert.ErrorAs(t, err, &not, "%s: %v", tt.schema, err) {
			assert.Equal(t, tt.keyword, not.Keyword, "%s: %v", tt.schema, err)
			assert.Equal(t, tt.path, not.Path, "%s: %v", tt.schema, err)
			assert.NotEmpty(t, not.Reason)
		}
	}
}

func TestBrokenSchemas(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		``, `{`, `{} {}`, `[]`, `"a"`, `{"type": "text"}`, `{"type": 3}`, `{"minimum": "a"}`, `{"required": "a"}`, `{"a": 1, "a": 2}`,
		`{"$ref": "#/$defs/none"}`, `{"$ref": "#"}`, `{"anyOf": [{"$ref": "#"}]}`, `{"enum": 1}`, `{"minLength": -1}`, `{"properties": {"a": 3}}`,
		strings.Repeat(`{"items": `, 1000) + `{}` + strings.Repeat(`}`, 1000),
	} {
		_, err := FromSchema([]byte(s))
		var broken *SchemaError
		assert.ErrorAs(t, err, &broken, "%.100s: %v", s, err)
		assert.False(t, errors.As(err, new(*UnsupportedError)), "%.100s", s)
	}
}

// TestHardSchemas has schemas that take long or much where nothing limits the work.
func TestHardSchemas(t *testing.T) {
	t.Parallel()
	double := `{"$defs": {"d0": {"type": "object", "properties": {"a": {"type": "integer"}}}`
	for i := 1; i <= 40; i++ {
		double += fmt.Sprintf(`, "d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]}`, i, i-1, i-1)
	}
	g := schema(t, double+`}, "$ref": "#/$defs/d40"}`)
	assert.True(t, g.accepts(t, `{"a": 1}`))

	choices := `{"allOf": [` + strings.Repeat(`{"anyOf": [{"minimum": 1}, {"maximum": 5}, {"multipleOf": 3}]}, `, 20) + `{}]}`
	_, err := FromSchema([]byte(choices))
	assert.ErrorAs(t, err, new(*UnsupportedError))

	_, err = FromSchema([]byte(`{"type": "string", "pattern": "(a|b)*a(a|b){24}c", "minLength": 1}`))
	var not *UnsupportedError
	require.ErrorAs(t, err, &not)
	assert.Equal(t, "pattern", not.Keyword)
}
