package signature_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/signature"
)

const invoiceSchema = `{
	"type": "object",
	"properties": {
		"number": {"type": "string", "pattern": "^R-[0-9]+$"},
		"lines": {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {"cents": {"type": "integer", "minimum": 1}}, "required": ["cents"]}}
	},
	"required": ["number", "lines"]
}`

func ExampleSchemaType() {
	invoice, err := signature.SchemaType("Invoice", []byte(invoiceSchema))
	if err != nil {
		fmt.Println(err)
		return
	}
	sig, err := signature.Parse("mail -> invoice: Invoice", signature.NamedType("Invoice", invoice))
	if err != nil {
		fmt.Println(err)
		return
	}
	f, _ := sig.Output("invoice")
	line := []signature.Value{signature.RecordOf("cents", 0)}
	fmt.Println(f.Type, f.Check(signature.RecordOf("number", "R-1", "lines", line)))
	// Output: Invoice /lines/0/cents: minimum: got 0, want 1
}

func TestSchemaType(t *testing.T) {
	t.Parallel()
	invoice, err := signature.SchemaType("Invoice", []byte(invoiceSchema))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := signature.MarshalValue(invoice.Schema())
	if err != nil || !strings.HasPrefix(string(shown), `{"type":"object","properties":{"lines":`) {
		t.Errorf("the model sees %s, %v", shown, err)
	}
	lines := []signature.Value{signature.RecordOf("cents", 5)}
	for want, v := range map[string]signature.Value{
		"":         signature.RecordOf("number", "R-1", "lines", lines),
		"/number":  signature.RecordOf("number", "1", "lines", lines),
		"/lines":   signature.RecordOf("number", "R-1", "lines", []signature.Value{}),
		"missing":  signature.RecordOf("number", "R-1"),
		"got null": nil,
	} {
		if want == "got null" { // an absent value is for the adapter to refuse
			if _, err := signature.Coerce(invoice, v); err == nil {
				t.Error("nothing is an invoice")
			}
			continue
		}
		_, err := signature.Coerce(invoice, v)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", v, err, want)
		}
	}
	for name, text := range map[string]string{
		"no JSON":   `{`,
		"no object": `[]`,
		"no schema": `{"type": "wat"}`,
		"reference": `{"$ref": "file:///etc/passwd"}`,
	} {
		var e *signature.Error
		if _, err := signature.SchemaType("X", []byte(text)); !errors.As(err, &e) || e.Type != "X" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
