package signature

import (
	"reflect"
	"strconv"
	"strings"
)

// checkTag says what is wrong with a struct tag, "" for nothing. Package reflect
// reads a tag that is not of the form key:"value" as if it were not there, so that
// a misprint would silently rename a field or lose its choices.
func checkTag(tag reflect.StructTag) string {
	const want = "the tag is not of the form key:\"value\" key:\"value\", so Go ignores it; "
	rest := strings.TrimLeft(string(tag), " ")
	for rest != "" {
		i := strings.IndexAny(rest, ": \"")
		if i <= 0 || rest[i] != ':' {
			return want + "want a key and a colon at " + strconv.Quote(rest)
		}
		key := rest[:i]
		rest = rest[i+1:]
		value, err := strconv.QuotedPrefix(rest)
		if err != nil || value[0] != '"' {
			return want + "want a quoted value directly behind " + key + ":"
		}
		rest = rest[len(value):]
		if rest != "" && rest[0] != ' ' {
			return want + "want a space behind " + key + ":" + value
		}
		rest = strings.TrimLeft(rest, " ")
	}
	return ""
}

// checkName refuses a name that could not stand in a field marker.
func checkName(name string) string {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return "the name " + strconv.Quote(name) + " must be letters, digits and underscores, and not begin with a digit"
		}
	}
	return ""
}

// readTags takes the field's constraints and default from its struct tags, in the
// order of the tags. problem says what is wrong with which tag, "" for nothing.
func (f *Field) readTags(tag reflect.StructTag) (at, problem string) {
	plain := *f.Type
	plain.Optional = false
	for key, text := range allTags(tag) {
		if op := constraintTag(key); op != 0 {
			c, problem := parseConstraint(op, text, &plain)
			if problem != "" {
				return key + ":" + strconv.Quote(text), problem
			}
			f.Constraints = append(f.Constraints, c)
		}
	}
	text, ok := tag.Lookup("default")
	if !ok {
		return "", ""
	}
	v, err := parseDefault(f.Type, text)
	if err == nil {
		err = f.Check(v)
	}
	if err != nil {
		return "default:" + strconv.Quote(text), "it is no value of the field: " + err.Error()
	}
	f.Default, f.HasDefault = v, true
	return "", ""
}

// parseDefault reads a default: JSON, or for a text the text itself.
func parseDefault(t *Type, text string) (Value, error) {
	switch t.Kind {
	case KindString, KindEnum, KindReasoning, KindCode, KindTime:
		return Coerce(t, text)
	}
	v, err := ParseValue([]byte(text))
	if err != nil {
		return nil, err
	}
	return Coerce(t, v)
}

// allTags yields keys and values of a tag that checkTag has accepted.
func allTags(tag reflect.StructTag) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		rest := strings.TrimLeft(string(tag), " ")
		for rest != "" {
			key, after, _ := strings.Cut(rest, ":")
			quoted, err := strconv.QuotedPrefix(after)
			if err != nil {
				return
			}
			value, err := strconv.Unquote(quoted)
			if err != nil || !yield(key, value) {
				return
			}
			rest = strings.TrimLeft(after[len(quoted):], " ")
		}
	}
}
