package signature

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// builtinType returns the type of a Go type that this package brings along, or nil.
func builtinType(t reflect.Type) *Type {
	switch t {
	case reflect.TypeFor[Image]():
		return &Type{Kind: KindImage}
	case reflect.TypeFor[Audio]():
		return &Type{Kind: KindAudio}
	case reflect.TypeFor[File]():
		return &Type{Kind: KindFile}
	case reflect.TypeFor[History]():
		return &Type{Kind: KindHistory}
	case reflect.TypeFor[Reasoning]():
		return &Type{Kind: KindReasoning}
	case reflect.TypeFor[Code]():
		return &Type{Kind: KindCode}
	case reflect.TypeFor[Tool]():
		return &Type{Kind: KindTool}
	case reflect.TypeFor[ToolCalls]():
		return &Type{Kind: KindToolCalls}
	case reflect.TypeFor[Record]():
		return DictOf(&Type{Kind: KindString}, &Type{Kind: KindAny})
	}
	return nil
}

// objectDesc is what a struct type says of itself in a method Description() string,
// on the value or on the pointer.
func objectDesc(t reflect.Type) string {
	type describer interface{ Description() string }
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[describer]()) {
		return ""
	}
	return reflect.New(t).Interface().(describer).Description()
}

// builtin returns the schema of a type that this package brings along. DSPy's
// schemas of some of them hold the documentation of its Python classes besides,
// which tells a model nothing.
func (b *schemaBuilder) builtin(t *Type) Record {
	text := &Type{Kind: KindString}
	closed := func(r Record) Record { return r.With("additionalProperties", false) }
	switch t.Kind {
	case KindToolCalls:
		call := ObjectOf("ToolCall", Field{Name: "name", Type: text}, Field{Name: "args", Type: DictOf(text, nil)})
		return b.fields("ToolCalls", []Field{{Name: "tool_calls", Type: ListOf(call)}}, "")
	case KindHistory:
		return closed(b.fields("History", []Field{{Name: "messages", Type: ListOf(DictOf(text, nil))}}, ""))
	case KindImage:
		return closed(b.fields("Image", []Field{{Name: "url", Type: text}}, ""))
	case KindAudio:
		return closed(b.fields("Audio", []Field{{Name: "data", Type: text}, {Name: "audio_format", Type: text}}, ""))
	case KindFile:
		maybe := OptionalOf(text)
		return closed(b.fields("File", []Field{{Name: "file_data", Type: maybe}, {Name: "file_id", Type: maybe}, {Name: "filename", Type: maybe}}, ""))
	default:
		return b.fields(t.base(), []Field{{Name: "code", Type: text}}, "")
	}
}

// checkBuiltin says what a record lacks as a value of a type of this package.
func checkBuiltin(k Kind, r Record) error {
	text := func(names ...string) error {
		for _, n := range names {
			v, _ := r.Get(n)
			if _, ok := v.(string); !ok {
				return fmt.Errorf("want %s with a text %q, got %s", k.name(), n, show(r))
			}
		}
		return nil
	}
	list := func(name string, item func(Record) error) error {
		v, _ := r.Get(name)
		items, ok := v.([]Value)
		if !ok {
			return fmt.Errorf("want %s with a list %q, got %s", k.name(), name, show(r))
		}
		for i, v := range items {
			o, ok := v.(Record)
			if !ok {
				return fmt.Errorf("item %d of %q: want an object, got %s", i, name, show(v))
			}
			if err := item(o); err != nil {
				return fmt.Errorf("item %d of %q: %w", i, name, err)
			}
		}
		return nil
	}
	switch k {
	case KindImage:
		return text("url")
	case KindAudio:
		return text("data", "audio_format")
	case KindFile:
		if _, ok := r.Get("file_id"); ok {
			return text("file_id")
		}
		return text("file_data")
	case KindTool:
		return text("name")
	case KindHistory:
		return list("messages", func(Record) error { return nil })
	case KindToolCalls:
		return list("tool_calls", func(o Record) error {
			name, _ := o.Get("name")
			args, _ := o.Get("args")
			_, isText := name.(string)
			if _, isObject := args.(Record); !isText || !isObject {
				return fmt.Errorf("want a call with a name and args, got %s", show(o))
			}
			return nil
		})
	}
	return nil
}

// encodeBuiltin writes a Go value of a type of this package.
func encodeBuiltin(v any) (Value, error) {
	switch v := v.(type) {
	case Image:
		return v.record(), nil
	case Audio:
		return v.record(), nil
	case File:
		return v.record(), checkBuiltin(KindFile, v.record())
	case History:
		return v.record(), nil
	case Tool:
		return v.record(), nil
	case ToolCalls:
		return v.record(), nil
	case Record:
		return v, nil
	}
	return nil, fmt.Errorf("a %T is no type of this package", v)
}

// decodeBuiltin fills a Go value of a type of this package. The record has passed
// checkBuiltin.
func decodeBuiltin(r Record, v reflect.Value) {
	text := func(name string) string {
		got, _ := r.Get(name)
		s, _ := got.(string)
		return s
	}
	records := func(name string) []Record {
		got, _ := r.Get(name)
		items, _ := got.([]Value)
		out := make([]Record, len(items))
		for i, item := range items {
			out[i], _ = item.(Record)
		}
		return out
	}
	var out any
	switch v.Interface().(type) {
	case Image:
		out = Image{URL: text("url")}
	case Audio:
		out = Audio{Data: text("data"), Format: text("audio_format")}
	case File:
		out = File{Data: text("file_data"), ID: text("file_id"), Name: text("filename")}
	case History:
		out = History{Turns: records("messages")}
	case Tool:
		args, _ := r.Get("args")
		schema, _ := args.(Record)
		out = Tool{Name: text("name"), Desc: text("desc"), Args: schema}
	case ToolCalls:
		calls := records("tool_calls")
		made := ToolCalls{Calls: make([]ToolCall, len(calls))}
		for i, c := range calls {
			name, _ := c.Get("name")
			args, _ := c.Get("args")
			made.Calls[i].Name, _ = name.(string)
			made.Calls[i].Args, _ = args.(Record)
		}
		out = made
	default:
		out = r
	}
	v.Set(reflect.ValueOf(out))
}

// anyValue turns what a field of type any holds into a value: scalars, slices and
// maps of such, records, times and structs.
func anyValue(v any) (Value, error) {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &Error{Problem: fmt.Sprintf("the value %v is not a finite number", v)}
		}
		return v, nil
	case nil, bool, string, int64, time.Time, Record:
		return v, nil
	case []Value:
		out := make([]Value, len(v))
		for i, item := range v {
			var err error
			if out[i], err = anyValue(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	c, err := codecOfType(reflect.TypeOf(v), "value", nil, func(_, problem string) error { return &Error{Problem: problem} })
	if err != nil {
		return nil, err
	}
	return c.encode(reflect.ValueOf(v))
}
