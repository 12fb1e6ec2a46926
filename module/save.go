package module

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// SaveOption configures [Save] and [Marshal].
type SaveOption func(*saveOptions)

type saveOptions struct {
	provenance *Provenance
	note       func(Note)
}

// WithProvenance writes into the file where the program came from.
func WithProvenance(p Provenance) SaveOption {
	return func(o *saveOptions) { o.provenance = &p }
}

// SaveNotes calls fn for what is left out of the file: what State.SavedLM has beyond
// a model's name and its usual parameters, and Demo.Augmented where the signature has
// a field "augmented". Loading notes the former in its report already, so that is for
// states that were made in code.
func SaveNotes(fn func(Note)) SaveOption {
	return func(o *saveOptions) { o.note = fn }
}

// Save writes the states of a program's predictors to a file, in the form of
// DSPy 3, which loads it. What a program is made of (types, adapters, models given
// in code) is not saved, and neither is anything of a language model but its name and
// its usual parameters: no keys, headers and addresses.
//
// The file appears whole or not at all, also when the machine stops meanwhile. One
// that is there keeps its permissions; behind a link, it is the file that the link
// names.
func Save(path string, program any, opts ...SaveOption) error {
	data, err := Marshal(program, opts...)
	if err != nil {
		return err
	}
	if err := writeFile(path, data); err != nil {
		return fmt.Errorf("module: saving the program to %s: %w", path, err)
	}
	return nil
}

// Marshal returns the bytes that [Save] writes. They depend only on the states
// and options, so that equal programs have equal bytes. It returns an error for a
// state that could not be loaded again, such as one with values nested hundreds of
// levels deep.
func Marshal(program any, opts ...SaveOption) ([]byte, error) {
	named, err := Predictors(program)
	if err != nil {
		return nil, err
	}
	return marshal(named, (*Predictor).State, opts...)
}

func marshal(named []Named, stateOf func(*Predictor) State, opts ...SaveOption) ([]byte, error) {
	o := saveOptions{note: func(Note) {}}
	for _, opt := range opts {
		opt(&o)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, n := range named {
		state, err := marshalState(n, stateOf(n.Predictor), o)
		if err != nil {
			return nil, fmt.Errorf("module: saving predictor %q: %w", n.Name, err)
		}
		// A program that is one predictor keeps its state at the top, as in DSPy.
		if n.Name == "self" && len(named) == 1 {
			b.Write(state[1 : len(state)-1])
		} else {
			writeText(&b, n.Name)
			b.WriteByte(':')
			b.Write(state)
		}
		b.WriteByte(',')
	}
	meta, err := encode(savedMetadata{
		DependencyVersions: map[string]string{},
		Whet:               savedWhet{Schema: fileSchema, Provenance: o.provenance},
	})
	if err != nil {
		return nil, fmt.Errorf("module: saving the program's provenance: %w", err)
	}
	fmt.Fprintf(&b, "%q:%s}", metadataKey, meta)
	var out bytes.Buffer
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("module: saving the program: %w", err)
	}
	out.WriteByte('\n')
	if f := checkJSON(out.Bytes()); f != nil {
		return nil, fmt.Errorf("module: saving the program: it could not be loaded again: %s, in %q", f.problem, f.key)
	}
	return out.Bytes(), nil
}

// Version returns the identity of a program's states: the sha256 of the bytes
// that [Save] would write without provenance, in hexadecimal.
func Version(program any) (string, error) {
	data, err := Marshal(program)
	if err != nil {
		return "", err
	}
	return versionOf(data), nil
}

func versionOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func marshalState(n Named, s State, o saveOptions) (json.RawMessage, error) {
	sig, err := s.apply(n.Predictor.sig)
	if err != nil {
		return nil, err
	}
	saved := savedState{
		Traces: []struct{}{}, Train: []struct{}{}, Demos: []json.RawMessage{},
		Signature: savedSignature{Instructions: jsonText(sig.Instructions()), Fields: savedFields(sig)},
		LM:        json.RawMessage("null"),
	}
	if !isNull(s.SavedLM) {
		if f := checkJSON(s.SavedLM); f != nil {
			return nil, fmt.Errorf("SavedLM: %s", f.problem)
		}
		var dropped []string
		if saved.LM, dropped = cleanLM(s.SavedLM); len(dropped) > 0 {
			o.note(Note{n.Name, leftOutOfLM(dropped)})
		}
	}
	taken, lost := hasAugmentedField(sig), 0
	for i, d := range s.Demos {
		rec := d.Fields
		if !taken {
			rec = rec.Without(augmentedKey)
		}
		for _, f := range sig.Fields() {
			v, ok := rec.Get(f.Name)
			if !ok {
				continue
			}
			shown, err := adapter.SavedValue(f.Type, v)
			if err != nil {
				return nil, fmt.Errorf("demo %d: field %q: %w", i, f.Name, err)
			}
			rec = rec.With(f.Name, shown)
		}
		switch {
		case d.Augmented && taken:
			lost++
		case d.Augmented:
			rec = signature.RecordOf(augmentedKey, true).Merge(rec)
		}
		raw, err := signature.MarshalValue(rec)
		if err != nil {
			return nil, fmt.Errorf("demo %d: %w", i, err)
		}
		saved.Demos = append(saved.Demos, raw)
	}
	if lost > 0 {
		o.note(Note{n.Name, fmt.Sprintf("left out that %d demos are augmented: the signature has a field %q, which the key stands for", lost, augmentedKey)})
	}
	if len(s.Biases) > 0 {
		saved.Whet = &savedExtra{Biases: s.Biases}
	}
	return encode(saved)
}
