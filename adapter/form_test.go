package adapter_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

func limited(k signature.Kind, ops ...any) signature.Field {
	f := signature.Field{Name: "v", Type: &signature.Type{Kind: k}}
	for i := 0; i < len(ops); i += 2 {
		f.Constraints = append(f.Constraints, signature.Constraint{Op: ops[i].(signature.ConstraintOp), Bound: ops[i+1]})
	}
	return f
}

func TestHolesOfConstraints(t *testing.T) {
	t.Parallel()
	brought := func(schema string) signature.Field {
		typ, err := signature.SchemaType("Mine", []byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		return signature.Field{Name: "v", Type: typ}
	}
	text := lm.Segment{Hole: lm.HoleText}
	held := func(schema string) lm.Segment { return lm.Segment{Hole: lm.HoleJSON, Schema: []byte(schema)} }
	pattern := func(p string) lm.Segment { return lm.Segment{Hole: lm.HolePattern, Pattern: p} }
	point := signature.ObjectOf("Point", limited(signature.KindInt, signature.AtLeast, 0))
	list := signature.Field{Name: "v", Type: signature.ListOf(point), Constraints: []signature.Constraint{{Op: signature.MaxLength, Bound: int64(2)}}}
	maybe := limited(signature.KindString, signature.Pattern, "^a$")
	maybe.Type.Optional = true
	for _, tt := range []struct {
		name string
		f    signature.Field
		bare lm.Segment // of Chat and Compact
		json lm.Segment
	}{
		{"int", limited(signature.KindInt), lm.Segment{Hole: lm.HoleInt}, lm.Segment{Hole: lm.HoleInt}},
		{"float", limited(signature.KindFloat), lm.Segment{Hole: lm.HoleFloat}, lm.Segment{Hole: lm.HoleFloat}},
		{"bounded int", limited(signature.KindInt, signature.AtLeast, 1, signature.AtMost, 5), held(`{"type":"integer","minimum":1,"maximum":5}`), held(`{"type":"integer","minimum":1,"maximum":5}`)},
		{"bounded float", limited(signature.KindFloat, signature.LessThan, 0.5), held(`{"type":"number","exclusiveMaximum":0.5}`), held(`{"type":"number","exclusiveMaximum":0.5}`)},
		{"whole pattern", limited(signature.KindString, signature.MinLength, 1, signature.Pattern, `^[A-Z]+$`), pattern(`^[A-Z]+$`), held(`{"type":"string","minLength":1,"pattern":"^[A-Z]+$"}`)},
		{"other anchors", limited(signature.KindString, signature.Pattern, `(\Aa|\Ab(c|d))\z`), pattern(`(\Aa|\Ab(c|d))\z`), held(`{"type":"string","pattern":"(\\Aa|\\Ab(c|d))\\z"}`)},
		{"anchored alternatives", limited(signature.KindString, signature.Pattern, `^a$|^b$`), pattern(`^a$|^b$`), held(`{"type":"string","pattern":"^a$|^b$"}`)},
		{"half anchored alternatives", limited(signature.KindString, signature.Pattern, `^a|b$`), text, held(`{"type":"string","pattern":"^a|b$"}`)},
		{"open end", limited(signature.KindString, signature.Pattern, `^a`), text, held(`{"type":"string","pattern":"^a"}`)},
		{"open beginning", limited(signature.KindString, signature.Pattern, `a$`), text, held(`{"type":"string","pattern":"a$"}`)},
		{"ends of lines", limited(signature.KindString, signature.Pattern, `(?m)^a$`), text, held(`{"type":"string","pattern":"(?m)^a$"}`)},
		{"lengths", limited(signature.KindString, signature.MinLength, 1, signature.MaxLength, 9), text, held(`{"type":"string","minLength":1,"maxLength":9}`)},
		{"code", limited(signature.KindCode, signature.MinLength, 1), text, held(`{"type":"string","minLength":1}`)},
		{"maybe a text", maybe, text, held(`{"anyOf":[{"type":"string","pattern":"^a$"},{"type":"null"}]}`)},
		{
			"list", list,
			held(`{"type":"array","items":{"$ref":"#/$defs/Point"},"maxItems":2,"$defs":{"Point":{"type":"object","properties":{"v":{"type":"integer","minimum":0}},"required":["v"]}}}`),
			held(`{"type":"array","items":{"$ref":"#/$defs/Point"},"maxItems":2,"$defs":{"Point":{"type":"object","properties":{"v":{"type":"integer","minimum":0}},"required":["v"]}}}`),
		},
		{"schema of objects", brought(`{"type": "object", "required": ["a"]}`), held(`{"type":"object","required":["a"]}`), held(`{"type":"object","required":["a"]}`)},
		{"schema of texts", brought(`{"type": "string"}`), text, held(`{"type":"string"}`)},
		{"schema of objects or nothing", brought(`{"type": ["object", "null"]}`), text, held(`{"type":["object","null"]}`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sig, err := signature.New("", nil, []signature.Field{tt.f})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range []adapter.Adapter{adapter.Chat{}, adapter.Compact{}, adapter.Compact{Turns: true}, adapter.JSON{}} {
				want := tt.bare
				if a.Name() == "json" {
					want = tt.json
				}
				want.Name = "v"
				shape := shapeOf(t, prepared(t, a, sig))
				var got []lm.Segment
				for i, s := range shape.Segments {
					if s.Hole == lm.HoleNone {
						continue
					}
					got = append(got, s)
					if s.Hole != lm.HoleText && a.Name() == "compact" && (i == 0 || !strings.HasSuffix(shape.Segments[i-1].Literal, " ")) {
						t.Errorf("%s: there is no space before the hole", a.Name())
					}
				}
				if diff := cmp.Diff([]lm.Segment{want}, got); diff != "" {
					t.Errorf("%s: holes differ (-want +got):\n%s", a.Name(), diff)
				}
			}
		})
	}
}

// shapeOf returns the shape of a request for a signature whose only input is a text.
func shapeOf(t *testing.T, tmpl adapter.Template) *lm.Shape {
	t.Helper()
	req, err := tmpl.Request(signature.RecordOf("text", "more"))
	if err != nil {
		t.Fatal(err)
	}
	if err := req.Validate(); err != nil {
		t.Fatal(err)
	}
	return req.Shape
}

// filled writes a record into a shape as a backend does that holds to it: numbers and
// JSON as Python's json.dumps writes them. each sees the text of every hole.
func filled(t *testing.T, a adapter.Adapter, shape *lm.Shape, sig *signature.Signature, r signature.Record, each func(lm.Segment, string)) string {
	t.Helper()
	var b strings.Builder
	for _, s := range shape.Segments {
		if s.Hole == lm.HoleNone {
			b.WriteString(s.Literal)
			continue
		}
		name, inside, _ := strings.Cut(s.Name, ".")
		f, _ := sig.Output(name)
		typ := f.Type
		v, _ := r.Get(name)
		for inside != "" { // an object of nothing but choices
			name, inside, _ = strings.Cut(inside, ".")
			for _, f := range typ.Fields {
				if f.Name == name {
					typ = f.Type
					break
				}
			}
			v, _ = v.(signature.Record).Get(name)
		}
		text, err := signature.MarshalPython(v)
		if err != nil {
			t.Fatal(err)
		}
		scalar, isScalar := signature.PythonScalar(v)
		switch s.Hole {
		case lm.HoleChoice:
			for i, c := range adapter.Choices(typ) {
				if c == scalar {
					text = s.Choices[i].Text
				}
			}
		case lm.HoleText, lm.HolePattern:
			if isScalar {
				text = scalar
			}
			if s.Hole == lm.HoleText && a.Name() == "compact" {
				text = " " + text
			}
		}
		each(s, text)
		b.WriteString(text)
	}
	return b.String()
}

// bound adds constraints that a value fulfils.
func bound(f *signature.Field, v signature.Value, rng *rand.Rand) {
	add := func(op signature.ConstraintOp, b any) {
		if rng.IntN(2) == 0 {
			f.Constraints = append(f.Constraints, signature.Constraint{Op: op, Bound: b})
		}
	}
	if f.Type.Optional {
		return
	}
	switch v := v.(type) {
	case int64, float64:
		if f.Type.Kind == signature.KindInt || f.Type.Kind == signature.KindFloat {
			add(signature.AtLeast, v)
			add(signature.AtMost, v)
		}
	case string:
		if f.Type.Kind == signature.KindString {
			add(signature.Pattern, `^w( |[a-zI9,().])+$`)
			if len(f.Constraints) == 0 { // the length of a text of a pattern is not enforced
				add(signature.MaxLength, int64(len(v)))
			}
		}
	case []signature.Value:
		if f.Type.Kind == signature.KindList {
			add(signature.MinLength, int64(len(v)))
			add(signature.MaxLength, int64(len(v)))
		}
	}
}

// A reply that fills the holes with a record is read as that record, and without any
// repair.
func TestFilledShapes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 3))
	kinds := map[lm.HoleKind]int{}
	for range 500 {
		data := make([]byte, 20+rng.IntN(150))
		for i := range data {
			data[i] = byte(rng.IntN(256))
		}
		src := source{data: data, tame: true}
		plain, r := src.record(t)
		outs := append([]signature.Field(nil), plain.Outputs()...)
		for i := range outs {
			v, _ := r.Get(outs[i].Name)
			bound(&outs[i], v, rng)
		}
		sig, err := signature.New("", plain.Inputs(), outs)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []adapter.Adapter{
			adapter.Chat{}, adapter.Chat{Strict: true}, adapter.JSON{}, adapter.JSON{Strict: true}, adapter.Compact{}, adapter.Compact{Turns: true},
		} {
			tmpl, err := a.Prepare(adapter.Program{Signature: sig})
			var fe *adapter.FormatError
			if errors.As(err, &fe) && strings.HasPrefix(a.Name(), "compact") {
				continue // says which types it has no line for
			}
			if err != nil {
				t.Fatal(err)
			}
			reply := filled(t, a, shapeOf(t, tmpl), sig, r, func(s lm.Segment, text string) {
				kinds[s.Hole]++
				if s.Hole == lm.HoleJSON {
					validate(t, s.Schema, text)
				}
			})
			checkReply(t, a, tmpl, sig, r, reply)
		}
		if t.Failed() {
			return
		}
	}
	for _, k := range []lm.HoleKind{lm.HoleText, lm.HoleChoice, lm.HoleInt, lm.HoleFloat, lm.HoleJSON, lm.HolePattern} {
		if kinds[k] < 50 {
			t.Errorf("only %d holes of kind %d were filled", kinds[k], k)
		}
	}
}

// checkReply checks that a reply is read as a record.
func checkReply(t *testing.T, a adapter.Adapter, tmpl adapter.Template, sig *signature.Signature, want signature.Record, reply string) {
	t.Helper()
	got, repairs, err := tmpl.Parse(reply, signature.RecordOf("text", "more"))
	if err != nil {
		t.Fatalf("%T%+v: %s\n%q: %v", a, a, sig, reply, err)
	}
	if len(repairs) > 0 {
		t.Errorf("%T%+v: %s\n%q needed the repairs %v", a, a, sig, reply, repairs)
	}
	for _, f := range sig.Outputs() {
		w, _ := want.Get(f.Name)
		have, _ := got.Get(f.Name)
		if w = normalized(a, w); !signature.EqualValues(w, have) {
			t.Errorf("%T%+v: field %s (%s): %#v became %#v in\n%q", a, a, f.Name, f.Type, w, have, reply)
		}
	}
}

// validate checks a text against a JSON Schema.
func validate(t *testing.T, schema []byte, text string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
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
	if err := s.Validate(v); err != nil {
		t.Errorf("%s is not of %s: %v", text, schema, err)
	}
}
