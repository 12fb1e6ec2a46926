package main

import (
	"strings"
	"time"

	"github.com/whetgo/whet/signature"
)

// chatReply makes a reply in Chat's format, with some of the liberties that models
// take.
func (g *generator) chatReply(sig *signature.Signature) reply {
	var blocks []string
	form := ""
	for _, f := range sig.Outputs() {
		if chance(g.Rand, 15) {
			form = "a field is missing"
			continue
		}
		value, how := g.written(f)
		if how != "" {
			form = how
		}
		between := "\n"
		switch g.IntN(10) {
		case 0:
			between = " "
		case 1:
			between = "\n\n"
		case 2:
			between = "\r\n"
		}
		blocks = append(blocks, "[[ ## "+f.Name+" ## ]]"+between+value)
	}
	switch g.IntN(8) {
	case 0:
		g.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	case 1:
		blocks = append([]string{"Sure, here it is:"}, blocks...)
	case 2:
		blocks = append(blocks, "[[ ## other ## ]]\nno field")
	case 3:
		blocks = append(blocks, blocks[0:min(1, len(blocks))]...)
	}
	if !chance(g.Rand, 4) {
		blocks = append(blocks, "[[ ## completed ## ]]")
	}
	return reply{strings.Join(blocks, pick(g.Rand, []string{"\n\n", "\n\n", "\n", "\r\n\r\n"})), form}
}

// written writes some value of a field as a model might, or something else that a
// model might write for it.
func (g *generator) written(f signature.Field) (value, form string) {
	if chance(g.Rand, 12) {
		return pick(g.Rand, []string{
			"", "maybe", "7", "7.0", "yes", "True", "[]", "{}", "null", "None", `"7"`, "[1, 2, 3]", `{"a": 1}`, "1,234", "95%", "nan", "ham", "2024-05-06",
		}), "another value"
	}
	return g.spelled(f.Type, g.value(f))
}

func (g *generator) spelled(t *signature.Type, v signature.Value) (text, form string) {
	switch v := v.(type) {
	case nil:
		return pick(g.Rand, []string{"None", "null"}), ""
	case string:
		if t == nil || t.Kind == signature.KindAny || t.Kind == signature.KindUnion {
			return v, "a text for a type of many"
		}
		if t.Kind == signature.KindEnum || t.Kind == signature.KindLiteral {
			return g.spelledChoice(t, v), ""
		}
		if t.Kind == signature.KindCode && chance(g.Rand, 2) {
			return "```" + strings.ToLower(t.Name) + "\n" + v + "\n```", ""
		}
		return v, ""
	case bool:
		if v {
			return pick(g.Rand, []string{"True", "true", "yes", "1"}), ""
		}
		return pick(g.Rand, []string{"False", "false", "no", "0"}), ""
	case time.Time:
		s := signature.FormatTime(v)
		return pick(g.Rand, []string{s, `"` + s + `"`, strings.Replace(s, "T", " ", 1)}), ""
	case int64, float64:
		s := signature.PythonRepr(v)
		return pick(g.Rand, []string{s, s, `"` + s + `"`, " " + s}), ""
	}
	s, err := signature.MarshalPython(v)
	if err != nil {
		panic(err)
	}
	switch g.IntN(6) {
	case 0:
		return signature.PythonRepr(jsonOnly(v)), "a repr"
	case 1:
		return "```json\n" + s + "\n```", ""
	case 2:
		b, err := signature.MarshalValue(v)
		if err != nil {
			panic(err)
		}
		return string(b), ""
	}
	return s, ""
}

func (g *generator) spelledChoice(t *signature.Type, v string) string {
	switch {
	case t.Name != "" && chance(g.Rand, 3):
		for i, c := range t.Choices {
			if c == v {
				return t.Members[i]
			}
		}
	case t.Name == "" && chance(g.Rand, 3):
		return pick(g.Rand, []string{`"` + v + `"`, "'" + v + "'", "Literal[" + v + "]", "Literal['" + v + "']", " " + v + " "})
	}
	return v
}

// jsonOnly writes times inside a value as texts.
func jsonOnly(v signature.Value) signature.Value {
	switch v := v.(type) {
	case time.Time:
		return signature.FormatTime(v)
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = jsonOnly(item)
		}
		return out
	case signature.Record:
		names, values := []string{}, []signature.Value{}
		for name, item := range v.All() {
			names, values = append(names, name), append(values, jsonOnly(item))
		}
		return signature.MakeRecord(names, values)
	}
	return v
}

// jsonReply makes a reply in JSON's format.
func (g *generator) jsonReply(sig *signature.Signature) reply {
	var names []string
	var values []signature.Value
	form := ""
	for _, f := range sig.Outputs() {
		if chance(g.Rand, 15) {
			form = "a field is missing"
			continue
		}
		v := jsonOnly(g.value(f))
		switch {
		case chance(g.Rand, 10):
			text, how := g.written(f)
			v, form = text, "a value as text"
			if how != "" {
				form = how
			}
		case chance(g.Rand, 14):
			v, form = pick(g.Rand, []signature.Value{nil, true, int64(7), 7.5, "", []signature.Value{}, signature.Record{}, signature.RecordOf("k", int64(1))}), "another value"
		}
		names, values = append(names, f.Name), append(values, v)
	}
	r := signature.MakeRecord(names, values)
	if chance(g.Rand, 8) {
		r = r.With("other", "no field")
	}
	s, err := signature.MarshalPython(r)
	if err != nil {
		panic(err)
	}
	switch g.IntN(10) {
	case 0:
		return reply{"```json\n" + s + "\n```", form}
	case 1:
		return reply{"Here it is:\n" + s + "\nDone.", form + " with text around"}
	case 2:
		return reply{signature.PythonRepr(r), form + " as a repr"}
	case 3:
		return reply{strings.TrimSuffix(s, "}") + ",}", form}
	case 4:
		b, err := signature.MarshalValue(r)
		if err != nil {
			panic(err)
		}
		return reply{"\n" + string(b) + "\n", form}
	}
	return reply{s, form}
}
