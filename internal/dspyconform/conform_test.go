package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/signature"
)

const differencesPage = "../../docs/dspy-differences.md"

// TestConformance fails on each difference that is not agreed, and on each agreed one
// that is none any more.
func TestConformance(t *testing.T) {
	t.Parallel()
	python := os.Getenv("WHET_DSPY_PYTHON")
	if python == "" {
		t.Skip(`WHET_DSPY_PYTHON is not set; scripts/setup dspy and eval "$(scripts/setup env)" set it`)
	}
	r, err := compare(t.Context(), python, 1, 0, 300)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r)
	for _, what := range []string{
		"signature", "chat messages", "chat messages by default", "json messages", "json messages by default", "response formats",
		"states of DSPy", "states of whet", "chat markers restored", "json markers restored",
		"chat reply", "chat reply by default", "json reply", "json reply by default",
	} {
		if n := r.row(what).compared; n < 5 {
			t.Errorf("%s: only %d were compared, so that nothing was", what, n)
		}
	}
	if shown := r.show(2); shown != "" {
		t.Errorf("differences:\n%s", shown)
	}
	for i, a := range agreements {
		if r.agreed[i] == 0 {
			t.Errorf("the agreed difference %q was not seen; take it off agreed.go and %s", a.what, differencesPage)
		}
	}
}

// TestDifferencesPage keeps the page and the list alike.
func TestDifferencesPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(differencesPage)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 6 && !strings.HasPrefix(cells[1], "-") {
			rows = append(rows, strings.TrimSpace(cells[1]))
		}
	}
	if len(rows) == 0 || rows[0] != "What" {
		t.Fatalf("no table whose first column is What in %s", differencesPage)
	}
	for _, a := range agreements {
		if !slices.Contains(rows, a.what) {
			t.Errorf("%s lacks the row %q of agreed.go", differencesPage, a.what)
		}
	}
	for _, row := range rows[1:] {
		if !slices.ContainsFunc(agreements, func(a agreement) bool { return a.what == row }) {
			t.Errorf("the row %q of %s is not in agreed.go, so nothing shows that it is true", row, differencesPage)
		}
	}
}

// TestGenerate checks that a seed always makes the same cases, and that they hold
// what they are meant to hold.
func TestGenerate(t *testing.T) {
	t.Parallel()
	kinds := map[signature.Kind]bool{}
	demos, edits, texts, markers, chains := 0, 0, 0, 0, 0
	for i := range 300 {
		a, b := generate(1, i), generate(1, i)
		sig, err := a.program()
		if err != nil {
			continue
		}
		other, err := b.program()
		if err != nil || describeSignature(sig) != describeSignature(other) || !a.in.Equal(b.in) || !slices.Equal(a.chat, b.chat) || !slices.Equal(a.json, b.json) {
			t.Errorf("case %d is not the same twice", i)
		}
		for _, f := range sig.Fields() {
			kinds[f.Type.Kind] = true
		}
		demos += len(a.demos)
		edits += len(a.edits)
		texts += count(a.text != nil)
		markers += count((&checker{c: a, sig: sig}).holdsMarker())
		chains += count(a.cot)
	}
	for k := signature.KindString; k <= signature.KindToolCalls; k++ {
		if !kinds[k] && k != signature.KindNone {
			t.Errorf("no field of kind %d", k)
		}
	}
	for what, n := range map[string]int{"demos": demos, "edits": edits, "texts": texts, "markers": markers, "chains of thought": chains} {
		if n < 25 {
			t.Errorf("only %d %s in 300 cases", n, what)
		}
	}
	if generate(1, 7).in.Equal(generate(2, 7).in) {
		t.Error("another seed makes the same case")
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestSameValue checks that the comparison is able to fail.
func TestSameValue(t *testing.T) {
	t.Parallel()
	tm, err := signature.ParseTime("2024-05-06T07:08:09+02:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		got  signature.Value
		want string
		same bool
	}{
		{"a", `"a"`, true},
		{"a", `"b"`, false},
		{int64(1), `1`, true},
		{int64(1), `1.0`, false},
		{nil, `null`, true},
		{nil, `""`, false},
		{true, `true`, true},
		{true, `1`, false},
		{[]signature.Value{int64(1), "x"}, `[1, "x"]`, true},
		{[]signature.Value{"x", int64(1)}, `[1, "x"]`, false},
		{[]signature.Value{"x", int64(1)}, `{"$set": [1, "x"]}`, true},
		{[]signature.Value{"x"}, `{"$set": [1, "x"]}`, false},
		{signature.RecordOf("a", 1, "b", 2), `{"$dict": [["a", 1], ["b", 2]]}`, true},
		{signature.RecordOf("b", 2, "a", 1), `{"$dict": [["a", 1], ["b", 2]]}`, false},
		{signature.RecordOf("a", 1), `{"$dict": [["a", 1], ["b", 2]]}`, false},
		{tm, `{"$time": "2024-05-06T05:08:09+00:00", "naive": false}`, true},
		{tm, `{"$time": "2024-05-06T05:08:09", "naive": true}`, false},
		{tm, `{"$time": "2024-05-06T05:08:10+00:00", "naive": false}`, false},
		{math.Inf(1), `{"$float": "inf"}`, false},
	} {
		want, err := signature.ParseValue([]byte(tt.want))
		if err != nil {
			t.Fatal(err)
		}
		if same := sameValue(tt.got, want); same != tt.same {
			t.Errorf("%v and %s: same is %v", tt.got, tt.want, same)
		}
	}
}
