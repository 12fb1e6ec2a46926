package adapter_test

import (
	"errors"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

func FuzzChatParse(f *testing.F)    { fuzzParse(f, adapter.Chat{}) }
func FuzzCompactParse(f *testing.F) { fuzzParse(f, adapter.Compact{}) }

// fuzzParse checks that a reply is read whole or refused with all of it kept.
func fuzzParse(f *testing.F, a adapter.Adapter) {
	templates := map[*signature.Signature]adapter.Template{}
	for _, outputs := range [][]string{
		{"label " + choiceOf},
		{"reasoning str", "label " + choiceOf},
		{"n int", "x float", "ok bool"},
		{"p person", "xs list str", "at time"},
	} {
		sig := outputsSig(f, outputs...)
		templates[sig] = prepared(f, a, sig)
	}
	f.Fuzz(func(t *testing.T, reply string) {
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
