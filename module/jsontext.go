package module

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/whetgo/whet/signature"
)

// maxFileDepth bounds the nesting of a file: what a demo's value may have, and the
// levels around it.
const maxFileDepth = 200

// flaw is what is wrong with a JSON text.
type flaw struct {
	// offset is where, in bytes.
	offset int
	// key is the key of the outermost object under which it stands; empty when that
	// is not known.
	key     string
	problem string
	err     error
}

// checkJSON returns what keeps a text from being one JSON object that can be read
// without loss, or nil. Beyond the syntax it refuses what encoding/json would
// replace or drop: bytes that are not UTF-8, halves of surrogate pairs, and keys
// that stand twice in an object, at any depth.
func checkJSON(data []byte) *flaw {
	if i := invalidUTF8(data); i >= 0 {
		return &flaw{offset: i, problem: "the text is not UTF-8"}
	}
	start := skipSpace(data, 0)
	if start == len(data) {
		return &flaw{offset: start, problem: "the text is empty"}
	}
	err := json.Unmarshal(data, &struct{}{})
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		offset := int(syntax.Offset) // behind the wrong byte
		if offset < len(data) {
			offset--
		}
		return &flaw{offset: max(0, offset), problem: "it is not JSON", err: err}
	case data[start] != '{':
		return &flaw{offset: start, problem: "want a JSON object"}
	case err != nil:
		return &flaw{offset: start, problem: "it is not JSON", err: err}
	}
	return checkObjects(data)
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// checkObjects looks through valid JSON for keys that stand twice, for half
// surrogate pairs and for too many levels.
func checkObjects(data []byte) *flaw {
	var stack []keySet
	top := ""
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if len(stack) == maxFileDepth {
				return &flaw{offset: i, key: top, problem: "the values are nested deeper than " + strconv.Itoa(maxFileDepth) + " levels"}
			}
			if len(stack) == cap(stack) {
				stack = append(stack, keySet{})
			} else { // with the memory of the object that stood there before
				stack = stack[:len(stack)+1]
				stack[len(stack)-1].reset()
			}
		case '}', ']':
			stack = stack[:len(stack)-1]
		case '"':
			end := stringEnd(data, i)
			text := data[i+1 : end-1]
			if halfSurrogate(text) {
				return &flaw{offset: i, key: top, problem: `a \u escape is half of a surrogate pair, which no text can hold`}
			}
			// Only keys have a colon behind them.
			if next := skipSpace(data, end); next < len(data) && data[next] == ':' {
				key := unquote(data[i:end])
				if len(stack) == 1 {
					top = key
				}
				if !stack[len(stack)-1].add(key) {
					return &flaw{offset: i, key: top, problem: "the key " + strconv.Quote(key) + " stands twice"}
				}
			}
			i = end - 1
		}
	}
	return nil
}

// keySet holds the keys of one object: a list while they are few, since most
// objects are small and a file has many.
type keySet struct {
	list []string
	all  map[string]bool
}

func (s *keySet) reset() { s.list, s.all = s.list[:0], nil }

// add reports whether the key is new.
func (s *keySet) add(key string) bool {
	const few = 16
	if s.all == nil {
		for _, k := range s.list {
			if k == key {
				return false
			}
		}
		if s.list = append(s.list, key); len(s.list) < few {
			return true
		}
		s.all = make(map[string]bool, 2*few)
		for _, k := range s.list {
			s.all[k] = true
		}
		return true
	}
	if s.all[key] {
		return false
	}
	s.all[key] = true
	return true
}

// halfSurrogate reports whether the inside of a JSON string escapes one half of a
// surrogate pair without the other.
func halfSurrogate(text []byte) bool {
	pending := -1 // where the second half must stand
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		n, _ := strconv.ParseUint(string(text[i+1:i+5]), 16, 32)
		at := i - 1
		i += 4
		switch {
		case n >= 0xD800 && n < 0xDC00:
			if pending >= 0 {
				return true
			}
			pending = i + 1
		case n >= 0xDC00 && n < 0xE000:
			if pending != at {
				return true
			}
			pending = -1
		}
	}
	return pending >= 0
}

// The functions below take valid JSON: what checkJSON has passed, or a part of it.

// member is one key of a JSON object; raw is a part of the object's text.
type member struct {
	key string
	raw json.RawMessage
}

type members []member

func (ms members) get(key string) (json.RawMessage, bool) {
	for _, m := range ms {
		if m.key == key {
			return m.raw, true
		}
	}
	return nil, false
}

// objectOf returns the members of an object in the text's order, and whether raw
// is one.
func objectOf(raw []byte) (members, bool) {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return nil, false
	}
	ms := members{}
	for i = skipSpace(raw, i+1); raw[i] != '}'; {
		end := stringEnd(raw, i)
		key := unquote(raw[i:end])
		i = skipSpace(raw, skipSpace(raw, end)+1)
		end = valueEnd(raw, i)
		ms = append(ms, member{key, raw[i:end:end]})
		if i = skipSpace(raw, end); raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
	}
	return ms, true
}

// listOf returns the items of a list, and whether raw is one.
func listOf(raw []byte) ([]json.RawMessage, bool) {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '[' {
		return nil, false
	}
	items := []json.RawMessage{}
	for i = skipSpace(raw, i+1); raw[i] != ']'; {
		end := valueEnd(raw, i)
		items = append(items, raw[i:end:end])
		if i = skipSpace(raw, end); raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
	}
	return items, true
}

// textOf returns the text that a JSON string holds, and whether raw is one.
func textOf(raw []byte) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return unquote(raw), true
}

func isNull(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns the place behind the string that begins at i.
func stringEnd(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the place behind the value that begins at i.
func valueEnd(data []byte, i int) int {
	switch data[i] {
	case '"':
		return stringEnd(data, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch data[i] {
			case '"':
				i = stringEnd(data, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(data) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(data[i])) {
		i++
	}
	return i
}

// unquote returns the text of a JSON string.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	_ = json.Unmarshal(raw, &s) // valid already
	return s
}

// jsonText is a text that is written with no more escapes than JSON asks for, as
// DSPy does; encoding/json would escape two line separators more.
type jsonText string

// MarshalJSON implements json.Marshaler.
func (t jsonText) MarshalJSON() ([]byte, error) { return signature.MarshalValue(string(t)) }

// encode writes v as compact JSON without escaping <, > and &, as DSPy does.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// lineAt returns the line of a place in a text, from 1.
func lineAt(data []byte, offset int) int {
	return 1 + bytes.Count(data[:min(offset, len(data))], []byte("\n"))
}
