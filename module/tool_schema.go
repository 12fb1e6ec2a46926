package module

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Spec describes the tool as a field of a signature does; its String method writes it as a
// model sees it. The schema of each argument stands by itself, without references.
func (t *Tool) Spec() signature.Tool {
	spec := signature.Tool{Name: t.name, Desc: t.desc}
	schema := t.schema()
	v, _ := schema.Get("properties")
	spec.Args, _ = v.(signature.Record)
	return spec
}

// LM returns the tool as a request carries it, for models that call tools by themselves.
func (t *Tool) LM() (lm.Tool, error) {
	data, err := signature.MarshalValue(t.schema())
	if err != nil {
		return lm.Tool{}, fmt.Errorf("module: tool %q: the schema of its arguments: %w", t.name, err)
	}
	return lm.Tool{Name: t.name, Description: t.desc, Parameters: data}, nil
}

// schema is the JSON Schema of the arguments.
func (t *Tool) schema() signature.Record {
	root := signature.ObjectOf(t.name, t.args...).Schema()
	v, _ := root.Get("$defs")
	defs, _ := v.(signature.Record)
	plain, _ := plainSchema(root.Without("$defs"), defs, false).(signature.Record)
	v, _ = plain.Get("properties")
	sorted, _ := v.(signature.Record)
	var props signature.Record
	for _, f := range t.args { // in their order, and not the alphabet's
		prop, _ := sorted.Get(f.Name)
		props = props.With(f.Name, prop)
	}
	return plain.With("properties", props).With("additionalProperties", false)
}

// plainSchema puts definitions where they are referred to, and leaves titles out, which
// say what the names do. Types hold no type that holds them, so it ends. names says that
// the keys of an object are names and not keywords.
func plainSchema(v signature.Value, defs signature.Record, names bool) signature.Value {
	switch v := v.(type) {
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = plainSchema(item, defs, false)
		}
		return out
	case signature.Record:
		var out signature.Record
		for key, item := range v.All() {
			switch {
			case names:
				out = out.With(key, plainSchema(item, defs, false))
			case key == "title":
			case key == "$ref":
				to, _ := item.(string)
				if def, ok := defs.Get(strings.TrimPrefix(to, "#/$defs/")); ok {
					if r, ok := plainSchema(def, defs, false).(signature.Record); ok {
						out = r.Merge(out)
						continue
					}
				}
				out = out.With(key, item)
			case key == "enum" || key == "const" || key == "default":
				out = out.With(key, item)
			default:
				out = out.With(key, plainSchema(item, defs, key == "properties"))
			}
		}
		return out
	}
	return v
}
