package signature_test

import (
	"testing"

	"github.com/whetgo/whet/signature"
)

func TestStrictSchema(t *testing.T) {
	t.Parallel()
	point := signature.ObjectOf("Point",
		signature.Field{Name: "y", Type: &signature.Type{Kind: signature.KindInt}, Desc: "up"},
		signature.Field{Name: "x", Type: signature.OptionalOf(&signature.Type{Kind: signature.KindInt})},
	)
	sig, err := signature.New("", nil, []signature.Field{
		{Name: "zoom_level", Type: &signature.Type{Kind: signature.KindFloat}, Desc: "not shown", Constraints: []signature.Constraint{{Op: signature.AtLeast, Bound: int64(0)}}},
		{Name: "at", Type: point},
		{Name: "path", Type: signature.ListOf(point), Default: []signature.Value{}, HasDefault: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := signature.MarshalValue(sig.StrictSchema("Answer"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"$defs":{"Point":{"properties":{"y":{"description":"up","title":"Y","type":"integer"},` +
		`"x":{"anyOf":[{"type":"integer"},{"type":"null"}],"default":null,"title":"X"}},"required":["y","x"],"title":"Point","type":"object","additionalProperties":false}},` +
		`"additionalProperties":false,"properties":{"zoom_level":{"title":"Zoom Level","type":"number"},"at":{"$ref":"#/$defs/Point"},` +
		`"path":{"default":[],"items":{"$ref":"#/$defs/Point"},"title":"Path","type":"array"}},"required":["zoom_level","at","path"],"title":"Answer","type":"object"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
