package module

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// What older versions of DSPy call and show for the reasoning of a chain of thought.
const (
	oldReasoningField  = "rationale"
	oldReasoningPrefix = "Reasoning: Let's think step by step in order to"
	oldReasoningDesc   = "${produce the "
)

// loadedField is a field of a signature in a file. DSPy up to 2.5.2 gives names.
type loadedField struct{ name, kind, prefix, description string }

// signature reads what the file says about the signature, in any of its forms,
// and checks that it is the program's. It returns the instructions and the
// descriptions that differ.
func (d *decoder) signature(ms members) (string, map[string]string, error) {
	if isFlat(ms) {
		return d.flatSignature(ms)
	}
	raw, ok := ms.get("signature")
	if extended, both := ms.get("extended_signature"); both {
		// The chain of thought's own; the other one is what it was made of, when they
		// differ.
		if string(extended) != string(raw) {
			d.note("the signature is the file's %q; %q was left out", "extended_signature", "signature")
		}
		raw, ok = extended, true
	}
	if !ok {
		return "", nil, bad("it has no signature in the file")
	}
	sig, isObject := objectOf(raw)
	inner, _ := sig.get("instructions")
	text, hasText := textOf(inner)
	inner, _ = sig.get("fields")
	items, hasFields := listOf(inner)
	if !isObject || !hasText || !hasFields {
		return "", nil, bad("its signature is malformed: want an object with instructions and a list of fields, got %s", excerpt(raw))
	}
	d.noteUnknown(sig, "of its signature", "instructions", "fields")
	if raw, ok := ms.get("fields"); ok && !isNull(raw) {
		d.note("the key %q of its state, which holds decisions of DSPy 3, was left out", "fields")
	}
	fields := make([]loadedField, len(items))
	var err error
	for i, item := range items {
		if fields[i], err = d.field(i, item, "prefix", "description"); err != nil {
			return "", nil, err
		}
	}
	descs, err := d.sameFields(fields)
	return d.instructions(text), descs, err
}

// flatSignature reads the form of DSPy up to 2.5.2.
func (d *decoder) flatSignature(ms members) (string, map[string]string, error) {
	text, err := d.extended(ms, "signature_instructions")
	if err != nil {
		return "", nil, err
	}
	last, err := d.extended(ms, "signature_prefix")
	if err != nil {
		return "", nil, err
	}
	all := d.sig.Fields()
	if err := d.samePrefix(len(all)-1, last, all[len(all)-1].Prefix()); err != nil {
		return "", nil, err
	}
	raw, ok := ms.get("fields")
	if !ok {
		d.note("the file holds only the instructions and the last prefix of its signature, so its other fields could not be compared")
		return d.instructions(text), nil, nil
	}
	items, ok := listOf(raw)
	if !ok {
		return "", nil, bad("its fields are malformed: want a list, got %s", excerpt(raw))
	}
	fields := make([]loadedField, len(items))
	for i, item := range items {
		if fields[i], err = d.field(i, item, "name", "field_type", "prefix", "description"); err != nil {
			return "", nil, err
		}
	}
	descs, err := d.sameFields(fields)
	return d.instructions(text), descs, err
}

// extended reads a text of the form of DSPy up to 2.5.2: that of the chain of
// thought where there is one.
func (d *decoder) extended(ms members, key string) (string, error) {
	raw, ok := ms.get(key)
	if !ok {
		return "", bad("it lacks %q in the file", key)
	}
	if over, both := ms.get("extended_" + key); both {
		if string(over) != string(raw) {
			d.note("%q of its state was left out for %q, which differs", key, "extended_"+key)
		}
		key, raw = "extended_"+key, over
	}
	text, ok := textOf(raw)
	if !ok {
		return "", bad("%q of its state is malformed: want a text, got %s", key, excerpt(raw))
	}
	return text, nil
}

// field reads one field; all keys but the description must be there.
func (d *decoder) field(i int, raw json.RawMessage, keys ...string) (loadedField, error) {
	ms, ok := objectOf(raw)
	if !ok {
		return loadedField{}, bad("field %d of its signature is malformed: want an object, got %s", i, excerpt(raw))
	}
	d.noteUnknown(ms, fmt.Sprintf("of field %d of its signature", i), keys...)
	var f loadedField
	to := map[string]*string{"name": &f.name, "field_type": &f.kind, "prefix": &f.prefix, "description": &f.description}
	for _, key := range keys {
		raw, ok := ms.get(key)
		if key == "description" && (!ok || isNull(raw)) {
			continue
		}
		if *to[key], ok = textOf(raw); !ok {
			return loadedField{}, bad("field %d of its signature is malformed: want a text under %q, got %s", i, key, excerpt(raw))
		}
	}
	return f, nil
}

// instructions returns the text for State.Instructions: as the signature would
// hold it, and none when it is the program's.
func (d *decoder) instructions(text string) string {
	if strings.TrimSpace(text) == "" {
		if d.sig.Instructions() != d.sig.WithInstructions("").Instructions() {
			d.note("it has no instructions in the file and keeps the program's")
		}
		return ""
	}
	if text = d.sig.WithInstructions(text).Instructions(); text == d.sig.Instructions() {
		return ""
	}
	return text
}

// sameFields checks that the file's fields are the signature's: together with the
// names of predictors this is all that tells one program from another, as files
// hold no types. It returns the descriptions that differ.
func (d *decoder) sameFields(fields []loadedField) (map[string]string, error) {
	want := d.sig.Fields()
	if len(fields) != len(want) {
		return nil, bad("its signature has %d fields in the file and %d in the program (%s)", len(fields), len(want), d.sig)
	}
	descs := map[string]string{}
	for i, w := range want {
		f := fields[i]
		if f.name == oldReasoningField && w.Name == reasoningField {
			d.note("the field %q is %q here", oldReasoningField, reasoningField)
			f.name = reasoningField
		}
		if f.name != "" {
			kind := "output"
			if _, ok := d.sig.Input(w.Name); ok {
				kind = "input"
			}
			if f.name != w.Name || f.kind != kind {
				return nil, bad("field %d of its signature is the %s %q in the file and the %s %q in the program (%s)", i, f.kind, f.name, kind, w.Name, d.sig)
			}
		}
		if w.Name == reasoningField && f.prefix == oldReasoningPrefix {
			d.note("the prefix %q of %q is that of older versions and was left out", f.prefix, w.Name)
			f.prefix = w.Prefix()
			if strings.HasPrefix(f.description, oldReasoningDesc) {
				d.note("the description %q of %q is that of older versions and was left out", f.description, w.Name)
				f.description = w.Desc
			}
		}
		if err := d.samePrefix(i, f.prefix, w.Prefix()); err != nil {
			return nil, err
		}
		if desc := plainDescription(f.description, w.Name); desc != plainDescription(w.Desc, w.Name) {
			descs[w.Name] = desc
		}
	}
	if len(descs) == 0 {
		return nil, nil
	}
	return descs, nil
}

func (d *decoder) samePrefix(i int, got, want string) error {
	if got == want {
		return nil
	}
	if !d.options.ignorePrefixes {
		return bad("field %d of its signature is %q in the file and %q in the program (%s); if it is the same field under a prefix of its own, use module.IgnorePrefixes", i, got, want, d.sig)
	}
	d.note("field %d of its signature has the prefix %q in the file, which was left out, and %q in the program", i, got, want)
	return nil
}

// plainDescription returns a description, empty for the one that files hold where
// there is none.
func plainDescription(desc, name string) string {
	if desc == "${"+name+"}" {
		return ""
	}
	return desc
}

// savedFields returns the fields of a signature as files hold them.
func savedFields(sig *signature.Signature) []savedField {
	var out []savedField
	for _, f := range sig.Fields() {
		desc := f.Desc
		if desc == "" {
			desc = "${" + f.Name + "}"
		}
		out = append(out, savedField{Prefix: jsonText(f.Prefix()), Description: jsonText(desc)})
	}
	return out
}
