package adapter_test

import (
	"errors"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

func FuzzChatParse(f *testing.F)    { fuzzParse(f, adapter.Chat{}) }
func FuzzJSONParse(f *testing.F)    { fuzzParse(f, adapter.JSON{}) }
func FuzzCompactParse(f *testing.F) { fuzzParse(f, adapter.Compact{}) }

// fuzzParse checks that a reply is read whole or refused with all of it kept, and
// that a reply which only repeats the input is no answer to it.
func fuzzParse(f *testing.F, a adapter.Adapter) {
	templates := map[*signature.Signature]adapter.Template{}
	for _, outputs := range [][]string{
		{"label " + choiceOf},
		{"reasoning str", "label " + choiceOf},
		{"n int", "x float", "ok bool"},
		{"p person", "xs list str", "at time"},
		{"answer str"},
		{"note str?", "n int?"},
	} {
		sig := outputsSig(f, outputs...)
		templates[sig] = prepared(f, a, sig)
	}
	label := outputsSig(f, "label "+choiceOf)
	echo := prepared(f, a, label)
	f.Fuzz(func(t *testing.T, reply string) {
		if a.Name() != "compact" { // of which the whole reply is the answer
			if got, _, err := echo.Parse(reply, signature.RecordOf("text", reply)); err == nil {
				t.Fatalf("the echo of %q gave %v", reply, got)
			}
		}
		for sig, tmpl := range templates {
			got, _, err := tmpl.Parse(reply, signature.Record{})
			if err != nil {
				var pe *adapter.ParseError
				if !errors.As(err, &pe) || pe.Raw != reply {
					t.Fatalf("%v is no *ParseError with the whole reply", err)
				}
				continue
			}
			if got.Len() != len(sig.Outputs()) {
				t.Fatalf("%d fields, want %d", got.Len(), len(sig.Outputs()))
			}
			for _, o := range sig.Outputs() {
				v, _ := got.Get(o.Name)
				if _, err := signature.Coerce(o.Type, v); err != nil {
					t.Fatalf("field %s of %q: %v", o.Name, reply, err)
				}
			}
		}
	})
}
