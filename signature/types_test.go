package signature

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type mood string

func (mood) Enum() []string { return []string{"good", "bad"} }

type spot struct {
	Name string  `json:"name" minlen:"1"`
	Lat  float64 `json:"lat" min:"-90" max:"90" default:"0"`
}

func (spot) Description() string { return "Somewhere." }

type everything struct {
	Photo  Image            `json:"photo"`
	Sound  *Audio           `json:"sound"`
	Doc    File             `json:"doc"`
	Talk   History          `json:"talk"`
	Why    Reasoning        `json:"why"`
	Source Code             `json:"source" code:"go"`
	Tools  []Tool           `json:"tools"`
	Calls  ToolCalls        `json:"calls"`
	Ages   map[string]int   `json:"ages"`
	ByID   map[uint8]string `json:"by_id"`
	Pair   [2]float64       `json:"pair"`
	Free   any              `json:"free"`
	Extra  Record           `json:"extra"`
	Stars  int              `json:"stars" enum:"1,2,3"`
	Mood   mood             `json:"mood" dspy:"enum"`
	Place  spot             `json:"place"`
	Small  float32          `json:"small"`
	Score  float64          `json:"score" min:"0" below:"1.5"`
}

func TestEveryType(t *testing.T) {
	t.Parallel()
	sig, err := Of[struct{ Q string }, everything]("")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"photo": "Image", "sound": "Union[Audio, NoneType]", "doc": "File", "talk": "History", "why": "str", "source": "Code_go",
		"tools": "list[Tool]", "calls": "ToolCalls", "ages": "dict[str, int]", "by_id": "dict[int, str]", "pair": "tuple[float, float]",
		"free": "Any", "extra": "dict[str, Any]", "stars": "Literal[1, 2, 3]", "mood": "mood", "place": "spot", "small": "float", "score": "float",
	}
	for _, f := range sig.Outputs() {
		if got := f.Type.String(); got != want[f.Name] {
			t.Errorf("%s is a %s, want %s", f.Name, got, want[f.Name])
		}
	}
	score, _ := sig.Output("score")
	if got, want := score.ConstraintText(), "greater than or equal to: 0, less than: 1.5"; got != want {
		t.Errorf("constraints %q, want %q", got, want)
	}
	value := everything{
		Photo: Image{URL: "https://example.test/a.png"}, Doc: File{ID: "f1", Name: "a.pdf"},
		Talk: History{Turns: []Record{RecordOf("q", "one", "a", "two")}}, Why: "because", Source: "package a",
		Tools: []Tool{{Name: "add", Args: RecordOf("x", RecordOf("type", "integer"))}},
		Calls: ToolCalls{Calls: []ToolCall{{Name: "add", Args: RecordOf("x", 1)}}},
		Ages:  map[string]int{"b": 2, "a": 1}, ByID: map[uint8]string{10: "ten", 9: "nine"}, Pair: [2]float64{1, 2.5},
		Free: []Value{int64(1), "x"}, Extra: RecordOf("k", true), Stars: 2, Mood: "bad", Place: spot{"Rome", 41.9}, Small: 0.1, Score: 1,
	}
	rec, err := Encode(value)
	if err != nil {
		t.Fatal(err)
	}
	data, err := MarshalValue(rec)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ages":{"a":1,"b":2}`, `"by_id":{"9":"nine","10":"ten"}`, `"small":0.1,`, `"doc":{"file_id":"f1","filename":"a.pdf"}`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the record lacks %s: %s", want, data)
		}
	}
	read, err := ParseRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	var back everything
	if err := Decode(read, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(value, back, cmp.Comparer(Record.Equal)); diff != "" {
		t.Error(diff)
	}
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	type out struct {
		N     int      `json:"n" min:"1" max:"9" multiple:"2"`
		F     float64  `json:"f" above:"0" below:"1" multiple:"0.1"`
		S     string   `json:"s" minlen:"2" maxlen:"3" pattern:"^[a-zé]+$"`
		L     []string `json:"l" maxlen:"2"`
		P     spot     `json:"p"`
		Maybe *int     `json:"maybe" min:"5"`
	}
	sig, err := Of[struct{ Q string }, out]("")
	if err != nil {
		t.Fatal(err)
	}
	object := func(lat float64) Value { return RecordOf("name", "x", "lat", lat) }
	for _, c := range []struct {
		field string
		v     Value
		want  string // in the error, "" for none
	}{
		{"n", int64(2), ""},
		{"n", int64(0), "greater than or equal to: 1"},
		{"n", int64(10), "less than or equal to: 9"},
		{"n", int64(3), "multiple"},
		{"f", 0.3, ""},
		{"f", 0.0, "greater than: 0"},
		{"f", 1.0, "less than: 1"},
		{"f", 0.35, "multiple"},
		{"s", "éé", ""},
		{"s", "a", "minimum length: 2"},
		{"s", "abcd", "maximum length: 3"},
		{"s", "aB", "matches"},
		{"l", []Value{"a", "b", "c"}, "maximum length: 2"},
		{"l", []Value{}, ""},
		{"p", object(10), ""},
		{"p", object(91), `field "lat"`},
		{"maybe", nil, ""},
		{"maybe", int64(4), "greater"},
	} {
		f, _ := sig.Output(c.field)
		err := f.Check(c.v)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: %v, want %q", c.field, c.v, err, c.want)
		}
	}
	for name, err := range map[string]error{
		"number": second(Of[struct{ Q string }, struct {
			A int `min:"x"`
		}]("")),
		"text": second(Of[struct{ Q string }, struct {
			A string `min:"1"`
		}]("")),
		"pattern": second(Of[struct{ Q string }, struct {
			A string `pattern:"("`
		}]("")),
		"length": second(Of[struct{ Q string }, struct {
			A int `minlen:"1"`
		}]("")),
		"default": second(Of[struct{ Q string }, struct {
			A int `max:"3" default:"4"`
		}]("")),
	} {
		if err == nil || !strings.Contains(err.Error(), "field A: tag") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCoerceTypes(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	union := UnionOf(&Type{Kind: KindInt}, &Type{Kind: KindString}, &Type{Kind: KindTime})
	for _, c := range []struct {
		typ  *Type
		v    Value
		want Value // nil for an error
	}{
		{union, int64(3), int64(3)},
		{union, "x", "x"},
		{union, 3.0, int64(3)},
		{union, at, at},
		{union, true, nil},
		{LiteralOf(1, "a", true), int64(1), int64(1)},
		{LiteralOf(1, "a", true), "1", nil},
		{LiteralOf("a"), "a", "a"},
		{TupleOf(&Type{Kind: KindInt}, &Type{Kind: KindString}), []Value{int64(1), "x"}, []Value{int64(1), "x"}},
		{TupleOf(&Type{Kind: KindInt}), []Value{int64(1), int64(2)}, nil},
		{SetOf(&Type{Kind: KindInt}), []Value{int64(1), 1.0, int64(2)}, []Value{int64(1), int64(2)}},
		{DictOf(&Type{Kind: KindInt}, &Type{Kind: KindFloat}), RecordOf("1", int64(2)), RecordOf("1", 2.0)},
		{DictOf(&Type{Kind: KindInt}, nil), RecordOf("x", int64(2)), nil},
		{ListOf(nil), []Value{int64(1), "x"}, []Value{int64(1), "x"}},
		{&Type{Kind: KindImage}, RecordOf("url", "u"), RecordOf("url", "u")},
		{&Type{Kind: KindImage}, RecordOf("uri", "u"), nil},
		{ObjectOf("O", Field{Name: "a", Type: &Type{Kind: KindInt}, Default: int64(7), HasDefault: true}), Record{}, RecordOf("a", 7)},
	} {
		got, err := Coerce(c.typ, c.v)
		if (err != nil) != (c.want == nil) || err == nil && !EqualValues(got, c.want) {
			t.Errorf("%v as %s is %v, %v; want %v", c.v, c.typ, got, err, c.want)
		}
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	s := MustParse("a, b -> c, d")
	f := Field{Name: "x", Type: &Type{Kind: KindString}}
	for want, edited := range map[string]func() (*Signature, error){
		"x, a, b -> c, d": func() (*Signature, error) { return s.PrependInput(f) },
		"a, b, x -> c, d": func() (*Signature, error) { return s.AppendInput(f) },
		"a, x, b -> c, d": func() (*Signature, error) { return s.InsertInput(-2, f) },
		"a, b -> x, c, d": func() (*Signature, error) { return s.PrependOutput(f) },
		"a, b -> c, d, x": func() (*Signature, error) { return s.InsertOutput(-1, f) },
		"a, b -> c, x, d": func() (*Signature, error) { return s.InsertOutput(1, f) },
		"b -> c, d":       func() (*Signature, error) { return s.Delete("a") },
		"a, b -> c":       func() (*Signature, error) { return s.Delete("d") },
	} {
		got, err := edited()
		if err != nil || got.String() != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
	if s.String() != "a, b -> c, d" {
		t.Errorf("the signature itself was changed: %s", s)
	}
	for name, err := range map[string]error{
		"taken":   second(s.AppendInput(Field{Name: "c", Type: f.Type})),
		"place":   second(s.InsertInput(4, f)),
		"unknown": second(s.Delete("z")),
		"absent":  second(s.WithField(f)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := s.AppendInstructions("More.").Instructions(); got != "Given the fields `a`, `b`, produce the fields `c`, `d`.\n\nMore." {
		t.Errorf("instructions %q", got)
	}
	typed, err := s.WithField(Field{Name: "c", Desc: "what", Type: &Type{Kind: KindInt}})
	if c, _ := typed.Output("c"); err != nil || c.Type.Kind != KindInt || c.Desc != "what" {
		t.Errorf("WithField: %v %v", c, err)
	}
}

// What a program puts together is checked as what struct tags say.
func TestFieldsMadeByHand(t *testing.T) {
	t.Parallel()
	number, text := &Type{Kind: KindInt}, &Type{Kind: KindString}
	made := func(f Field) (*Signature, error) {
		f.Name = "x"
		return New("", nil, []Field{f})
	}
	sig, err := made(Field{Type: number, Constraints: []Constraint{{Op: AtMost, Bound: 5}}, Default: 3, HasDefault: true})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := sig.Output("x")
	if f.Check(int64(99)) == nil || f.Check(int64(5)) != nil || f.Default != int64(3) {
		t.Errorf("the bound 5 holds for 99, or the default is %T", f.Default)
	}
	for name, f := range map[string]Field{
		"bound of text":         {Type: text, Constraints: []Constraint{{Op: AtMost, Bound: 5}}},
		"bound that is none":    {Type: number, Constraints: []Constraint{{Op: AtMost, Bound: "x"}}},
		"no constraint":         {Type: number, Constraints: []Constraint{{Bound: 5}}},
		"pattern":               {Type: text, Constraints: []Constraint{{Op: Pattern, Bound: "("}}},
		"default of no type":    {Type: number, Default: "five", HasDefault: true},
		"default out of bounds": {Type: number, Constraints: []Constraint{{Op: AtMost, Bound: 5}}, Default: 6, HasDefault: true},
		"inside an object":      {Type: ObjectOf("O", Field{Name: "a", Type: number, Default: "x", HasDefault: true})},
	} {
		if _, err := made(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Of[struct{ Q string }, struct {
		N int `default:"0" min:"1"`
	}](""); err == nil {
		t.Error("a default before its bound is not checked")
	}
	item := ObjectOf("Item", Field{Name: "x", Type: number, Constraints: []Constraint{{Op: AtMost, Bound: 5}}})
	union := Field{Name: "u", Type: UnionOf(item, text)}
	if union.Check(RecordOf("x", 99)) == nil || union.Check("x") != nil {
		t.Error("constraints inside a union are not checked")
	}
	two := UnionOf(ObjectOf("Item", Field{Name: "x", Type: number}), ObjectOf("Item", Field{Name: "y", Type: number}))
	if two.Kind != KindUnion {
		t.Error("two objects of one name are taken for one")
	}
	if _, err := Coerce(&Type{Kind: KindNone}, RecordOf("x", 1)); err == nil {
		t.Error("an object is None")
	}
	var r Record
	if err := r.UnmarshalJSON([]byte(`{"a": 1}`)); err != nil || !r.Equal(RecordOf("a", 1)) {
		t.Errorf("got %v, %v", r, err)
	}
}
