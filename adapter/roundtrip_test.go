package adapter_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// source makes signatures and records from bytes, so that a fuzzer can shape both.
type source struct {
	data []byte
	// tame has texts of plain words only, for layouts in which a value is one line.
	tame bool
	// python leaves out line ends that DSPy loses in the texts of JSON.
	python bool
}

// n returns a number below limit.
func (s *source) n(limit int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % limit
}

// typ makes a type; depth says how many more may stand inside it.
func (s *source) typ(depth int) *signature.Type {
	plain := func(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }
	kinds := 12
	if depth > 0 {
		kinds = 22
	}
	switch s.n(kinds) {
	default:
		return plain(signature.KindString)
	case 1:
		return plain(signature.KindInt)
	case 2:
		return plain(signature.KindFloat)
	case 3:
		return plain(signature.KindBool)
	case 4:
		return signature.LiteralOf("ham", "it's", `"q"`, "a b", "None", "C#")
	case 5:
		return signature.LiteralOf(int64(1), int64(-2), "x")
	case 6:
		return &signature.Type{Kind: signature.KindEnum, Name: "Color", Choices: []string{"r", "b lue"}, Members: []string{"RED", "BLUE"}}
	case 7:
		return plain(signature.KindTime)
	case 8:
		return signature.OptionalOf(plain([]signature.Kind{signature.KindInt, signature.KindFloat, signature.KindBool, signature.KindTime}[s.n(4)]))
	case 9:
		return plain(signature.KindReasoning)
	case 10:
		return plain(signature.KindCode)
	case 11:
		return signature.OptionalOf(signature.LiteralOf("a", "b"))
	case 12, 13:
		return signature.ListOf(s.typ(depth - 1))
	case 14:
		return signature.SetOf(plain([]signature.Kind{signature.KindInt, signature.KindString}[s.n(2)]))
	case 15:
		return signature.TupleOf(s.typ(depth-1), s.typ(depth-1))
	case 16:
		return signature.DictOf(plain(signature.KindString), s.typ(depth-1))
	case 17:
		return signature.DictOf(plain(signature.KindInt), s.typ(depth-1))
	case 18, 19:
		var fields []signature.Field
		for i := range 1 + s.n(3) {
			fields = append(fields, signature.Field{Name: fmt.Sprintf("f%d", i), Type: s.typ(depth - 1)})
		}
		return signature.ObjectOf("Thing", fields...)
	case 20:
		return signature.UnionOf(plain(signature.KindInt), signature.ListOf(plain(signature.KindString)), plain(signature.KindNone))
	case 21:
		return plain([]signature.Kind{signature.KindToolCalls, signature.KindHistory}[s.n(2)])
	}
}

var pieces = []string{
	"a", "word ", "\n", "  ", "[[ ## o0 ## ]]", "[[ ## completed ## ]]", "\n[[ ## o1 ## ]]\n", "\u200d", "[[\u200d ##", `"`, `\`, "'", "{", "}", "[", "]", ": ", ",",
	"label: ham", "O0: x", "**", "`", "<think>", "</think>", "ä", "日本", "😀", "\t", "\u2028", "\r\n", "\v", "\x00", "None", "null", "1,5", "%", "#", "<|im_end|>", `"}`,
}

func (s *source) text() string {
	var b strings.Builder
	for range s.n(8) {
		if s.tame {
			b.WriteString([]string{"so ", "it ", "Is ", "9 ", "yes, ", "(b) "}[s.n(6)])
		} else {
			if p := pieces[s.n(len(pieces))]; !s.python || p != "\u2028" {
				b.WriteString(p)
			}
		}
	}
	if s.tame {
		return "w " + strings.TrimSpace(b.String()) + "."
	}
	return b.String()
}

func (s *source) int() int64 {
	return []int64{0, 1, -1, 42, math.MaxInt64, math.MinInt64, 1 << 53, -7}[s.n(8)]
}

// value makes a value of a type.
func (s *source) value(t *signature.Type) signature.Value {
	if t.Optional && s.n(3) == 0 {
		return nil
	}
	items := func(n int, elem *signature.Type) []signature.Value {
		out := make([]signature.Value, 0, n)
		for range n {
			out = append(out, s.value(elem))
		}
		return out
	}
	switch t.Kind {
	case signature.KindString:
		return s.text()
	case signature.KindReasoning, signature.KindCode:
		text := "w " + s.text() // a text that is all JSON is read as such, as in DSPy
		return strings.ReplaceAll(text, "`", "'")
	case signature.KindInt:
		return s.int()
	case signature.KindFloat:
		return []float64{0, 0.5, -1.25, 1e300, 1e-7, 42, 1234.5, math.SmallestNonzeroFloat64}[s.n(8)]
	case signature.KindBool:
		return s.n(2) == 1
	case signature.KindEnum, signature.KindLiteral:
		values := t.Literals()
		return values[s.n(len(values))]
	case signature.KindTime:
		zone := []*time.Location{time.UTC, time.FixedZone("", 5400), time.FixedZone("", -8*3600)}[s.n(3)]
		return time.Date(1970+s.n(200), time.Month(1+s.n(12)), 1+s.n(28), s.n(24), s.n(60), s.n(60), s.n(2)*123456000, zone)
	case signature.KindList:
		return items(s.n(4), t.Elem)
	case signature.KindSet:
		var out []signature.Value
		for _, v := range items(s.n(4), t.Elem) {
			if !slices.ContainsFunc(out, func(o signature.Value) bool { return signature.EqualValues(o, v) }) {
				out = append(out, v)
			}
		}
		return append([]signature.Value{}, out...)
	case signature.KindTuple:
		return []signature.Value{s.value(t.Items[0]), s.value(t.Items[1])}
	case signature.KindDict:
		var r signature.Record
		for i := range s.n(4) {
			key := fmt.Sprint(i)
			if t.Key.Kind == signature.KindString {
				key = s.text()
			}
			r = r.With(key, s.value(t.Elem))
		}
		return r
	case signature.KindObject:
		var r signature.Record
		for _, f := range t.Fields {
			r = r.With(f.Name, s.value(f.Type))
		}
		return r
	case signature.KindUnion:
		return s.value(t.Items[s.n(len(t.Items))])
	case signature.KindToolCalls:
		calls := []signature.Value{}
		for range s.n(3) {
			calls = append(calls, signature.RecordOf("name", "f", "args", signature.RecordOf("x", s.text(), "y", s.int())))
		}
		return signature.RecordOf("tool_calls", calls)
	default:
		turns := []signature.Value{}
		for range s.n(3) {
			turns = append(turns, signature.RecordOf("q", s.text()))
		}
		return signature.RecordOf("messages", turns)
	}
}

// record makes a signature of an input and some outputs, and a record of all.
func (s *source) record(t *testing.T) (*signature.Signature, signature.Record) {
	t.Helper()
	var outs []signature.Field
	r := signature.RecordOf("text", "about")
	for i := range 1 + s.n(3) {
		f := signature.Field{Name: fmt.Sprintf("o%d", i), Type: s.typ(2)}
		outs = append(outs, f)
		r = r.With(f.Name, s.value(f.Type))
	}
	sig, err := signature.New("Do it.", []signature.Field{{Name: "text", Type: &signature.Type{Kind: signature.KindString}}}, outs)
	if err != nil {
		t.Fatal(err)
	}
	return sig, r
}

// normalized is what remains of a value: a text under a marker loses the white space
// at its ends, and its line ends become one kind.
func normalized(a adapter.Adapter, v signature.Value) signature.Value {
	s, ok := v.(string)
	if !ok || a.Name() == "json" {
		return v
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for _, end := range []string{"\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029"} {
		s = strings.ReplaceAll(s, end, "\n")
	}
	return strings.TrimSpace(s)
}

// checkRoundTrip shows a record as a demo and reads the answer.
func checkRoundTrip(t *testing.T, data []byte) {
	t.Helper()
	for _, a := range []adapter.Adapter{
		adapter.Chat{}, adapter.Chat{Strict: true}, adapter.JSON{}, adapter.JSON{Strict: true}, adapter.Compact{Turns: true},
	} {
		_, compact := a.(adapter.Compact)
		src := source{data: data, tame: compact, python: a == adapter.Adapter(adapter.Chat{Strict: true})}
		sig, r := src.record(t)
		tmpl, err := a.Prepare(adapter.Program{Signature: sig, Demos: []signature.Record{r}})
		var fe *adapter.FormatError
		if compact && errors.As(err, &fe) {
			continue // says which types it has no line for
		}
		if err != nil {
			t.Fatal(err)
		}
		req, err := tmpl.Request(signature.RecordOf("text", "more"))
		if err != nil {
			t.Fatal(err)
		}
		reply := req.Messages[2].Text()
		got, repairs, err := tmpl.Parse(reply, signature.RecordOf("text", "more"))
		if err != nil {
			t.Fatalf("%T%+v: %s\n%q: %v", a, a, sig, reply, err)
		}
		if len(repairs) > 0 {
			t.Errorf("%T%+v: %q needed the repairs %v", a, a, reply, repairs)
		}
		for _, f := range sig.Outputs() {
			want, _ := r.Get(f.Name)
			have, _ := got.Get(f.Name)
			if want = normalized(a, want); !signature.EqualValues(want, have) {
				t.Errorf("%T%+v: field %s (%s): %#v became %#v in\n%q", a, a, f.Name, f.Type, want, have, reply)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 7))
	for range 3000 {
		data := make([]byte, 20+rng.IntN(200))
		for i := range data {
			data[i] = byte(rng.IntN(256))
		}
		checkRoundTrip(t, data)
		if t.Failed() {
			return
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{2, 0, 7, 4, 5, 6, 7, 8, 9})
	f.Fuzz(checkRoundTrip)
}
