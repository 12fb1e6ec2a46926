package module

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/internal/normalize"
	"github.com/whetgo/whet/signature"
)

// outputs are the types of an output's fields, as far as they are known: those of a record
// are not.
type outputs map[string]*signature.Type

func outputsOf[In, Out any]() outputs {
	sig, err := signature.Of[In, Out]("")
	if err != nil {
		return nil // records, or types of programs that ask no model
	}
	types := outputs{}
	for _, f := range sig.Outputs() {
		types[f.Name] = f.Type
	}
	return types
}

// classes returns how many answers are possible, 0 where that is not known.
func (o outputs) classes() int {
	if len(o) != 1 {
		return 0
	}
	n := 0
	for _, t := range o {
		n = len(adapter.Choices(t))
	}
	return n
}

// key returns a text that is the same for outputs that agree in all fields, and "" for one
// in which nothing stands.
func (o outputs) key(out any) (string, error) {
	if text, ok := out.(string); ok {
		return normalText(text), nil
	}
	rec, err := signature.Encode(out)
	if err != nil {
		return "", fmt.Errorf("its answer is no output that could be compared; give Voting.Key: %w", err)
	}
	var normal signature.Record
	last, empty := "", true
	for name, v := range rec.All() {
		switch text, isText := v.(string); {
		case v == nil:
			last = ""
		case isText && o.closed(name):
			last = text // a choice such as "A" is no article
		case isText:
			last = normalText(text)
		default:
			data, err := signature.MarshalValue(v)
			if err != nil {
				return "", err
			}
			last = string(data)
		}
		normal = normal.With(name, last)
		empty = empty && last == ""
	}
	switch {
	case empty:
		return "", nil
	case rec.Len() == 1:
		return last, nil
	}
	data, err := signature.MarshalValue(normal)
	return string(data), err
}

// closed reports whether a field is one of choices.
func (o outputs) closed(name string) bool {
	t, ok := o[name]
	return ok && len(adapter.Choices(t)) > 0
}

// contradicts reports whether two outputs differ in a choice, a number or a bool.
func (o outputs) contradicts(a, b any) bool {
	one, errA := signature.Encode(a)
	other, errB := signature.Encode(b)
	if errA != nil || errB != nil {
		return false // nothing is known of them
	}
	for name, v := range one.All() {
		switch v.(type) {
		case bool, int64, float64:
		default:
			if !o.closed(name) {
				continue
			}
		}
		if w, ok := other.Get(name); ok && !signature.EqualValues(v, w) {
			return true
		}
	}
	return false
}

// normalText is the normal form of a text, or the text itself where that leaves nothing of
// it, as of the answer "A".
func normalText(text string) string {
	if normal := normalize.Text(text); normal != "" {
		return normal
	}
	return strings.ToLower(strings.TrimSpace(text))
}

// withChoice returns an output in which a field has another choice.
func withChoice[Out any](types outputs, out Out, field, choice string) (Out, error) {
	rec, err := signature.Encode(out)
	if err != nil {
		return out, err
	}
	var v signature.Value = choice
	t, known := types[field]
	now, _ := rec.Get(field)
	_, isBool := now.(bool)
	isBool = isBool || known && t.Kind == signature.KindBool
	switch {
	case choice == "True" && isBool:
		v = true
	case choice == "False" && isBool:
		v = false
	case known:
		v = nil // what may be absent has None behind its choices
		if i := slices.Index(adapter.Choices(t), choice); i >= 0 && i < len(t.Literals()) {
			v = t.Literals()[i]
		}
	}
	err = signature.Decode(rec.With(field, v), &out)
	return out, err
}
