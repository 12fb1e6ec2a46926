package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/whetgo/whet/signature"
)

// Values and types travel to the oracle as JSON. What JSON has is itself; all else
// is an object of one key that begins with a dollar sign, see Case.build in
// testdata/oracle.py.

type object = map[string]any

// wireType describes a type to the oracle.
func wireType(t *signature.Type) any {
	if t == nil {
		return "any"
	}
	if t.Optional && t.Kind != signature.KindNone {
		plain := *t
		plain.Optional = false
		if t.Kind == signature.KindUnion {
			return object{"union": append(wireTypes(t.Items), "none")}
		}
		return object{"optional": wireType(&plain)}
	}
	switch t.Kind {
	case signature.KindList:
		if t.Elem != nil {
			return object{"list": wireType(t.Elem)}
		}
		return "list"
	case signature.KindSet:
		if t.Elem != nil {
			return object{"set": wireType(t.Elem)}
		}
		return "set"
	case signature.KindTuple:
		if t.Elem != nil {
			return object{"tuple_of": wireType(t.Elem)}
		}
		if t.Items != nil {
			return object{"tuple": wireTypes(t.Items)}
		}
		return "tuple"
	case signature.KindDict:
		if t.Key != nil || t.Elem != nil {
			return object{"dict": []any{wireType(t.Key), wireType(t.Elem)}}
		}
		return "dict"
	case signature.KindUnion:
		return object{"union": wireTypes(t.Items)}
	case signature.KindEnum, signature.KindLiteral:
		if t.Name == "" {
			return object{"literal": t.Literals()}
		}
		members := make([]any, len(t.Choices))
		for i, c := range t.Choices {
			members[i] = []string{t.Members[i], c}
		}
		return object{"enum": object{"name": t.Name, "members": members}}
	case signature.KindObject:
		fields := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = wireField(f)
		}
		return object{"model": object{"name": t.Name, "doc": t.Desc, "fields": fields}}
	case signature.KindCode:
		if t.Name != "" {
			return object{"code": t.Name}
		}
		return "Code"
	}
	return plainTypes[t.Kind]
}

// plainTypes are the names of the types without parts.
var plainTypes = map[signature.Kind]string{
	signature.KindString: "str", signature.KindInt: "int", signature.KindFloat: "float", signature.KindBool: "bool",
	signature.KindTime: "datetime", signature.KindAny: "any", signature.KindNone: "none",
	signature.KindReasoning: "Reasoning", signature.KindHistory: "History", signature.KindImage: "Image",
	signature.KindAudio: "Audio", signature.KindFile: "File", signature.KindTool: "Tool", signature.KindToolCalls: "ToolCalls",
}

func wireTypes(types []*signature.Type) []any {
	out := make([]any, len(types))
	for i, t := range types {
		out[i] = wireType(t)
	}
	return out
}

// constraintNames are pydantic's, by operator.
var constraintNames = map[signature.ConstraintOp]string{
	signature.AtLeast: "ge", signature.AtMost: "le", signature.MoreThan: "gt", signature.LessThan: "lt",
	signature.MinLength: "min_length", signature.MaxLength: "max_length", signature.MultipleOf: "multiple_of",
	signature.Pattern: "pattern",
}

func wireField(f signature.Field) object {
	constraints := make([]any, len(f.Constraints))
	for i, c := range f.Constraints {
		constraints[i] = []any{constraintNames[c.Op], wireValue(nil, c.Bound)}
	}
	out := object{"name": f.Name, "type": wireType(f.Type), "desc": f.Desc, "constraints": constraints}
	if f.HasDefault {
		out["default"] = wireValue(f.Type, f.Default)
	}
	return out
}

func wireFields(fields []signature.Field) []object {
	out := make([]object, len(fields))
	for i, f := range fields {
		out[i] = wireField(f)
	}
	return out
}

// wireValue describes a value of a type, nil for any, to the oracle.
func wireValue(t *signature.Type, v signature.Value) any {
	if t != nil && t.Kind == signature.KindUnion {
		return wireValue(memberOf(t, v), v)
	}
	switch v := v.(type) {
	case nil, bool, int64:
		return v
	case float64:
		return json.RawMessage(signature.FormatFloat(v))
	case time.Time:
		return object{"$time": v.Format("2006-01-02T15:04:05.999999999Z07:00")}
	case string:
		if t == nil {
			return v
		}
		switch {
		case t.Kind == signature.KindEnum && t.Name != "":
			return object{"$enum": []string{t.Name, v}}
		case t.Kind == signature.KindCode:
			return object{"$code": v}
		case t.Kind == signature.KindReasoning:
			return object{"$reasoning": v}
		}
		return v
	case []signature.Value:
		return wireList(t, v)
	case signature.Record:
		return wireRecord(t, v)
	}
	panic(fmt.Sprintf("a %T is no value of a record", v))
}

// memberOf returns the type of a union that has the value.
func memberOf(t *signature.Type, v signature.Value) *signature.Type {
	for _, item := range t.Items {
		if got, err := signature.Coerce(item, v); err == nil && signature.EqualValues(got, v) {
			return item
		}
	}
	return nil
}

func wireList(t *signature.Type, v []signature.Value) any {
	out := make([]any, len(v))
	for i, item := range v {
		var elem *signature.Type
		switch {
		case t == nil:
		case t.Kind == signature.KindTuple && t.Items != nil:
			elem = t.Items[i]
		case t.Kind == signature.KindList || t.Kind == signature.KindSet || t.Kind == signature.KindTuple:
			elem = t.Elem
		}
		out[i] = wireValue(elem, item)
	}
	switch {
	case t != nil && t.Kind == signature.KindSet:
		return object{"$set": out}
	case t != nil && t.Kind == signature.KindTuple:
		return object{"$tuple": out}
	}
	return out
}

func wireRecord(t *signature.Type, v signature.Record) any {
	text := func(name string) string {
		s, _ := v.Get(name)
		text, _ := s.(string)
		return text
	}
	kind := signature.KindDict
	if t != nil {
		kind = t.Kind
	}
	switch kind {
	case signature.KindObject:
		pairs := make([]any, v.Len())
		for i := range pairs {
			name, item := v.At(i)
			pairs[i] = []any{name, wireValue(typeOfField(t.Fields, name), item)}
		}
		return object{"$model": []any{t.Name, pairs}}
	case signature.KindHistory:
		turns, _ := v.Get("messages")
		return object{"$history": wireValue(nil, turns)}
	case signature.KindImage:
		return object{"$image": text("url")}
	case signature.KindAudio:
		return object{"$audio": []string{text("data"), text("audio_format")}}
	case signature.KindFile:
		return object{"$file": v}
	case signature.KindTool:
		args, _ := v.Get("args")
		return object{"$tool": object{"name": text("name"), "desc": text("desc"), "args": wireValue(nil, args)}}
	case signature.KindToolCalls:
		calls := []any{}
		list, _ := v.Get("tool_calls")
		for _, c := range list.([]signature.Value) {
			name, _ := c.(signature.Record).Get("name")
			args, _ := c.(signature.Record).Get("args")
			calls = append(calls, []any{name, wireValue(nil, args)})
		}
		return object{"$calls": calls}
	}
	pairs := make([]any, v.Len())
	for i := range pairs {
		name, item := v.At(i)
		var keyType, elem *signature.Type
		if t != nil {
			keyType, elem = t.Key, t.Elem
		}
		pairs[i] = []any{wireKey(keyType, name), wireValue(elem, item)}
	}
	return object{"$dict": pairs}
}

// wireKey reads a key, which a record holds as text, as its type.
func wireKey(t *signature.Type, name string) any {
	if t != nil && (t.Kind == signature.KindInt || t.Kind == signature.KindFloat || t.Kind == signature.KindBool) {
		return json.RawMessage(name)
	}
	return wireValue(t, name)
}

func typeOfField(fields []signature.Field, name string) *signature.Type {
	for _, f := range fields {
		if f.Name == name {
			return f.Type
		}
	}
	return nil
}

// wireFieldsOf describes a record of a signature's fields, in the record's order.
func wireFieldsOf(fields []signature.Field, r signature.Record) any {
	pairs := make([]any, r.Len())
	for i := range pairs {
		name, v := r.At(i)
		pairs[i] = []any{name, wireFieldValue(typeOfField(fields, name), v)}
	}
	return object{"$dict": pairs}
}

// wireFieldValue is wireValue for the value of a field, which may be a list where a
// text is due.
func wireFieldValue(t *signature.Type, v signature.Value) any {
	if _, ok := v.([]signature.Value); ok && t != nil && t.Kind == signature.KindString {
		return wireValue(nil, v)
	}
	return wireValue(t, v)
}
