package signature

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// userSchema is a JSON Schema that a program brings along.
type userSchema struct {
	shown    Record
	compiled *jsonschema.Schema
}

// SchemaType makes a type of a JSON Schema, for values that are described by one
// already: name is what the model sees as the type's. The model is shown the schema,
// and a reply that breaks it is refused, with the place in it. Drafts 4 to 2020-12
// are understood, the last where the schema does not say; a reference to another
// document is an error, as nothing is fetched. It returns an *[Error] for a text that
// is no schema.
//
//	invoice, err := signature.SchemaType("Invoice", data)
//	sig, err := signature.Parse("mail -> invoice: Invoice", signature.NamedType("Invoice", invoice))
func SchemaType(name string, schema []byte) (*Type, error) {
	fail := func(err error) error {
		return &Error{Type: name, Problem: "it is no JSON Schema: " + err.Error()}
	}
	shown, err := ParseRecord(schema)
	if err != nil {
		return nil, fail(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fail(err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	const here = "schema.json"
	if err := c.AddResource(here, doc); err != nil {
		return nil, fail(err)
	}
	compiled, err := c.Compile(here)
	if err != nil {
		return nil, fail(err)
	}
	return &Type{Kind: KindAny, Name: name, schema: &userSchema{shown, compiled}}, nil
}

// noLoader keeps schemas from reading files.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %s, and nothing is fetched; put that under $defs", url)
}

// validate says where a value breaks the schema.
func (s *userSchema) validate(v Value) error {
	err := s.compiled.Validate(plainJSON(v))
	var broken *jsonschema.ValidationError
	if !errors.As(err, &broken) {
		return err
	}
	for len(broken.Causes) > 0 { // the first leaf says what is wrong
		broken = broken.Causes[0]
	}
	at := ""
	for _, part := range broken.InstanceLocation {
		at += "/" + part
	}
	if at == "" {
		at = "the value"
	}
	out := broken.BasicOutput()
	if out.Error != nil {
		return fmt.Errorf("%s: %s", at, out.Error)
	}
	return fmt.Errorf("%s: %w", at, err)
}

// plainJSON writes a value in the types of encoding/json.
func plainJSON(v Value) any {
	switch v := v.(type) {
	case time.Time:
		return FormatTime(v)
	case []Value:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plainJSON(item)
		}
		return out
	case Record:
		out := make(map[string]any, v.Len())
		for name, item := range v.All() {
			out[name] = plainJSON(item)
		}
		return out
	}
	return v
}
