//go:build llamacpp

package llamagrammar

import (
	"os"
	"testing"
)

func TestGrammar(t *testing.T) {
	t.Parallel()
	path := os.Getenv("WHET_MODEL_SMOLLM2")
	if path == "" {
		t.Skip("WHET_MODEL_SMOLLM2 names no model; run scripts/setup models")
	}
	v, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	g, err := v.Parse("root ::= \"The weather is \" (\"good\" | \"très bien\") \".\"{0,3}\n")
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for text, want := range map[string]bool{
		"The weather is good": true, "The weather is good...": true, "The weather is très bien.": true,
		"": false, "The weather is": false, "The weather is good....": false, "The weather is bad": false, "The weather is très": false,
	} {
		if got, can := g.Accepts(text); !can || got != want {
			t.Errorf("%q: accepted %v, can be written %v", text, got, can)
		}
	}
	for _, broken := range []string{"root ::= a\n", "root ::= \"a", "a ::= \"a\"\n", "root ::= root \"a\" | \"b\"\n"} {
		if g, err := v.Parse(broken); err == nil {
			g.Close()
			t.Errorf("%q is read", broken)
		}
	}
	if _, err := Open("no such file"); err == nil {
		t.Error("a file that is not there is opened")
	}
}
