package adapter

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/signature"
)

// laxType is a type and what testdata/lax.py got from the real DSPy for texts under
// a chat marker and for values in a JSON object.
type laxType struct {
	Type  string `json:"type"`
	Cases []struct {
		Text    *string         `json:"text"`
		JSON    json.RawMessage `json:"json"`
		OK      bool            `json:"ok"`
		Value   json.RawMessage `json:"value"`
		Foreign string          `json:"foreign"`
	} `json:"cases"`
}

// laxTypes are the classes of testdata/lax.py.
func laxTypes(t *testing.T, name string) *signature.Type {
	t.Helper()
	object := func(name, fields string) signature.ParseOption {
		sig := signature.MustParse("x -> " + fields)
		return signature.NamedType(name, signature.ObjectOf(name, sig.Outputs()...))
	}
	defaulted := func(typ *signature.Type, field string, v signature.Value) *signature.Type {
		c := *typ
		c.Fields = slices.Clone(typ.Fields)
		for i := range c.Fields {
			if c.Fields[i].Name == field {
				c.Fields[i].Default, c.Fields[i].HasDefault = v, true
			}
		}
		return &c
	}
	parse := func(text string, opts ...signature.ParseOption) *signature.Type {
		sig, err := signature.Parse("x -> y: "+text, opts...)
		require.NoError(t, err)
		return sig.Outputs()[0].Type
	}
	m := defaulted(parse("M", object("M", "a: int, b: Optional[str]")), "b", nil)
	n := defaulted(parse("N", object("N", "a: int, c: int")), "c", int64(0))
	tags := signature.ListOf(signature.LiteralOf("x", "y"))
	p := signature.ObjectOf("P", signature.Field{Name: "m", Type: m},
		signature.Field{Name: "q", Type: &signature.Type{Kind: signature.KindInt}, Default: int64(0), HasDefault: true},
		signature.Field{Name: "tags", Type: tags, Default: []signature.Value{}, HasDefault: true})
	return parse(name,
		signature.NamedType("M", m), signature.NamedType("N", n), signature.NamedType("P", p),
		object("O", "a: int, b: Optional[str]"),
		signature.NamedType("Color", &signature.Type{Kind: signature.KindEnum, Name: "Color", Choices: []string{"r", "b lue"}, Members: []string{"RED", "BLUE"}}),
		signature.NamedType("Level", &signature.Type{Kind: signature.KindLiteral, Name: "Level", Values: []signature.Value{int64(1), int64(2)}, Members: []string{"LOW", "HIGH"}}),
	)
}

// foreign are texts that have values in Python which a record cannot hold: numbers
// that are not finite, or too large for an int64, complex ones, an ellipsis. For us
// they are texts, or float64 where Python's integers have no end.
var foreign = []string{"99999999999999999999", "1e400", "NaN", "1+2j", "..."}

func TestValuesAreDSPys(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/lax.json")
	require.NoError(t, err)
	var types []laxType
	require.NoError(t, json.Unmarshal(data, &types))
	run := 0
	for _, tt := range types {
		typ := laxTypes(t, tt.Type)
		for _, c := range tt.Cases {
			run++
			l := &laxer{fit: exact, fields: noFields}
			var got signature.Value
			var what string
			if c.Text != nil {
				what = *c.Text
				got, err = l.text(typ, what)
			} else {
				what = string(c.JSON)
				v, jsonErr := signature.ParseValue(c.JSON)
				require.NoError(t, jsonErr)
				got, err = l.typed(typ, v)
			}
			if slices.Contains(foreign, what) && (c.Foreign != "" || strings.HasPrefix(tt.Type, "Union") || what[0] == '9') {
				continue
			}
			if !c.OK || c.Foreign != "" {
				if err == nil {
					t.Errorf("%s from %q: want an error, got %#v", tt.Type, what, got)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s from %q: %v; want %s", tt.Type, what, err, c.Value)
				continue
			}
			want, jsonErr := signature.ParseValue(c.Value)
			require.NoError(t, jsonErr)
			if coerced, err := signature.Coerce(typ, want); err == nil && typ.Kind != signature.KindUnion {
				want = coerced
			}
			if s, ok := want.(string); ok && strings.HasPrefix(tt.Type, "Union[datetime") {
				if tm, err := signature.ParseTime(s); err == nil {
					want = tm
				}
			}
			if typ.Kind == signature.KindLiteral && equalNumbers(want, got) {
				continue // ours is the literal's own value, Python's what came
			}
			if strings.Contains(tt.Type, "set") {
				want, got = sorted(want), sorted(got)
			}
			if !signature.EqualValues(want, got) {
				t.Errorf("%s from %q: want %s, got %s", tt.Type, what, c.Value, jsonText(got))
			}
		}
	}
	require.Greater(t, run, 3000)
}

// sorted puts the items of a set in one order.
func sorted(v signature.Value) signature.Value {
	items, ok := v.([]signature.Value)
	if !ok {
		return v
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b signature.Value) int { return strings.Compare(jsonText(a), jsonText(b)) })
	return items
}

// TestValuesOfTolerantReplies holds where a reading that forgives differs from
// DSPy's for what DSPy can read, too, and what it adds to it.
func TestValuesOfTolerantReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		typ, text string
		want      signature.Value
		repair    string
	}{
		{"dspy.Code", `x = {"code": "y"}`, `x = {"code": "y"}`, ""},
		{"dspy.Code", `{"code": "y"}`, "y", ""},
		{"dspy.Reasoning", `so {"content": "y"}`, `so {"content": "y"}`, ""},
		{"O", `{"a": 1}`, signature.RecordOf("a", 1, "b", nil), `the absent field "b" taken as none`},
		{"O", `{"b": "x"}`, nil, ""},
		{"datetime", "20240506", nil, ""},
		{"datetime", "**2024-05-06**", mustTime(t, "2024-05-06"), "marks around a time"},
		{"Optional[int]", "", nil, "none"},
		{"Optional[Color]", "RED", "r", "spelling of a choice"},
		{"Level", "1", int64(1), "spelling of a choice"},
		{"list[float]", `["0,5", "x"]`, nil, ""},
		{"list[float]", `["0,5", 1]`, []signature.Value{0.5, 1.0}, "decimal comma"},
		{"list[bool]", `["Yes.", false]`, []signature.Value{true, false}, "marks around a truth value"},
		{"dict[str, int]", "{\"a\": \"1,234\"}", signature.RecordOf("a", 1234), "marks between thousands"},
		{"tuple[int, str]", "```\n[1, \"a\"]\n```", []signature.Value{int64(1), "a"}, "fences around JSON"},
	} {
		l := &laxer{careful: true, fit: exact, fields: noFields}
		got, err := l.forgiving(signature.Field{Name: "f", Type: laxTypes(t, tt.typ)}, tt.text)
		repair := strings.Join(l.repairs, ", ")
		switch {
		case tt.want == nil && tt.repair == "none":
			require.NoError(t, err, "%s from %q", tt.typ, tt.text)
			require.Nil(t, got)
			require.NotEmpty(t, repair)
		case tt.want == nil:
			require.Error(t, err, "%s from %q gave %v", tt.typ, tt.text, got)
		default:
			require.NoError(t, err, "%s from %q", tt.typ, tt.text)
			require.True(t, signature.EqualValues(tt.want, got), "%s from %q: want %v, got %v", tt.typ, tt.text, tt.want, got)
			require.Equal(t, tt.repair, repair, "%s from %q", tt.typ, tt.text)
		}
	}
}

func mustTime(t *testing.T, s string) signature.Value {
	t.Helper()
	tm, err := signature.ParseTime(s)
	require.NoError(t, err)
	return tm
}
