package adapter_test

import (
	"encoding/json"
	"errors"
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

// mended are replies that DSPy refuses and we read, with a Repair, or without one
// where DSPy has a bug.
var mended = map[string]string{
	"  [[ ## label ## ]]  smishing\n[[ ## completed ## ]]\n": "smishing", // an indented marker
	"[[ ## label ## ]]\nham.":                                "ham",
	"[[ ## label ## ]]\n**ham**":                             "ham",
}

// later are replies that DSPy reads by repairing JSON.
var later = map[string]bool{
	"[[ ## xs ## ]]\n['a', 'b']":    true,
	"[[ ## xs ## ]]\n[\"a\", \"b\"": true,
}

func splitTop(s string) (parts []string) {
	depth, from := 0, 0
	for i, r := range s {
		switch r {
		case '[', '(':
			depth++
		case ']', ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, s[from:])
}

// dspySignature reads "q: str -> a: str, b: int"; false for types and defaults
// that this package does not have.
func dspySignature(t *testing.T, s string) (*signature.Signature, bool) {
	t.Helper()
	in, out, _ := strings.Cut(s, " -> ")
	fields := func(s string) (fs []signature.Field, ok bool) {
		for _, part := range splitTop(s) {
			name, typ, _ := strings.Cut(strings.TrimSpace(part), ":")
			typ = strings.TrimSpace(typ)
			ty, ok := typeOf(typ)
			if !ok {
				return nil, false
			}
			fs = append(fs, signature.Field{Name: name, Type: ty})
		}
		return fs, true
	}
	ins, ok1 := fields(in)
	outs, ok2 := fields(out)
	if !ok1 || !ok2 {
		return nil, false
	}
	sig, err := signature.New("", ins, outs)
	require.NoError(t, err)
	return sig, true
}

// withoutModel drops the name of the Python class from an object.
func withoutModel(v signature.Value) signature.Value {
	switch v := v.(type) {
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = withoutModel(item)
		}
		return out
	case signature.Record:
		return v.Without("__model__")
	}
	return v
}

func TestChatParsesAsDSPy(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []parseCase `json:"cases"`
	}
	readGolden(t, "parse.json", &file)
	run, skipped := 0, map[string]int{}
	for _, c := range file.Cases {
		if c.Adapter != "chat" {
			continue
		}
		sig, ok := dspySignature(t, c.Signature)
		if !ok {
			skipped["type or default: "+c.Signature]++
			continue
		}
		if later[c.Completion] {
			skipped["needs JSON repair"]++
			continue
		}
		run++
		tmpl, err := adapter.Chat{}.Prepare(adapter.Program{Signature: sig})
		require.NoError(t, err)
		got, repairs, err := tmpl.Parse(c.Completion, signature.Record{})
		if !c.OK {
			if want, ok := mended[c.Completion]; ok {
				require.NoError(t, err, "%q", c.Completion)
				v, _ := got.Get("label")
				require.Equal(t, want, v)
				continue
			}
			var pe *adapter.ParseError
			require.True(t, errors.As(err, &pe), "%s: %q gave %v", c.Signature, c.Completion, got)
			require.Equal(t, c.Completion, pe.Raw)
			require.NotEmpty(t, pe.Field)
			require.NotEmpty(t, pe.Expected)
			continue
		}
		require.NoError(t, err, "%s: %q", c.Signature, c.Completion)
		for _, r := range repairs {
			require.Equal(t, "fences around JSON", r.What, "%s: %q", c.Signature, c.Completion)
		}
		raw, err := signature.ParseRecord(c.Fields)
		require.NoError(t, err)
		require.Equal(t, len(sig.Outputs()), got.Len())
		for name, want := range raw.All() {
			have, ok := got.Get(name)
			require.True(t, ok, name)
			if f, _ := sig.Output(name); want != nil {
				want, err = signature.Coerce(f.Type, withoutModel(want))
				require.NoError(t, err)
			}
			require.True(t, signature.EqualValues(want, have), "%s: %q: want %v, got %v", c.Signature, c.Completion, want, have)
		}
	}
	t.Logf("%d cases of DSPy's parser checked, skipped: %v", run, skipped)
	require.GreaterOrEqual(t, run, 58)
}
