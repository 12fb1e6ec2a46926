package cassette

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// UnknownError is a request that a cassette does not hold, or not as often as it is made.
type UnknownError struct {
	// Path is the cassette's.
	Path string
	// Recorded is how often the request was recorded; all of these were replayed before.
	Recorded int
	// Line is where the nearest recorded request stands; 0 where there is none, or where
	// the request itself was recorded.
	Line int
	// Field is the first field in which that one differs, such as
	// "messages[1].parts[0].text", and Want and Got are its values there and here, around
	// the first difference; one is empty where only the other has the field.
	Field, Want, Got string
}

// Error shows the nearest recorded request and the first difference.
func (e *UnknownError) Error() string {
	const again = "record it again, or replay with the options of the recording"
	switch {
	case e.Recorded > 0:
		return fmt.Sprintf("%s holds this request %d times, and it is made once more; record it again, or use RepeatLast", e.Path, e.Recorded)
	case e.Line == 0:
		return fmt.Sprintf("%s holds no requests; %s", e.Path, again)
	}
	return fmt.Sprintf("%s does not hold this request; the nearest is on line %d and differs in %s: recorded %s, asked %s; %s",
		e.Path, e.Line, e.Field, show(e.Want), show(e.Got), again)
}

func show(s string) string {
	if s == "" {
		return "nothing"
	}
	return strconv.Quote(s)
}

// unknown makes the error. The lock must be held.
func (p *Player) unknown(r *request, known int) error {
	u := &UnknownError{Path: p.path, Recorded: known}
	if known == 0 {
		asked := leaves(r)
		best := -1.0
		var nearest []leaf
		for _, e := range p.entries {
			other := leaves(&e.line.Request)
			if like := likeness(asked, other); like > best {
				best, nearest, u.Line = like, other, e.number
			}
		}
		if u.Line > 0 {
			u.Field, u.Want, u.Got = difference(nearest, asked)
		}
	}
	return &lm.Error{Kind: lm.ErrUnavailable, Provider: "cassette", Message: "the request is not recorded", Err: u}
}

// leaf is a field of a request that has a value, by its path.
type leaf struct{ path, value string }

// leaves returns the fields of a request in order; after each list its length.
func leaves(r *request) []leaf {
	var out []leaf
	collect(reflect.ValueOf(r).Elem(), "", &out)
	return out
}

func collect(v reflect.Value, path string, out *[]leaf) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if v.Elem().Kind() != reflect.Struct {
			*out = append(*out, leaf{path, fmt.Sprint(v.Elem().Interface())}) // a 0 that is set
			return
		}
		collect(v.Elem(), path, out)
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if path != "" {
				name = path + "." + name
			}
			collect(v.Field(i), name, out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), fmt.Sprintf("%s[%d]", path, i), out)
		}
		if v.Len() > 0 {
			*out = append(*out, leaf{"the length of " + path, strconv.Itoa(v.Len())})
		}
	default:
		if !v.IsZero() {
			*out = append(*out, leaf{path, fmt.Sprint(v.Interface())})
		}
	}
}

// likeness says how much two requests have in common, 0 to 1.
func likeness(a, b []leaf) float64 {
	values := make(map[string]string, len(b))
	for _, l := range b {
		values[l.path] = l.value
	}
	sum := 0.0
	for _, l := range a {
		if other, ok := values[l.path]; ok {
			sum += alike(l.value, other)
		}
	}
	return sum / float64(max(len(a), len(b), 1))
}

// alike returns which part of the longer text both begin or end with.
func alike(a, b string) float64 {
	if a == b {
		return 1
	}
	longer, shorter := max(len(a), len(b)), min(len(a), len(b))
	begin := common(a, b)
	end := 0
	for end < shorter-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return float64(begin+end) / float64(longer)
}

// common returns how many bytes two texts begin with together.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// difference returns the first field that differs, with both values.
func difference(want, got []leaf) (field, a, b string) {
	n := 0
	for n < min(len(want), len(got)) && want[n] == got[n] {
		n++
	}
	switch {
	case n < len(want) && n < len(got) && want[n].path == got[n].path:
		at := common(want[n].value, got[n].value)
		return want[n].path, excerpt(want[n].value, at), excerpt(got[n].value, at)
	case n < len(got) && !has(want, got[n].path):
		return got[n].path, "", excerpt(got[n].value, 0)
	case n < len(want):
		return want[n].path, excerpt(want[n].value, 0), ""
	}
	return "nothing that shows", "", ""
}

func has(leaves []leaf, path string) bool {
	for _, l := range leaves {
		if l.path == path {
			return true
		}
	}
	return false
}

// What an excerpt shows, in bytes, before and after the first difference.
const (
	before = 24
	after  = 40
)

// excerpt returns what stands around a place of a text, cut between characters.
func excerpt(s string, at int) string {
	from, to := max(0, at-before), min(len(s), at+after)
	for from > 0 && from < len(s) && !utf8.RuneStart(s[from]) {
		from--
	}
	for to < len(s) && !utf8.RuneStart(s[to]) {
		to++
	}
	out := s[from:to]
	if from > 0 {
		out = "…" + out
	}
	if to < len(s) {
		out += "…"
	}
	return out
}
