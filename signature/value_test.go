package signature_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/signature"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	r := signature.RecordOf("a", 1, "b", "x")
	more := r.With("c", true)
	changed := r.With("a", int64(2))
	less := r.Without("a")
	merged := r.Merge(signature.RecordOf("d", 4.5, "b", "y"))
	for _, tt := range []struct {
		name string
		got  signature.Record
		want string
	}{
		{"the first one", r, `{"a":1,"b":"x"}`},
		{"With a new field", more, `{"a":1,"b":"x","c":true}`},
		{"With a known field", changed, `{"a":2,"b":"x"}`},
		{"Without", less, `{"b":"x"}`},
		{"Without an unknown field", r.Without("z"), `{"a":1,"b":"x"}`},
		{"Merge", merged, `{"a":1,"b":"y","d":4.5}`},
		{"zero", signature.Record{}, `{}`},
	} {
		data, err := tt.got.MarshalJSON()
		if err != nil || string(data) != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, data, err, tt.want)
		}
	}
	if v, ok := r.Get("b"); v != "x" || !ok {
		t.Errorf("Get(b) = %v, %v", v, ok)
	}
	if v, ok := r.Get("z"); v != nil || ok {
		t.Errorf("Get(z) = %v, %v", v, ok)
	}
	if n, v := r.At(1); n != "b" || v != "x" {
		t.Errorf("At(1) = %v, %v", n, v)
	}
	// Two changes of one record do not see each other.
	x, y := more.With("x", int64(1)), more.With("y", int64(2))
	if n, _ := x.At(3); n != "x" {
		t.Errorf("x became %s", n)
	}
	if n, _ := y.At(3); n != "y" {
		t.Errorf("y became %s", n)
	}
	for range r.All() {
		break
	}
}

func TestRecordEqual(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	full := func() signature.Record {
		return signature.RecordOf("t", now, "l", []string{"a"}, "o", signature.RecordOf("n", nil))
	}
	if !full().Equal(full()) || !full().Equal(full().With("t", now.In(time.FixedZone("", 3600)))) {
		t.Error("equal records differ")
	}
	for _, other := range []signature.Record{
		{},
		full().Without("t"), full().With("l", "a"), full().With("o", nil), full().With("t", "x"),
		full().Without("t").With("t", now), // another order
	} {
		if full().Equal(other) || other.Equal(full()) {
			t.Errorf("%v equals %v", full(), other)
		}
	}
	if signature.EqualValues("a", []signature.Value{}) || signature.EqualValues(int64(1), 1.0) {
		t.Error("values of different types are equal")
	}
}

func TestRecordOfPanics(t *testing.T) {
	t.Parallel()
	for _, pairs := range [][]any{{"a"}, {1, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RecordOf(%v) did not panic", pairs)
				}
			}()
			signature.RecordOf(pairs...)
		}()
	}
}

func TestParseValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]signature.Value{
		"null": nil, "true": true, `"a"`: "a", "1": int64(1), "1.0": 1.0, "1e3": 1000.0, "-7": int64(-7),
		"9223372036854775808":        9223372036854775808.0,
		" [1, \"x\", []] \n":         []signature.Value{int64(1), "x", []signature.Value{}},
		`{"b": 1, "a": {"c": null}}`: signature.RecordOf("b", 1, "a", signature.RecordOf("c", nil)),
		"{}":                         signature.Record{},
		strings.Repeat("[", 200) + strings.Repeat("]", 200): deep(200),
	} {
		got, err := signature.ParseValue([]byte(in))
		if err != nil || !signature.EqualValues(got, want) {
			t.Errorf("ParseValue(%.40q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		`{"a":1,"a":2}`: "twice", `{"x":{"a":1,"a":2}}`: "twice", "1 2": "more text", "{} x": "more text", "[1]]": "more text",
		strings.Repeat("[", 300): "deeper", "1e999": "out of range", "": "not JSON", "[1": "not JSON", "{1:2}": "", "[1,]": "", "nul": "",
	} {
		if got, err := signature.ParseValue([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseValue(%.40q) = %v, %v; want an error with %q", in, got, err, want)
		}
	}
	if _, err := signature.ParseRecord([]byte("[1]")); err == nil {
		t.Error("a list was read as a record")
	}
}

func deep(n int) signature.Value {
	v := []signature.Value{}
	for range n - 1 {
		v = []signature.Value{v}
	}
	return v
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	v := signature.RecordOf("s", "ä<\u2028\"\n\x01", "f", 2.0, "l", []signature.Value{nil, true, int64(1)})
	data, err := signature.MarshalValue(v)
	if want := "{\"s\":\"ä<\u2028\\\"\\n\\u0001\",\"f\":2.0,\"l\":[null,true,1]}"; err != nil || string(data) != want {
		t.Errorf("MarshalValue: %s, %v; want %s", data, err, want)
	}
	text, err := signature.MarshalPython(signature.RecordOf("a", []signature.Value{int64(1), int64(2)}, "b", "x"))
	if want := `{"a": [1, 2], "b": "x"}`; err != nil || text != want {
		t.Errorf("MarshalPython: %s, %v; want %s", text, err, want)
	}
	for _, bad := range []signature.Value{math.NaN(), math.Inf(1), 1, []signature.Value{math.NaN()}, signature.RecordOf("a", struct{}{})} {
		if data, err := signature.MarshalValue(bad); err == nil {
			t.Errorf("%v was written as %s", bad, data)
		}
	}
}

func TestFormatFloat(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		0: "0.0", 42: "42.0", -1.5: "-1.5", 0.0001: "0.0001", 0.00001: "1e-05", 1e15: "1000000000000000.0", 1e16: "1e+16", 1.25e-7: "1.25e-07", 1e100: "1e+100",
	} {
		if got := signature.FormatFloat(f); got != want {
			t.Errorf("FormatFloat(%g) = %s, want %s", f, got, want)
		}
	}
}

func TestCoerce(t *testing.T) {
	t.Parallel()
	kind := func(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }
	enum := &signature.Type{Kind: signature.KindEnum, Choices: []string{"a", "b"}}
	ints := &signature.Type{Kind: signature.KindList, Elem: kind(signature.KindInt)}
	obj := &signature.Type{Kind: signature.KindObject, Name: "O", Fields: []signature.Field{
		{Name: "x", Type: kind(signature.KindInt)}, {Name: "y", Type: &signature.Type{Kind: signature.KindString, Optional: true}},
	}}
	day := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		typ      *signature.Type
		in, want signature.Value
		err      string
	}{
		{typ: kind(signature.KindString), in: "x", want: "x"},
		{typ: kind(signature.KindString), in: int64(1), err: "want str, got 1"},
		{typ: kind(signature.KindInt), in: 42.0, want: int64(42)},
		{typ: kind(signature.KindInt), in: 42.5, err: "want int"},
		{typ: kind(signature.KindInt), in: 1e300, err: "want int"},
		{typ: kind(signature.KindInt), in: "42", err: "want int"},
		{typ: kind(signature.KindFloat), in: int64(2), want: 2.0},
		{typ: kind(signature.KindFloat), in: math.NaN(), err: "want float"},
		{typ: kind(signature.KindBool), in: true, want: true},
		{typ: kind(signature.KindBool), in: "true", err: "want bool"},
		{typ: kind(signature.KindTime), in: "2024-05-06", want: day},
		{typ: kind(signature.KindTime), in: day, want: day},
		{typ: kind(signature.KindTime), in: "soon", err: "want datetime"},
		{typ: enum, in: "a", want: "a"},
		{typ: enum, in: "c", err: "want one of a, b"},
		{typ: ints, in: []signature.Value{1.0, int64(2)}, want: []signature.Value{int64(1), int64(2)}},
		{typ: ints, in: []signature.Value{int64(1), "x"}, err: "item 1"},
		{typ: ints, in: "x", err: "want list[int]"},
		{typ: obj, in: signature.RecordOf("z", 1, "x", 2.0), want: signature.RecordOf("x", 2, "y", nil)},
		{typ: obj, in: signature.RecordOf("y", "a"), err: `field "x"`},
		{typ: obj, in: strings.Repeat("long", 50), err: "..."},
		{typ: kind(signature.KindInt), in: nil, err: "got nothing"},
		{typ: &signature.Type{Kind: signature.KindInt, Optional: true}, in: nil, want: nil},
	} {
		got, err := signature.Coerce(tt.typ, tt.in)
		switch {
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("Coerce(%s, %v) = %v, %v; want an error with %q", tt.typ, tt.in, got, err, tt.err)
		case tt.err == "" && err != nil:
			t.Errorf("Coerce(%s, %v): %v", tt.typ, tt.in, err)
		case tt.err == "":
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Coerce(%s, %v) (-want +got):\n%s", tt.typ, tt.in, diff)
			}
		}
	}
}

func FuzzParseValue(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := signature.ParseValue(data)
		if err != nil {
			return
		}
		out, err := signature.MarshalValue(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := signature.ParseValue(out)
		if err != nil || !signature.EqualValues(v, back) {
			t.Fatalf("%q became %s and then %v, %v", data, out, back, err)
		}
	})
}
