package adapter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// bounded makes a signature with constraints on a number, on a text and within the
// items of a list.
func bounded(t *testing.T) *signature.Signature {
	t.Helper()
	plain := func(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }
	between := []signature.Constraint{{Op: signature.AtLeast, Bound: int64(0)}, {Op: signature.AtMost, Bound: int64(10)}}
	item := signature.ObjectOf("Item", signature.Field{Name: "n", Type: plain(signature.KindInt), Constraints: between})
	sig, err := signature.New("", nil, []signature.Field{
		{Name: "score", Type: plain(signature.KindFloat), Constraints: between},
		{Name: "code", Type: plain(signature.KindString), Constraints: []signature.Constraint{{Op: signature.Pattern, Bound: "^[A-Z]+$"}}},
		{Name: "items", Type: signature.ListOf(item), Default: []signature.Value{}, HasDefault: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestConstraintsAreEnforced(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reply, field, problem string }{
		{"[[ ## score ## ]]\n7\n[[ ## code ## ]]\nABC", "", ""},
		{"[[ ## score ## ]]\n11\n[[ ## code ## ]]\nABC", "score", "want less than or equal to: 10, got 11.0"},
		{"[[ ## score ## ]]\n-0,5\n[[ ## code ## ]]\nABC", "score", ""},
		{"[[ ## score ## ]]\n7\n[[ ## code ## ]]\nabc", "code", "want a text that matches"},
		{"[[ ## score ## ]]\n7\n[[ ## code ## ]]\nABC\n[[ ## items ## ]]\n[{\"n\": 1}, {\"n\": 11}]", "items", `item 1: field "n": want less than or equal to: 10, got 11`},
		{"[[ ## score ## ]]\n7\n[[ ## code ## ]]\nABC\n[[ ## items ## ]]\n[{\"n\": 1}, {\"n\": \"x\"}]", "items", `item 1: field "n": want int, got "x"`},
	} {
		for _, a := range []adapter.Adapter{adapter.Chat{}, adapter.Chat{Strict: true}} {
			got, _, err := prepared(t, a, bounded(t)).Parse(tt.reply, signature.Record{})
			if tt.field == "" {
				if err != nil || got.Len() != 3 {
					t.Errorf("%q gave %v, %v", tt.reply, got, err)
				}
				continue
			}
			var pe *adapter.ParseError
			if !errors.As(err, &pe) || pe.Field != tt.field || pe.Missing || got.Len() > 0 {
				t.Fatalf("%q gave %v, %v; want a *ParseError of %s", tt.reply, got, err, tt.field)
			}
			if tt.problem != "" && (errors.Unwrap(err) == nil || !strings.Contains(errors.Unwrap(err).Error(), tt.problem) || !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("%q: the cause is %v, want %s", tt.reply, errors.Unwrap(err), tt.problem)
			}
		}
	}
}

// Strict forgives nothing of what the table of malformed replies has, but for what
// DSPy mends, too: JSON.
func TestStrictForgivesNothing(t *testing.T) {
	t.Parallel()
	for _, group := range []struct {
		adapter adapter.Adapter
		table   []malformed
	}{{adapter.Chat{Strict: true}, malformedChat}, {adapter.JSON{Strict: true}, malformedJSON}} {
		refused := 0
		for _, m := range group.table {
			if m.want == nil || m.repair == "" {
				continue
			}
			sig := signature.MustParse("text -> " + m.outputs)
			got, repairs, err := prepared(t, group.adapter, sig).Parse(m.reply, signature.RecordOf("text", m.text))
			if err != nil {
				refused++
				continue
			}
			for _, r := range repairs {
				if !strings.Contains(r.What, "JSON") {
					t.Errorf("%s: %q gave %v with the repair %q", group.adapter.Name(), m.reply, got, r.What)
				}
			}
		}
		if refused < 5 {
			t.Errorf("%s: only %d replies were refused", group.adapter.Name(), refused)
		}
	}
	// What stands in an input counts, as in DSPy.
	const copied = "[[ ## label ## ]]\nham"
	sig := signature.MustParse("text -> " + labelOut)
	in := signature.RecordOf("text", copied)
	if got, _, err := prepared(t, adapter.Chat{Strict: true}, sig).Parse(copied, in); err != nil || !got.Equal(signature.RecordOf("label", "ham")) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, _, err := prepared(t, adapter.Chat{}, sig).Parse(copied, in); err == nil {
		t.Errorf("the copy of an input gave %v", got)
	}
}

// Inputs count wherever their texts stand: in lists, objects and numbers.
func TestEchoOfNestedInputs(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("notes: list[str], facts: dict[str, Any], n: int -> " + labelOut + ", count: int")
	tmpl := prepared(t, adapter.Chat{}, sig)
	in := signature.RecordOf("notes", []string{"one", "two\nlabel: ham"}, "facts", signature.RecordOf("a", signature.RecordOf("b", "count: 7")), "n", 7)
	for _, reply := range []string{"label: ham\ncount: 3", "label: spam\ncount: 7"} {
		if got, _, err := tmpl.Parse(reply, in); err == nil {
			t.Errorf("%q gave %v", reply, got)
		}
	}
	if got, _, err := tmpl.Parse("label: spam\ncount: 3", in); err != nil || !got.Equal(signature.RecordOf("label", "spam", "count", 3)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLenientChoiceOfNumbers(t *testing.T) {
	t.Parallel()
	sig, err := signature.New("", nil, []signature.Field{{Name: "n", Type: signature.LiteralOf(-1, 0, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	for reply, want := range map[string]any{"**-1**": -1, "-1.": -1, "`1`": 1, "1 or -1": nil, "1: 0.5": nil} {
		got, _, err := prepared(t, adapter.Chat{}, sig).Parse("[[ ## n ## ]]\n"+reply, signature.Record{})
		if want == nil {
			if err == nil {
				t.Errorf("%q gave %v", reply, got)
			}
			continue
		}
		if err != nil || !got.Equal(signature.RecordOf("n", want)) {
			t.Errorf("%q gave %v, %v; want %v", reply, got, err, want)
		}
	}
}
