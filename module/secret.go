package module

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// cleanLM returns a language model's entry without keys and addresses, in a
// canonical form (compact, with no needless escapes, order and numbers as they
// are), and the names of what was left out. raw must be valid JSON.
func cleanLM(raw json.RawMessage) (clean json.RawMessage, dropped []string) {
	var b bytes.Buffer
	dropped = cleanValue(&b, raw, "", nil)
	return b.Bytes(), dropped
}

func cleanValue(b *bytes.Buffer, raw json.RawMessage, place string, dropped []string) []string {
	if ms, ok := objectOf(raw); ok {
		b.WriteByte('{')
		first := true
		for _, m := range ms {
			at := strings.TrimPrefix(place+"."+m.key, ".")
			if isSecretKey(m.key) && !isNull(m.raw) || isSecretText(m.raw) {
				dropped = append(dropped, at)
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			writeText(b, m.key)
			b.WriteByte(':')
			dropped = cleanValue(b, m.raw, at, dropped)
		}
		b.WriteByte('}')
		return dropped
	}
	if items, ok := listOf(raw); ok {
		b.WriteByte('[')
		first := true
		for i, item := range items {
			at := fmt.Sprintf("%s[%d]", place, i)
			if isSecretText(item) {
				dropped = append(dropped, at)
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			dropped = cleanValue(b, item, at, dropped)
		}
		b.WriteByte(']')
		return dropped
	}
	if text, ok := textOf(raw); ok {
		writeText(b, text)
	} else {
		b.Write(raw)
	}
	return dropped
}

func writeText(b *bytes.Buffer, s string) {
	text, _ := signature.MarshalValue(s) // a text can always be written
	b.Write(text)
}

// isSecretKey reports whether a parameter of that name holds a key or an address:
// by its words, since providers have many names for them.
func isSecretKey(name string) bool {
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(name))
	for _, word := range []string{
		"apikey", "accesskey", "secret", "password", "credential", "authoriz", "bearer", "cookie", "header",
		"apibase", "baseurl", "modellist", "endpoint", "proxy", "proxies",
	} {
		if strings.Contains(plain, word) {
			return true
		}
	}
	for _, end := range []string{"key", "token", "auth", "url", "uri", "host"} {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return false
}

// isSecretText reports whether a value is an address or a key by its look.
func isSecretText(raw json.RawMessage) bool {
	text, ok := textOf(raw)
	if !ok {
		return false
	}
	text = strings.ToLower(text)
	return strings.Contains(text, "://") || strings.HasPrefix(text, "bearer ") || strings.HasPrefix(text, "sk-")
}
