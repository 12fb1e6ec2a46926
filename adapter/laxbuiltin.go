package adapter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/whetgo/whet/internal/jsonrepair"
	"github.com/whetgo/whet/signature"
)

// builtin makes a value of a type that package signature brings along, from what
// DSPy takes for it.
func (l *laxer) builtin(t *signature.Type, v signature.Value) (signature.Value, error) {
	l.worse(near)
	v = l.revealed(v)
	switch t.Kind {
	case signature.KindCode:
		s, err := textUnder(t, "code", v)
		if err != nil {
			return nil, err
		}
		return code(s), nil
	case signature.KindReasoning:
		s, err := textUnder(t, "content", v)
		if err != nil {
			return nil, err
		}
		return s, nil
	case signature.KindToolCalls:
		return toolCalls(t, v)
	case signature.KindAudio, signature.KindFile:
		if s, ok := v.(string); ok {
			r, err := dataURI(t, s)
			if err != nil {
				return nil, err
			}
			v = r
		}
	}
	r, ok := v.(signature.Record)
	if !ok {
		return nil, unwanted(t, v)
	}
	return plainBuiltin(t, r)
}

// textUnder returns a text, or the text under a key of an object.
func textUnder(t *signature.Type, key string, v signature.Value) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case signature.Record:
		if s, ok := v.Get(key); ok {
			if s, ok := s.(string); ok {
				return s, nil
			}
			return "", fmt.Errorf("field %q: want a text, got %s", key, shown(s))
		}
		return "", fmt.Errorf("want %s, or an object with a text %q, got %s", t, key, shown(v))
	}
	return "", unwanted(t, v)
}

// code takes the program out of the first fenced block of a text; without one all
// of it is the program.
func code(s string) string {
	const fence = "```"
	_, after, ok := strings.Cut(s, fence)
	if !ok {
		return s
	}
	// A fence with a line of its own wins over fences within a line.
	if _, body, ok := strings.Cut(after, "\n"); ok {
		if inside, _, ok := strings.Cut(body, fence); ok {
			return strip(inside)
		}
	}
	if inside, _, ok := strings.Cut(after, fence); ok {
		return strip(inside)
	}
	return s
}

var errCall = errors.New("want a call with a name and args")

// toolCalls makes calls of one call, a list of them or an object that holds the
// list, each in DSPy's form or in that of a provider.
func toolCalls(t *signature.Type, v signature.Value) (signature.Value, error) {
	var items []signature.Value
	switch v := v.(type) {
	case []signature.Value:
		items = v
		for i, item := range items {
			if r, ok := item.(signature.Record); !ok || !isCall(r) {
				return nil, fmt.Errorf("item %d: %w, got %s", i, errCall, shown(item))
			}
		}
	case signature.Record:
		if list, ok := v.Get("tool_calls"); ok {
			if items, ok = list.([]signature.Value); !ok {
				return nil, fmt.Errorf("field \"tool_calls\": want a list of calls, got %s", shown(list))
			}
		} else if isCall(v) {
			items = []signature.Value{v}
		} else {
			return nil, unwanted(t, v)
		}
	default:
		return nil, unwanted(t, v)
	}
	calls := make([]signature.Value, len(items))
	for i, item := range items {
		r, ok := item.(signature.Record)
		if !ok {
			return nil, fmt.Errorf("item %d: %w, got %s", i, errCall, shown(item))
		}
		call, err := toolCall(r)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		calls[i] = call
	}
	out := signature.MakeRecord([]string{"tool_calls"}, []signature.Value{calls})
	if r, ok := v.(signature.Record); ok {
		if results, _ := r.Get(toolCallResults); results != nil {
			out = out.With(toolCallResults, results)
		}
	}
	return out, nil
}

func isCall(r signature.Record) bool {
	has := func(name string) bool { _, ok := r.Get(name); return ok }
	return has("name") && (has("args") || has("arguments")) || has("function")
}

func toolCall(r signature.Record) (signature.Value, error) {
	name, _ := r.Get("name")
	args, ok := r.Get("args")
	if !ok {
		args, _ = r.Get("arguments")
	}
	if f, ok := r.Get("function"); ok {
		args = nil
		switch f := f.(type) {
		case nil:
		case signature.Record:
			args, _ = f.Get("arguments")
			if own, _ := f.Get("name"); own != nil && own != "" {
				name = own
			}
		default:
			return nil, fmt.Errorf("field \"function\": want an object, got %s", shown(f))
		}
	}
	if id, ok := r.Get("id"); ok && id != nil {
		if _, ok := id.(string); !ok {
			return nil, fmt.Errorf("field \"id\": want a text, got %s", shown(id))
		}
	}
	if _, ok := name.(string); !ok {
		return nil, fmt.Errorf("field \"name\": want a text, got %s", shown(name))
	}
	switch a := args.(type) {
	case signature.Record:
	case string:
		v, _ := jsonrepair.Parse(a)
		r, ok := v.(signature.Record)
		if !ok {
			return nil, fmt.Errorf("field \"args\": want an object, got %s", shown(a))
		}
		args = r
	default:
		args = signature.Record{} // as DSPy does with what is no object
	}
	return signature.MakeRecord([]string{"name", "args"}, []signature.Value{name, args}), nil
}

// dataURI makes a sound or a file of a text that holds all of it.
func dataURI(t *signature.Type, s string) (signature.Record, error) {
	if t.Kind == signature.KindFile {
		if strings.HasPrefix(s, "data:") {
			return signature.RecordOf("file_data", s), nil
		}
		return signature.Record{}, fmt.Errorf("want a data URI, got %s", excerpt(s))
	}
	head, data, ok := strings.Cut(s, ",")
	media, isURI := strings.CutPrefix(head, "data:audio/")
	format, _, _ := strings.Cut(media, ";")
	if !ok || !isURI || format == "" {
		return signature.Record{}, fmt.Errorf("want a data URI of a sound, got %s", excerpt(s))
	}
	return signature.RecordOf("data", data, "audio_format", strings.TrimPrefix(format, "x-")), nil
}

// plainBuiltin makes a value of an object with the fields of its type.
func plainBuiltin(t *signature.Type, r signature.Record) (signature.Value, error) {
	var known, texts []string
	switch t.Kind {
	case signature.KindImage:
		known, texts = []string{"url"}, []string{"url"}
	case signature.KindAudio:
		known, texts = []string{"data", "audio_format"}, []string{"data", "audio_format"}
	case signature.KindFile:
		known, texts = []string{"file_data", "file_id", "filename"}, []string{"file_data", "file_id", "filename"}
		for _, name := range known { // null is as good as absent
			if v, ok := r.Get(name); ok && v == nil {
				r = r.Without(name)
			}
		}
	case signature.KindHistory:
		known = []string{"messages"}
		list, _ := r.Get("messages")
		items, _ := list.([]signature.Value)
		for i, item := range items {
			if _, ok := item.(signature.Record); !ok {
				return nil, fmt.Errorf("field \"messages\": item %d: want an object, got %s", i, shown(item))
			}
		}
	}
	for name, v := range r.All() {
		if known != nil && !slices.Contains(known, name) {
			return nil, fmt.Errorf("field %q: %s has no such field", name, t)
		}
		if _, ok := v.(string); !ok && slices.Contains(texts, name) {
			return nil, fmt.Errorf("field %q: want a text, got %s", name, shown(v))
		}
	}
	if u, ok := r.Get("url"); ok && t.Kind == signature.KindImage && !isImageURL(u.(string)) {
		return nil, fmt.Errorf("field \"url\": want an address or a data URI, got %s", shown(u))
	}
	return signature.Coerce(t, r)
}

func isImageURL(s string) bool {
	if strings.HasPrefix(s, "data:") {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "gs")
}
