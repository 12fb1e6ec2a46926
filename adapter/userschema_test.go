package adapter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// A reply is held to the JSON Schema that a program brings along.
func TestUserSchema(t *testing.T) {
	t.Parallel()
	point, err := signature.SchemaType("Point", []byte(`{"type": "object", "properties": {"x": {"type": "integer", "minimum": 0}}, "required": ["x"]}`))
	if err != nil {
		t.Fatal(err)
	}
	sig := signature.MustParse("text -> at: Point", signature.NamedType("Point", point))
	in := signature.RecordOf("text", "left")
	for _, a := range []adapter.Adapter{adapter.Chat{}, adapter.JSON{}} {
		tmpl := prepared(t, a, sig)
		req, err := tmpl.Request(in)
		if err != nil || !strings.Contains(req.Messages[0].Text(), "minimum") || !strings.Contains(req.Messages[0].Text(), "(Point)") {
			t.Errorf("%s: the model does not see the schema: %v", a.Name(), err)
		}
		for reply, ok := range map[string]bool{`{"x": 3}`: true, `{"x": -3}`: false, `{"y": 3}`: false, `left`: false} {
			text := "[[ ## at ## ]]\n" + reply + "\n\n[[ ## completed ## ]]"
			if a.Name() == "json" {
				text = `{"at": ` + reply + `}`
			}
			got, _, err := tmpl.Parse(text, in)
			var pe *adapter.ParseError
			if ok && (err != nil || !got.Equal(signature.RecordOf("at", signature.RecordOf("x", 3)))) || !ok && !errors.As(err, &pe) {
				t.Errorf("%s: %s gave %v, %v", a.Name(), reply, got, err)
			}
		}
	}
}
