package signature_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/signature"
)

type mood string

func (mood) Enum() []string { return []string{"good", "bad"} }

type twice string

func (twice) Enum() []string { return []string{"a", "a"} }

type base struct {
	ID int
}

type inner struct {
	City string
	Zip  *int
}

type all struct {
	base
	SMSText  string `desc:"what came"`
	Named    string `json:"other"`
	Mood     mood
	Label    string `enum:"a, b"`
	Small    int8
	Unsigned uint16
	Ratio    float32
	Sure     bool
	At       time.Time
	Words    []string
	Home     inner
	Homes    []inner
	Maybe    *string
	Left     map[string]int `json:"-"`
	hidden   int
}

type question struct{ Q string }

type node struct {
	Q    string
	Next *node
}

func TestOf(t *testing.T) {
	t.Parallel()
	sig, err := signature.Of[question, all]("Say it.")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range sig.Outputs() {
		got = append(got, strings.TrimSpace(f.Name+" "+f.Type.String()+" "+f.Desc))
	}
	want := []string{
		"id int", "sms_text str what came", "other str", "mood Literal['good', 'bad']", "label Literal['a', 'b']",
		"small int", "unsigned int", "ratio float", "sure bool", "at datetime", "words list[str]", "home inner",
		"homes list[inner]", "maybe Union[str, NoneType]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields differ (-want +got):\n%s", diff)
	}
	if f, ok := sig.Input("q"); !ok || f.Prefix() != "Q:" {
		t.Errorf("Input(q) = %v, %v", f, ok)
	}
	if _, ok := sig.Output("q"); ok {
		t.Error("an input is an output")
	}
	short, err := signature.Of[question, inner]("")
	if err != nil {
		t.Fatal(err)
	}
	if got := short.Instructions(); got != "Given the fields `q`, produce the fields `city`, `zip`." {
		t.Errorf("default instructions: %s", got)
	}
	if got := short.String(); got != "q -> city, zip" {
		t.Errorf("String: %s", got)
	}
	other := short.WithInstructions("  New.\n    More.")
	if other.Instructions() != "New.\nMore." || short.Instructions() == other.Instructions() {
		t.Errorf("WithInstructions: %q, %q", short.Instructions(), other.Instructions())
	}
	if other.WithInstructions("").Instructions() != short.Instructions() {
		t.Error("empty instructions are not the default")
	}
	longer, err := short.PrependOutput(signature.Field{Name: "reasoning", Type: &signature.Type{Kind: signature.KindString}})
	if err != nil || longer.String() != "q -> reasoning, city, zip" || len(short.Outputs()) != 2 || len(longer.Fields()) != 4 {
		t.Errorf("PrependOutput: %v, %v", longer, err)
	}
	if _, err := longer.PrependOutput(longer.Outputs()[0]); err == nil {
		t.Error("a name was given twice")
	}
}

func TestOfErrors(t *testing.T) {
	t.Parallel()
	of := func(_ *signature.Signature, err error) error { return err }
	type none struct{}
	for name, tt := range map[string]struct {
		err  error
		want []string // what the message names
	}{
		"map": {of(signature.Of[question, struct{ M map[bool]int }]("")), []string{"field M", "map[bool]int"}},
		"duplicate name": {of(signature.Of[question, struct {
			A string
			B string `json:"a"`
		}]("")), []string{"field a", "two fields"}},
		"input and output": {of(signature.Of[question, question]("")), []string{"question", "field q", "two fields"}},
		"recursive":        {of(signature.Of[question, node]("")), []string{"signature_test.node", "holds itself"}},
		"empty choice": {of(signature.Of[question, struct {
			E string `enum:"a,,b"`
		}]("")), []string{"field E", `enum:"a,,b"`, "empty"}},
		"duplicate choice": {of(signature.Of[question, struct {
			E string `enum:"a,a"`
		}]("")), []string{"field E", `enum:"a,a"`, "twice"}},
		"duplicate method": {of(signature.Of[question, struct{ E twice }]("")), []string{"field E", "signature_test.twice", "twice"}},
		"enum on int": {of(signature.Of[question, struct {
			N int `enum:"1,two"`
		}]("")), []string{"field N", `enum:"1,two"`, `"two" is no whole number`}},
		"bad name": {of(signature.Of[question, struct {
			A string `json:"a b"`
		}]("")), []string{"field A", "json:a b", "letters"}},
		"no struct":     {of(signature.Of[string, question]("")), []string{"type string", "struct"}},
		"no struct out": {of(signature.Of[question, time.Time]("")), []string{"time.Time", "struct"}},
		"no output":     {of(signature.Of[question, none]("")), []string{"question", "no output"}},
	} {
		var e *signature.Error
		if !errors.As(tt.err, &e) {
			t.Errorf("%s: got %v, want an *Error", name, tt.err)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(e.Error(), w) {
				t.Errorf("%s: the message does not name %q: %s", name, w, e)
			}
		}
	}
	str := &signature.Type{Kind: signature.KindString}
	for _, outs := range [][]signature.Field{{{Type: str}}, {{Name: "a"}}, {{Name: "a", Type: str}, {Name: "a", Type: str}}, {}} {
		if _, err := signature.New("", nil, outs); err == nil {
			t.Errorf("New took the outputs %v", outs)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	zip, note := 8001, "n"
	in := all{
		base: base{7}, SMSText: "x", Named: "y", Mood: "bad", Label: "b", Small: -8, Unsigned: 16, Ratio: 0.5, Sure: true,
		At: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), Words: []string{"a"}, Home: inner{"Bern", nil},
		Homes: []inner{{"Basel", &zip}}, Maybe: &note,
	}
	r, err := signature.Encode(&in)
	if err != nil {
		t.Fatal(err)
	}
	data, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := signature.ParseRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, rec := range map[string]signature.Record{"the record": r, "its JSON": parsed, "with more fields": r.With("z", "z")} {
		out := all{hidden: in.hidden}
		if err := signature.Decode(rec, &out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(in, out, cmp.AllowUnexported(all{}, base{})); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}

func TestCodecErrors(t *testing.T) {
	t.Parallel()
	encode := func(v any) error { _, err := signature.Encode(v); return err }
	decode := func(v signature.Value, out any) error { return signature.Decode(signature.RecordOf("v", v), out) }
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"nil":            {encode(nil), "nil"},
		"nil pointer":    {encode((*question)(nil)), "nil"},
		"NaN":            {encode(struct{ V float64 }{math.NaN()}), "field v"},
		"infinite":       {encode(struct{ V []float64 }{[]float64{0, math.Inf(1)}}), "[1]"},
		"large uint":     {encode(struct{ V uint64 }{math.MaxUint64}), "larger"},
		"no choice":      {encode(struct{ V mood }{"meh"}), "good, bad"},
		"overflow int8":  {decode(int64(300), new(struct{ V int8 })), "does not fit"},
		"overflow uint8": {decode(int64(300), new(struct{ V uint8 })), "does not fit"},
		"negative uint":  {decode(int64(-1), new(struct{ V uint })), "does not fit"},
		"overflow float": {decode(1e300, new(struct{ V float32 })), "does not fit"},
		"NaN in":         {decode(math.NaN(), new(struct{ V float64 })), "field v"},
		"nil value":      {decode(nil, new(struct{ V string })), "got nothing"},
		"choice":         {decode("meh", new(struct{ V mood })), "good, bad"},
		"wrong type":     {decode("x", new(struct{ V int })), "want int"},
		"item":           {decode([]signature.Value{"x"}, new(struct{ V []int })), "item 0"},
		"nested":         {decode(signature.RecordOf("city", 1), new(struct{ V inner })), "city"},
		"missing":        {decode("x", new(question)), "lacks"},
		"no pointer":     {decode("x", question{}), "pointer"},
		"nil out":        {decode("x", (*question)(nil)), "pointer"},
		"pointer to int": {decode("x", new(int)), "struct"},
	} {
		var e *signature.Error
		if !errors.As(tt.err, &e) {
			t.Errorf("%s: got %v, want an *Error", name, tt.err)
		} else if !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%s: the message does not say %q: %s", name, tt.want, e)
		}
	}

	out := struct {
		A string
		V int8
	}{"before", 1}
	if err := signature.Decode(signature.RecordOf("a", "after", "v", 300), &out); err == nil || out.A != "before" {
		t.Errorf("after an error the struct is %v", out)
	}
	empty, err := signature.Encode(struct{ V mood }{})
	if v, ok := empty.Get("v"); err != nil || v != nil || !ok {
		t.Errorf("the zero enum is %v, %v", v, err)
	}
	some := "x"
	maybe := struct{ V *string }{&some}
	if err := decode(nil, &maybe); err != nil || maybe.V != nil {
		t.Errorf("nil into a pointer gives %v, %v", maybe.V, err)
	}
}
