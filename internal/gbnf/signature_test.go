package gbnf_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/internal/gbnf"
	"github.com/whetgo/whet/signature"
)

type mood string

func (mood) Enum() []string { return []string{"good", "bad"} }

type spot struct {
	Name string   `json:"name" minlen:"1" maxlen:"20"`
	Lat  float64  `json:"lat" min:"-90" max:"90" default:"0"`
	Lon  *float64 `json:"lon" above:"-180" max:"180"`
}

// outputs has a field of every type that a Go struct can have.
type outputs struct {
	Photo   signature.Image     `json:"photo"`
	Sound   *signature.Audio    `json:"sound"`
	Doc     signature.File      `json:"doc"`
	Talk    signature.History   `json:"talk"`
	Why     signature.Reasoning `json:"why"`
	Source  signature.Code      `json:"source" code:"go"`
	Tools   []signature.Tool    `json:"tools"`
	Calls   signature.ToolCalls `json:"calls"`
	Ages    map[string]int      `json:"ages" minlen:"1" maxlen:"3"`
	ByMood  map[mood]float64    `json:"by_mood"`
	Pair    [2]float64          `json:"pair"`
	Free    any                 `json:"free"`
	Extra   signature.Record    `json:"extra"`
	Stars   int                 `json:"stars" enum:"1,2,3"`
	Mood    mood                `json:"mood" dspy:"enum"`
	Moods   []mood              `json:"moods" minlen:"1" maxlen:"4"`
	Place   spot                `json:"place"`
	Score   float64             `json:"score" min:"0" below:"1.5"`
	Minutes int                 `json:"minutes" min:"0" max:"600" multiple:"15"`
	Price   float64             `json:"price" above:"0" multiple:"0.01"`
	Code    string              `json:"code" pattern:"^[A-Z]{2}[0-9]+$"`
	Short   string              `json:"short" pattern:"[aeiou]" maxlen:"8"`
	Maybe   *int                `json:"maybe" min:"3"`
	Spots   []spot              `json:"spots"`
}

// typeTexts are types as a DSPy signature has them.
var typeTexts = []string{
	"str", "int", "float", "bool", "list", "list[int]", "dict", "dict[str, int]", "dict[str, list[float]]",
	"tuple[int, str]", "tuple[int, ...]", "Optional[int]", "int | None", "Union[int, str]", "Union[list[str], dict[str, int], None]",
	"Literal['a', 'b']", "Literal[1, 'a', None, True]", "list[Literal['x', 'y']]", "set[Literal['x', 'y', 'z']]",
	"Optional[list[Optional[str]]]", "list[tuple[str, float]]", "Any", "datetime", "dict[Literal['k', 'l'], bool]",
}

func TestSignatureTypes(t *testing.T) {
	t.Parallel()
	sig, err := signature.Of[struct{ Q string }, outputs]("")
	require.NoError(t, err)
	for _, text := range typeTexts {
		parsed, err := signature.Parse("q -> a: " + text)
		require.NoError(t, err)
		checkType(t, text, parsed.Outputs()[0].Type)
		checkSchema(t, text+", strict", parsed.StrictSchema("Outputs"))
	}
	for _, f := range sig.Outputs() {
		checkType(t, f.Name, f.Type)
	}
	checkType(t, "all fields", signature.ObjectOf("All", sig.Outputs()...))
	checkSchema(t, "all fields, strict", sig.StrictSchema("Outputs"))
}

// TestSignatureSets has what a grammar cannot do: compare items.
func TestSignatureSets(t *testing.T) {
	t.Parallel()
	schema, err := json.Marshal(signature.SetOf(signature.ListOf(nil)).Schema())
	require.NoError(t, err)
	_, err = gbnf.FromSchema(schema)
	var not *gbnf.UnsupportedError
	require.True(t, errors.As(err, &not), "%v", err)
	require.Equal(t, "uniqueItems", not.Keyword)
}

func checkType(t *testing.T, name string, typ *signature.Type) {
	t.Helper()
	checkSchema(t, name, typ.Schema())
}

// checkSchema makes texts of a schema's grammar, which must validate.
func checkSchema(t *testing.T, name string, record signature.Record) {
	t.Helper()
	schema, err := json.Marshal(record)
	require.NoError(t, err)
	g, err := gbnf.FromSchema(schema, gbnf.MaxString(6), gbnf.MaxItems(2))
	if err != nil {
		t.Errorf("%s: %v; the schema is %s", name, err, schema)
		return
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", doc))
	compiled, err := c.Compile("schema.json")
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, uint64(len(schema))))
	for range 20 {
		s := g.Start()
		var b strings.Builder
		for b.Len() < 100 && !s.Final() {
			c := byte(r.IntN(256))
			if r.IntN(2) == 0 {
				c = ' ' + byte(r.IntN(96))
			}
			if next, ok := s.Advance(string([]byte{c})); ok {
				b.WriteByte(c)
				s = next
			}
		}
		text := b.String() + s.Shortest()
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = compiled.Validate(v)
		}
		if err != nil {
			t.Errorf("%s: %s: %v; the schema is %s", name, text, err, schema)
		}
	}
}
