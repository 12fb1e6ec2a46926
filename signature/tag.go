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
