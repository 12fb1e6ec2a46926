package module

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// demoNotes counts what was adapted in the demos of one predictor.
type demoNotes struct {
	// renamed counts demos whose rationale is the reasoning; by field, unpacked counts
	// the values that were JSON texts of objects, read those that were texts of
	// numbers and the like, and kept those that are none of the type.
	renamed              int
	unpacked, read, kept map[string]int
}

func (d *decoder) demos(ms members) ([]Demo, error) {
	raw, ok := ms.get("demos")
	if !ok {
		return nil, bad("it has no demos in the file; want a list, which may be empty")
	}
	items, ok := listOf(raw)
	if !ok {
		return nil, bad("its demos are malformed: want a list, got %s", excerpt(raw))
	}
	var demos []Demo
	notes := demoNotes{unpacked: map[string]int{}, read: map[string]int{}, kept: map[string]int{}}
	for i, item := range items {
		demo, err := d.demo(item, &notes)
		if err != nil {
			return nil, &LoadError{Problem: fmt.Sprintf("demo %d", i), Err: err}
		}
		demos = append(demos, demo)
	}
	if notes.renamed > 0 {
		d.note("%q of %d demos is %q here", oldReasoningField, notes.renamed, reasoningField)
	}
	for _, f := range d.sig.Fields() {
		if n := notes.unpacked[f.Name]; n > 0 {
			d.note("%q of %d demos is a JSON text in the file, which was read as %s", f.Name, n, f.Type)
		}
		if n := notes.read[f.Name]; n > 0 {
			d.note("%q of %d demos is a text in the file, which was read as %s", f.Name, n, f.Type)
		}
		if n := notes.kept[f.Name]; n > 0 {
			d.note("%q of %d demos is no value of its type %s, and is shown as it is", f.Name, n, f.Type)
		}
	}
	return demos, nil
}

// demo reads one demo. Fields that the signature does not have are kept as they
// are, and so are values that are none of their field's type, since DSPy shows them.
func (d *decoder) demo(raw json.RawMessage, notes *demoNotes) (Demo, error) {
	rec, err := signature.ParseRecord(raw)
	if err != nil {
		return Demo{}, err
	}
	var demo Demo
	if v, ok := rec.Get(augmentedKey); ok && !hasAugmentedField(d.sig) {
		if demo.Augmented, ok = v.(bool); !ok && v != nil {
			return Demo{}, fmt.Errorf("want true or false under %q", augmentedKey)
		}
		rec = rec.Without(augmentedKey)
	}
	rec = d.renameReasoning(rec, notes)
	for _, f := range d.sig.Fields() {
		v, ok := rec.Get(f.Name)
		if !ok || v == nil {
			continue
		}
		v = adapter.LoadedValue(f.Type, v)
		typed, err := signature.Coerce(f.Type, v)
		if err != nil {
			if typed, ok = unpack(f.Type, v); ok {
				notes.unpacked[f.Name]++
			} else if typed, ok = readScalar(f.Type, v); ok {
				notes.read[f.Name]++
			} else if typed = v; !shownAsItIs(f.Type) {
				notes.kept[f.Name]++
			}
		}
		rec = rec.With(f.Name, typed)
	}
	demo.Fields = rec
	return demo, nil
}

// hasAugmentedField reports whether the signature has a field of the name under which
// DSPy keeps the flag of a demo: the field is what the key then stands for.
func hasAugmentedField(sig *signature.Signature) bool {
	return slices.ContainsFunc(sig.Fields(), func(f signature.Field) bool { return f.Name == augmentedKey })
}

// shownAsItIs reports whether a value that is none of the type is nothing unusual: a list given to a text field is numbered, and a
// tool is the text that it was shown as when it was saved.
func shownAsItIs(t *signature.Type) bool {
	if t == nil {
		return false
	}
	return t.Kind == signature.KindString || t.Kind == signature.KindTool || shownAsItIs(t.Elem) && t.Elem.Kind == signature.KindTool
}

// renameReasoning gives the reasoning the name that it has since DSPy 2.5, in its
// place.
func (d *decoder) renameReasoning(rec signature.Record, notes *demoNotes) signature.Record {
	_, wanted := d.sig.Output(reasoningField)
	_, taken := rec.Get(reasoningField)
	if _, old := rec.Get(oldReasoningField); !old || taken || !wanted || slices.ContainsFunc(d.sig.Fields(), isOldReasoning) {
		return rec
	}
	notes.renamed++
	var names []string
	var values []signature.Value
	for name, v := range rec.All() {
		if name == oldReasoningField {
			name = reasoningField
		}
		names, values = append(names, name), append(values, v)
	}
	return signature.MakeRecord(names, values)
}

func isOldReasoning(f signature.Field) bool { return f.Name == oldReasoningField }

// unpack reads the text of an object or a list, which is how a TypedPredictor of
// DSPy up to 2.5 keeps such values in its demos.
func unpack(t *signature.Type, v signature.Value) (signature.Value, bool) {
	text, ok := v.(string)
	if !ok || checkJSON([]byte(`{"":`+text+`}`)) != nil { // strictly, as the file itself
		return nil, false
	}
	inner, err := signature.ParseValue([]byte(text))
	if err != nil {
		return nil, false
	}
	switch inner.(type) {
	case signature.Record, []signature.Value:
		typed, err := signature.Coerce(t, inner)
		return typed, err == nil
	}
	return nil, false
}

// readScalar reads the text of a number or a truth value, which is what a table of
// texts gives a demo.
func readScalar(t *signature.Type, v signature.Value) (signature.Value, bool) {
	text, ok := v.(string)
	if !ok || t == nil {
		return nil, false
	}
	switch t.Kind {
	case signature.KindInt, signature.KindFloat:
	case signature.KindBool:
		if text == "True" || text == "False" { // as Python writes them
			text = strings.ToLower(text)
		}
	default:
		return nil, false
	}
	inner, err := signature.ParseValue([]byte(text))
	if err != nil || inner == nil {
		return nil, false
	}
	typed, err := signature.Coerce(t, inner)
	return typed, err == nil
}
