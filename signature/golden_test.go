package signature

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func readNames(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestNamesLikeDSPy(t *testing.T) {
	t.Parallel()
	var file struct {
		InferPrefix    map[string]string `json:"infer_prefix"`
		LiteralQuoting map[string]string `json:"literal_quoting"`
	}
	readNames(t, "names.json", &file)
	if len(file.InferPrefix) < 15 || len(file.LiteralQuoting) < 4 {
		t.Fatal("the tables are too short")
	}
	for name, want := range file.InferPrefix {
		if got := InferPrefix(name); got != want {
			t.Errorf("InferPrefix(%q) = %q, DSPy gives %q", name, got, want)
		}
	}
	for choice, quoted := range file.LiteralQuoting {
		want := "Literal[" + quoted + "]"
		if got := (&Type{Kind: KindEnum, Choices: []string{choice}}).String(); got != want {
			t.Errorf("the type of %q is %s, DSPy gives %s", choice, got, want)
		}
	}
}

// TestSchemaLikeDSPy compares with the schemas in DSPy's system message; its
// Person has a default and a description that Go types cannot give, which are
// taken out.
func TestSchemaLikeDSPy(t *testing.T) {
	t.Parallel()
	var file struct{ System string }
	readNames(t, "pydantic_system.json", &file)
	person := &Type{Kind: KindObject, Name: "Person", Fields: []Field{
		{Name: "name", Desc: "full name", Type: &Type{Kind: KindString}},
		{Name: "age", Type: &Type{Kind: KindInt, Optional: true}},
		{Name: "tags", Type: &Type{Kind: KindList, Elem: &Type{Kind: KindString}}},
	}}
	for field, typ := range map[string]*Type{
		"people":   {Kind: KindList, Elem: person},
		"keywords": {Kind: KindList, Elem: &Type{Kind: KindString}},
		"main":     person,
		"opt":      {Kind: KindString, Optional: true},
	} {
		_, rest, ok := strings.Cut(file.System, "{"+field+"}        # note: the value you produce must adhere to the JSON schema: ")
		if !ok {
			t.Fatalf("no schema of %s in the file", field)
		}
		want, _, _ := strings.Cut(rest, "\n")
		want = strings.ReplaceAll(want, `"description": "A person mentioned in text.", `, "")
		want = strings.ReplaceAll(want, `"default": [], `, "")
		want = strings.ReplaceAll(want, `"required": ["name"]`, `"required": ["name", "tags"]`)
		got, err := MarshalPython(typ.Schema())
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("schema of %s:\n got %s\nwant %s", field, got, want)
		}
	}
}

func TestCleandoc(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                "",
		"one":                             "one",
		"  one  ":                         "one  ",
		"\n\n  one\n    two\n\n  three\n": "one\n  two\n\nthree",
		"one\n    two\n      three":       "one\ntwo\n  three",
		"one\n\ttwo":                      "one\ntwo",
		"\n  \n":                          "  ", // as Python, surprisingly
		"one\n   ":                        "one\n   ",
		"\x1e one":                        "one",
	} {
		if got := cleandoc(in); got != want {
			t.Errorf("cleandoc(%q) = %q, want %q", in, got, want)
		}
	}
}
