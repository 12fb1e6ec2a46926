package adapter_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// parseCase is a reply and what the real DSPy made of it.
type parseCase struct {
	Adapter    string          `json:"adapter"`
	Signature  string          `json:"signature"`
	Completion string          `json:"completion"`
	OK         bool            `json:"ok"`
	Fields     json.RawMessage `json:"fields"`
}

// indented is the one reply that DSPy misreads and we do not, also when Strict.
const indented = "  [[ ## label ## ]]  smishing\n[[ ## completed ## ]]\n"

// dspySignature reads "q: str -> a: str, c: int = 7", in which a class may come with
// its definition.
func dspySignature(t *testing.T, s string) *signature.Signature {
	t.Helper()
	for _, d := range [][2]string{{"Person(name: str, age: Optional[int]=None)", "Person"}, {"Sentiment(POS='positive', NEG='negative')", "Sentiment"}} {
		s = strings.Replace(s, d[0], d[1], 1)
	}
	s, hasDefault := strings.CutSuffix(s, " = 7")
	person := signature.ObjectOf("Person",
		signature.Field{Name: "name", Type: &signature.Type{Kind: signature.KindString}},
		signature.Field{Name: "age", Type: signature.OptionalOf(&signature.Type{Kind: signature.KindInt}), HasDefault: true})
	sentiment := &signature.Type{Kind: signature.KindEnum, Name: "Sentiment", Choices: []string{"positive", "negative"}, Members: []string{"POS", "NEG"}}
	sig, err := signature.Parse(s, signature.NamedType("Person", person), signature.NamedType("Sentiment", sentiment))
	require.NoError(t, err)
	outs := slices.Clone(sig.Outputs())
	if hasDefault {
		outs[len(outs)-1].Default, outs[len(outs)-1].HasDefault = int64(7), true
	}
	sig, err = signature.New("", sig.Inputs(), outs)
	require.NoError(t, err)
	return sig
}

// plainValue drops the names of Python's classes from objects and enum members.
func plainValue(v signature.Value) signature.Value {
	switch v := v.(type) {
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = plainValue(item)
		}
		return out
	case signature.Record:
		if value, ok := v.Get("value"); ok {
			if _, isEnum := v.Get("__enum__"); isEnum {
				return value
			}
		}
		return v.Without("__model__")
	}
	return v
}

// TestParsesAsDSPy reads all replies of testdata/parse.json, which the real DSPy read
// before. What is well-formed has the same values in both modes, and no repairs but
// of JSON.
func TestParsesAsDSPy(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []parseCase `json:"cases"`
	}
	readGolden(t, "parse.json", &file)
	run := map[string]int{}
	for _, c := range file.Cases {
		var a, tolerant adapter.Adapter
		switch c.Adapter {
		case "chat":
			a, tolerant = adapter.Chat{Strict: true}, adapter.Chat{}
		case "json":
			a, tolerant = adapter.JSON{Strict: true}, adapter.JSON{}
		default:
			continue
		}
		run[c.Adapter]++
		sig := dspySignature(t, c.Signature)
		got, repairs, err := prepared(t, a, sig).Parse(c.Completion, signature.Record{})
		if c.Completion == indented {
			require.NoError(t, err)
			require.True(t, got.Equal(signature.RecordOf("label", "smishing")), "%v", got)
			continue
		}
		if !c.OK {
			var pe *adapter.ParseError
			require.True(t, errors.As(err, &pe), "%s: %q gave %v", c.Signature, c.Completion, got)
			require.Equal(t, c.Completion, pe.Raw)
			require.NotEmpty(t, pe.Field)
			require.NotEmpty(t, pe.Expected)
			continue
		}
		require.NoError(t, err, "%s: %q", c.Signature, c.Completion)
		for _, r := range repairs {
			require.Contains(t, r.What, "JSON", "%s: %q", c.Signature, c.Completion)
		}
		want, err := signature.ParseRecord(c.Fields)
		require.NoError(t, err)
		require.Equal(t, want.Len(), got.Len())
		for name, v := range want.All() {
			have, ok := got.Get(name)
			require.True(t, ok, name)
			f, _ := sig.Output(name)
			v, err := signature.Coerce(f.Type, plainValue(v))
			require.NoError(t, err)
			require.True(t, signature.EqualValues(v, have), "%s: %q: want %v, got %v", c.Signature, c.Completion, v, have)
		}
		again, same, err := prepared(t, tolerant, sig).Parse(c.Completion, signature.Record{})
		require.NoError(t, err, "%s: %q", c.Signature, c.Completion)
		require.True(t, got.Equal(again), "%s: %q: tolerant %v, strict %v", c.Signature, c.Completion, again, got)
		require.Equal(t, repairs, same)
	}
	require.Equal(t, map[string]int{"chat": 67, "json": 27}, run)
}
