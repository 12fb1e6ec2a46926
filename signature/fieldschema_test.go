package signature_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/whetgo/whet/signature"
)

func ofKind(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }

func constrained(name string, t *signature.Type, ops ...any) signature.Field {
	f := signature.Field{Name: name, Type: t}
	for i := 0; i < len(ops); i += 2 {
		f.Constraints = append(f.Constraints, signature.Constraint{Op: ops[i].(signature.ConstraintOp), Bound: ops[i+1]})
	}
	return f
}

func schemaType(t *testing.T, name, schema string) *signature.Type {
	t.Helper()
	typ, err := signature.SchemaType(name, []byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestFieldSchema(t *testing.T) {
	t.Parallel()
	color := &signature.Type{Kind: signature.KindEnum, Name: "Color", Choices: []string{"r", "b"}, Members: []string{"RED", "BLUE"}}
	part := signature.ObjectOf("Part[a/b]",
		constrained("size", ofKind(signature.KindInt), signature.AtLeast, 1, signature.LessThan, 10),
		signature.Field{Name: "color", Type: color, Desc: "which"},
		constrained("a_note", signature.OptionalOf(ofKind(signature.KindString)), signature.MaxLength, 5),
		signature.Field{Name: "kind", Type: ofKind(signature.KindString), Default: "x", HasDefault: true},
	)
	const partSchema = `{"type":"object","properties":{"size":{"type":"integer","minimum":1,"exclusiveMaximum":10},"color":{"$ref":"#/$defs/Color"},` +
		`"a_note":{"anyOf":[{"type":"string","maxLength":5},{"type":"null"}]},"kind":{"type":"string"}},"required":["size","color","a_note"]}`
	const colorSchema = `"Color":{"type":"string","enum":["r","b"]}`
	tree := schemaType(t, "a tree", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {
		"enum": {"$ref": "#/$defs/leaf"}, "$ref": {"enum": [{"$ref": "#"}]}, "left": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "$defs": {"leaf": {"type": "integer"}}}`)
	const treeSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{` +
		`"enum":{"$ref":"#/$defs/a_tree/$defs/leaf"},"$ref":{"enum":[{"$ref":"#"}]},"left":{"anyOf":[{"$ref":"#/$defs/a_tree"},{"type":"null"}]}},"$defs":{"leaf":{"type":"integer"}}}`
	other := schemaType(t, "a tree", `{"type": "boolean"}`)
	for _, tt := range []struct {
		name string
		f    signature.Field
		want string
	}{
		{"int", constrained("n", ofKind(signature.KindInt)), `{"type":"integer"}`},
		{"bounded int", constrained("n", ofKind(signature.KindInt), signature.AtLeast, 0, signature.AtMost, 10), `{"type":"integer","minimum":0,"maximum":10}`},
		{"bounded float", constrained("n", ofKind(signature.KindFloat), signature.MoreThan, 0.5, signature.MultipleOf, 0.25), `{"type":"number","exclusiveMinimum":0.5,"multipleOf":0.25}`},
		{"optional", constrained("n", signature.OptionalOf(ofKind(signature.KindInt)), signature.AtLeast, 0), `{"anyOf":[{"type":"integer","minimum":0},{"type":"null"}]}`},
		{"pattern", constrained("s", ofKind(signature.KindString), signature.Pattern, "^[a-z]+$", signature.MinLength, 2), `{"type":"string","pattern":"^[a-z]+$","minLength":2}`},
		{"list", constrained("xs", signature.ListOf(ofKind(signature.KindInt)), signature.MinLength, 1), `{"type":"array","items":{"type":"integer"},"minItems":1}`},
		{"set", constrained("xs", signature.SetOf(ofKind(signature.KindString)), signature.MaxLength, 3), `{"type":"array","items":{"type":"string"},"maxItems":3}`},
		{"dict", constrained("d", signature.DictOf(nil, nil), signature.MinLength, 1), `{"type":"object","additionalProperties":true,"minProperties":1}`},
		{"dict of numbers", constrained("d", signature.DictOf(ofKind(signature.KindInt), ofKind(signature.KindBool))), `{"type":"object","additionalProperties":{"type":"boolean"},"propertyNames":{"pattern":"^(0|-?[1-9][0-9]{0,17})$"}}`},
		{"dict of floats", constrained("d", signature.DictOf(ofKind(signature.KindFloat), nil)), `{"type":"object","additionalProperties":true,"propertyNames":{"pattern":"^-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?$"}}`},
		{"dict of truth values", constrained("d", signature.DictOf(ofKind(signature.KindBool), nil)), `{"type":"object","additionalProperties":true,"propertyNames":{"enum":["true","false"]}}`},
		{"dict of times", constrained("d", signature.DictOf(ofKind(signature.KindTime), nil)), `{"type":"object","additionalProperties":true,"propertyNames":{"format":"date-time","pattern":"^0{0,3}[1-9]"}}`},
		{"time", constrained("t", ofKind(signature.KindTime)), `{"type":"string","format":"date-time","pattern":"^0{0,3}[1-9]"}`},
		{"dict of choices", constrained("d", signature.DictOf(signature.LiteralOf("a", "b"), nil)), `{"type":"object","additionalProperties":true,"propertyNames":{"enum":["a","b"]}}`},
		{"code", constrained("c", ofKind(signature.KindCode), signature.MinLength, 1), `{"type":"string","minLength":1}`},
		{"codes", constrained("c", signature.ListOf(ofKind(signature.KindCode))), `{"type":"array","items":{"type":"string"}}`},
		{"enum", constrained("c", color), `{"type":"string","enum":["r","b"]}`},
		{"object", constrained("p", part), partSchema[:len(partSchema)-1] + `,"$defs":{` + colorSchema + `}}`},
		{"objects", constrained("p", signature.ListOf(part)), `{"type":"array","items":{"$ref":"#/$defs/Part_a_b_"},"$defs":{` + colorSchema + `,"Part_a_b_":` + partSchema + `}}`},
		{"tuple", constrained("t", signature.TupleOf(color, color)), `{"type":"array","prefixItems":[{"$ref":"#/$defs/Color"},{"$ref":"#/$defs/Color"}],"minItems":2,"maxItems":2,"$defs":{` + colorSchema + `}}`},
		{"schema", constrained("t", other), `{"type":"boolean"}`},
		{"schemas inside", constrained("t", signature.TupleOf(tree, other, tree)), `{"type":"array","prefixItems":[{"$ref":"#/$defs/a_tree"},{"$ref":"#/$defs/a_tree2"},{"$ref":"#/$defs/a_tree"}],"minItems":3,"maxItems":3,` +
			`"$defs":{"a_tree":` + treeSchema + `,"a_tree2":{"type":"boolean"}}}`},
		{"maybe a schema", constrained("t", signature.OptionalOf(other)), `{"anyOf":[{"$ref":"#/$defs/a_tree"},{"type":"null"}],"$defs":{"a_tree":{"type":"boolean"}}}`},
		{"another draft inside", constrained("t", signature.ListOf(schemaType(t, "X", `{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}`))), `{"type":"array","items":{}}`},
		{"an address inside", constrained("t", signature.ListOf(schemaType(t, "X", `{"$defs": {"a": {"$anchor": "a"}}, "items": {"$ref": "#a"}}`))), `{"type":"array","items":{}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, err := signature.MarshalValue(tt.f.Type.Schema())
			if err != nil {
				t.Fatal(err)
			}
			got, err := signature.MarshalValue(tt.f.Schema())
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			validator(t, got)
			if after, _ := signature.MarshalValue(tt.f.Type.Schema()); !bytes.Equal(before, after) {
				t.Errorf("what is shown became %s, was %s", after, before)
			}
		})
	}
}

// validator compiles a schema, which must be one and lead nowhere else.
func validator(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return s
}

type fieldSchemaPart struct {
	Size  int        `json:"size" min:"1" max:"9"`
	Code  string     `json:"code" pattern:"^[A-Z]+$"`
	Seen  *time.Time `json:"seen"`
	Names []string   `json:"names" minlen:"1"`
}

// What the schema of a Go type's field lets through is what Check lets through.
func TestFieldSchemaAgreesWithCheck(t *testing.T) {
	t.Parallel()
	sig, err := signature.Of[struct {
		Text string `json:"text"`
	}, struct {
		Parts []fieldSchemaPart `json:"parts" maxlen:"2"`
	}]("")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := sig.Output("parts")
	schema, err := signature.MarshalValue(f.Schema())
	if err != nil {
		t.Fatal(err)
	}
	s := validator(t, schema)
	const good = `{"size": 3, "code": "AB", "seen": null, "names": ["x"]}`
	for text, ok := range map[string]bool{
		`[]`:             true,
		`[` + good + `]`: true,
		`[` + strings.Repeat(good+",", 2) + good + `]`:                               false,
		`[` + strings.Replace(good, "3", "10", 1) + `]`:                              false,
		`[` + strings.Replace(good, "AB", "ab", 1) + `]`:                             false,
		`[` + strings.Replace(good, `["x"]`, `[]`, 1) + `]`:                          false,
		`[` + strings.Replace(good, "null", `"2026-01-02T03:04:05Z"`, 1) + `]`:       true,
		`[` + strings.Replace(good, `, "seen": null`, ``, 1) + `]`:                   false,
		`[` + strings.Replace(good, `"size": 3`, `"size": 3, "more": true`, 1) + `]`: true,
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); (err == nil) != ok {
			t.Errorf("%s: the schema says %v", text, err)
		}
		v, err := signature.ParseValue([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if v, err = signature.Coerce(f.Type, v); err == nil {
			err = f.Check(v)
		}
		// Coerce takes a field that is lacking for nothing, where it may be that.
		if lacks := !strings.Contains(text, "seen") && text != "[]"; !lacks && (err == nil) != ok {
			t.Errorf("%s: the check says %v", text, err)
		}
	}
}
