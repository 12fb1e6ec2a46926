package jsonrepair

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/whetgo/whet/signature"
)

// oracleCase is a text and what json_repair makes of it; testdata/make_cases.py
// writes them.
type oracleCase struct {
	Group string
	Text  string
	Want  json.RawMessage
}

func oracleCases(t testing.TB) []oracleCase {
	t.Helper()
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []oracleCase }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func TestAgainstPython(t *testing.T) {
	t.Parallel()
	groups := map[string][]oracleCase{}
	cases := oracleCases(t)
	for _, c := range cases {
		groups[c.Group] = append(groups[c.Group], c)
	}
	if len(cases) < 250 || len(groups) < 15 {
		t.Fatalf("%d cases in %d groups: the file is not whole", len(cases), len(groups))
	}
	for name, group := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range group {
				want, err := signature.ParseValue(c.Want)
				if err != nil {
					t.Fatalf("%q: %v", c.Text, err)
				}
				got, ok := Parse(c.Text)
				if !signature.EqualValues(got, want) {
					t.Errorf("%q:\n got  %s\n want %s", c.Text, shown(t, got), c.Want)
				}
				// Only a quoted empty text, and an empty one, mean the empty text.
				found := want != "" || c.Text == "" || strings.TrimSpace(c.Text) == `""`
				if ok != found {
					t.Errorf("%q: ok = %v", c.Text, ok)
				}
			}
		})
	}
}

func shown(t testing.TB, v signature.Value) string {
	t.Helper()
	s, err := signature.MarshalPython(v)
	if err != nil {
		t.Fatalf("%#v does not marshal: %v", v, err)
	}
	return s
}
