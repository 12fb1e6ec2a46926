package adapter

import "github.com/whetgo/whet/signature"

// SavedValue returns a demo's value as DSPy's files hold it: images, sounds, files
// and tools are texts there, also inside lists and objects.
func SavedValue(t *signature.Type, v signature.Value) (signature.Value, error) {
	if !isRich(t) {
		return v, nil
	}
	return mapRich(t, v, func(t *signature.Type, r signature.Record) (signature.Value, error) {
		switch {
		case t.Kind == signature.KindTool:
			return toolText(r), nil
		case isMedia(t):
			return mediaText(t.Kind, r)
		}
		return r, nil
	}, nil)
}

// LoadedValue undoes [SavedValue], but for tools, which stay the texts that they are
// shown as.
func LoadedValue(t *signature.Type, v signature.Value) signature.Value {
	if !isRich(t) {
		return v
	}
	out, err := mapRich(t, v, nil, func(t *signature.Type, text string) signature.Value {
		if isMedia(t) {
			if r, ok := readMediaText(t.Kind, text); ok {
				return r
			}
		}
		return text
	})
	if err != nil { // no function that fails was given
		return v
	}
	return out
}

// mapRich replaces the values of signature's own types, by onRecord or onText.
func mapRich(t *signature.Type, v signature.Value, onRecord func(*signature.Type, signature.Record) (signature.Value, error), onText func(*signature.Type, string) signature.Value) (signature.Value, error) {
	if t = t.Member(v); t == nil {
		return v, nil
	}
	switch v := v.(type) {
	case string:
		if onText != nil {
			return onText(t, v), nil
		}
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			var err error
			if out[i], err = mapRich(itemType(t, i), item, onRecord, onText); err != nil {
				return nil, err
			}
		}
		return out, nil
	case signature.Record:
		if isMedia(t) || t.Kind == signature.KindTool {
			if onRecord == nil {
				return v, nil
			}
			return onRecord(t, v)
		}
		out := v
		for name, item := range v.All() {
			got, err := mapRich(fieldType(t, name), item, onRecord, onText)
			if err != nil {
				return nil, err
			}
			out = out.With(name, got)
		}
		return out, nil
	}
	return v, nil
}
