package signature_test

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/signature"
)

type ask struct{ Ask string }

type level int

func (level) Enum() []string { return []string{"low", "high"} }

type ptrEnum string

func (*ptrEnum) Enum() []string { return []string{"a", "b"} }

type hollow struct{ hidden string }

type ping struct{ Pongs []pong }

type pong struct{ Ping *ping }

type Base struct{ ID string }

type pair[T any] struct{ Left, Right T }

// TestOfMistakes checks that each mistake in a type is found and named.
func TestOfMistakes(t *testing.T) {
	t.Parallel()
	_ = hollow{}.hidden
	of := func(_ *signature.Signature, err error) error { return err }
	// vet would refuse a source file with such tags.
	tagged := func(tag reflect.StructTag) error {
		typ := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[string](), Tag: tag}})
		_, err := signature.Encode(reflect.New(typ).Interface())
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want signature.Error // Problem is a part of it
	}{
		"space behind the key": {tagged(`json: "a"`), signature.Error{Field: "A", Tag: `json: "a"`, Problem: "directly behind json:"}},
		"no quotes":            {tagged(`desc`), signature.Error{Field: "A", Tag: "desc", Problem: "want a key and a colon"}},
		"no space between":     {tagged(`json:"a"desc:"b"`), signature.Error{Field: "A", Tag: `json:"a"desc:"b"`, Problem: `want a space behind json:"a"`}},
		"open quote":           {tagged(`desc:"b`), signature.Error{Field: "A", Tag: `desc:"b`, Problem: "quoted value"}},
		"Enum of an int":       {of(signature.Of[ask, struct{ A level }]("")), signature.Error{Field: "A", Problem: "no string type"}},
		"tag over method": {of(signature.Of[ask, struct {
			A ptrEnum `enum:"x"`
		}]("")), signature.Error{Field: "A", Tag: `enum:"x"`, Problem: "has a method Enum already"}},
		"line end in a choice": {of(signature.Of[ask, struct {
			A string `enum:"x\ny"`
		}]("")), signature.Error{Field: "A", Tag: "enum:\"x\ny\"", Problem: "line end"}},
		"bytes":            {of(signature.Of[ask, struct{ A []byte }]("")), signature.Error{Field: "A", Problem: "use string for text"}},
		"embedded pointer": {of(signature.Of[ask, struct{ *Base }]("")), signature.Error{Field: "Base", Problem: "embed the struct itself"}},
		"hollow struct":    {of(signature.Of[ask, struct{ A hollow }]("")), signature.Error{Problem: "no exported field"}},
		"circle":           {of(signature.Of[ask, ping]("")), signature.Error{Type: "signature_test.ping", Problem: "holds itself"}},
		"pointer":          {of(signature.Of[*ask, Base]("")), signature.Error{Type: "*signature_test.ask", Problem: "must be structs"}},
		"chan":             {of(signature.Of[ask, struct{ A chan int }]("")), signature.Error{Field: "A", Problem: "chan int cannot be a field"}},
		"func":             {of(signature.Of[ask, struct{ A []func() }]("")), signature.Error{Field: "A", Problem: "func() cannot be a field"}},
		"interface":        {of(signature.Of[ask, struct{ A error }]("")), signature.Error{Field: "A", Problem: "error has methods"}},
		"complex":          {of(signature.Of[ask, struct{ A *complex64 }]("")), signature.Error{Field: "A", Problem: "complex64 cannot be a field"}},
		"array":            {of(signature.Of[ask, struct{ A [2]complex64 }]("")), signature.Error{Field: "A", Problem: "complex64 cannot be a field"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e *signature.Error
			require.True(t, errors.As(c.err, &e), "%v", c.err)
			require.NotEmpty(t, e.Type)
			if c.want.Type != "" {
				require.Equal(t, c.want.Type, e.Type)
			}
			require.Equal(t, c.want.Field, e.Field)
			require.Equal(t, c.want.Tag, e.Tag)
			require.Contains(t, e.Problem, c.want.Problem)
			for _, part := range []string{e.Type, e.Field, e.Tag, e.Problem} {
				require.Contains(t, e.Error(), part)
			}
		})
	}
}

func TestOfAccepts(t *testing.T) {
	t.Parallel()
	type inner struct{ A int }
	type out struct {
		Base
		P      ptrEnum
		Pick   *string `enum:"x, y" json:",omitempty"`
		Anon   struct{ N int }
		Pair   pair[int]
		Skip   string `json:"-"`
		hidden string
		Inners []*inner
	}
	_ = out{}.hidden
	sig, err := signature.Of[ask, out]("")
	require.NoError(t, err)
	var got []string
	for _, f := range sig.Outputs() {
		got = append(got, f.Name+" "+f.Type.String())
	}
	require.Equal(t, []string{
		"id str", "p Literal['a', 'b']", "pick Union[Literal['x', 'y'], NoneType]", "anon Anon", "pair pair_int",
		"inners list[Union[inner, NoneType]]",
	}, got)
	require.Equal(t, "Given the fields `ask`, produce the fields `id`, `p`, `pick`, `anon`, `pair`, `inners`.", sig.Instructions())

	// A signature may have no input, and a type may be used by many at once.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := signature.Of[struct{}, out](""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestSchemaOfTwoTypesOfOneName(t *testing.T) {
	t.Parallel()
	node := func(field string) *signature.Type {
		return &signature.Type{Kind: signature.KindObject, Name: "Node", Fields: []signature.Field{
			{Name: field, Type: &signature.Type{Kind: signature.KindInt}},
		}}
	}
	root := &signature.Type{Kind: signature.KindObject, Name: "Root", Fields: []signature.Field{
		{Name: "a", Type: node("x")}, {Name: "b", Type: node("y")}, {Name: "c", Type: node("x")},
	}}
	got, err := signature.MarshalValue(root.Schema())
	require.NoError(t, err)
	s := string(got)
	require.Equal(t, 2, strings.Count(s, `"#/$defs/Node"`))
	require.Equal(t, 1, strings.Count(s, `"#/$defs/Node2"`))
	require.JSONEq(t, `{
		"type": "object", "title": "Root", "required": ["a", "b", "c"],
		"$defs": {
			"Node": {"type": "object", "title": "Node", "properties": {"x": {"type": "integer", "title": "X"}}, "required": ["x"]},
			"Node2": {"type": "object", "title": "Node", "properties": {"y": {"type": "integer", "title": "Y"}}, "required": ["y"]}
		},
		"properties": {"a": {"$ref": "#/$defs/Node"}, "b": {"$ref": "#/$defs/Node2"}, "c": {"$ref": "#/$defs/Node"}}
	}`, s)
}

func TestTimeText(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.FixedZone("", 2*3600))
	for ns, want := range map[time.Duration]string{
		0:                      "2024-05-06T07:08:09+02:00",
		500 * time.Microsecond: "2024-05-06T07:08:09.000500+02:00",
		1:                      "2024-05-06T07:08:09.000000001+02:00",
	} {
		require.Equal(t, want, signature.FormatTime(at.Add(ns)))
		back, err := signature.ParseTime(want)
		require.NoError(t, err)
		require.True(t, back.Equal(at.Add(ns)))
	}
}

// FuzzText checks that every text survives being written as JSON and read again.
func FuzzText(f *testing.F) {
	f.Add("plain")
	f.Add("\u2028 \\u2028 \x01\x7f\"\\\b\f\n\r\t<b>")
	f.Add("é\xff")
	f.Fuzz(func(t *testing.T, s string) {
		data, err := signature.MarshalValue(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := signature.ParseValue(data)
		if err != nil {
			t.Fatalf("%q is no JSON: %v", data, err)
		}
		var want strings.Builder // each byte that is no UTF-8 becomes U+FFFD
		for _, r := range s {
			want.WriteRune(r)
		}
		if got != want.String() {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func TestDecodeWantsAPointerToAStruct(t *testing.T) {
	t.Parallel()
	r := signature.RecordOf("ask", "x")
	p := &ask{}
	for _, out := range []any{nil, ask{}, (*ask)(nil), &p, new(string)} {
		var e *signature.Error
		require.True(t, errors.As(signature.Decode(r, out), &e), "%T", out)
	}
	require.NoError(t, signature.Decode(r, p))
	require.Equal(t, "x", p.Ask)
	for _, in := range []any{nil, (*ask)(nil), "x"} {
		_, err := signature.Encode(in)
		var e *signature.Error
		require.True(t, errors.As(err, &e), "%T", in)
	}
}
