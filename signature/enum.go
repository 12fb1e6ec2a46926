package signature

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// enumOf returns the choices of a type with the method Enum() []string, on the
// value or on the pointer.
func enumOf(t reflect.Type) ([]string, bool) {
	type enum interface{ Enum() []string }
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[enum]()) {
		return nil, false
	}
	return reflect.New(t).Interface().(enum).Enum(), true
}

// checkChoices says what is wrong with the choices of an enum, "" for nothing.
func checkChoices(choices []string) string {
	if len(choices) == 0 {
		return "an enum needs at least one choice"
	}
	for i, c := range choices {
		switch {
		case c == "":
			return "a choice is empty"
		case strings.TrimSpace(c) != c || strings.ContainsAny(c, "\r\n"):
			return "the choice " + strconv.Quote(c) + " has spaces around it or a line end in it, which replies lose"
		case slices.Contains(choices[:i], c):
			return "the choice " + strconv.Quote(c) + " stands twice"
		}
	}
	return ""
}
