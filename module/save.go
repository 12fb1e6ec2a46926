package module

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/whetgo/whet/signature"
)

// SaveOption configures [Save] and [Marshal].
type SaveOption func(*saveOptions)

type saveOptions struct{ provenance *Provenance }

// WithProvenance writes into the file where the program came from.
func WithProvenance(p Provenance) SaveOption {
	return func(o *saveOptions) { o.provenance = &p }
}

// Save writes the states of a program's predictors to a file, in the form of
// DSPy 3, which loads it. The file appears whole or not at all. What a program
// is made of (types, adapters, models given in code) is not saved.
func Save(path string, program any, opts ...SaveOption) error {
	data, err := Marshal(program, opts...)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("module: saving the program: %w", err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("module: saving the program to %s: %w", path, errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}

// Marshal returns the bytes that [Save] writes. They depend only on the states
// and options, so that equal programs have equal bytes.
func Marshal(program any, opts ...SaveOption) ([]byte, error) {
	var o saveOptions
	for _, opt := range opts {
		opt(&o)
	}
	named, err := Predictors(program)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, n := range named {
		state, err := marshalState(n.Predictor)
		if err != nil {
			return nil, fmt.Errorf("module: saving predictor %s: %w", n.Name, err)
		}
		// A program that is one predictor keeps its state at the top, as in DSPy.
		if n.Name == "self" && len(named) == 1 {
			b.Write(state[1 : len(state)-1])
		} else {
			key, err := encode(n.Name)
			if err != nil {
				return nil, err
			}
			b.Write(key)
			b.WriteByte(':')
			b.Write(state)
		}
		b.WriteByte(',')
	}
	meta, err := encode(savedMetadata{
		DependencyVersions: map[string]string{},
		Whet:               &savedWhet{Schema: fileSchema, Provenance: o.provenance},
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "%q:%s}", metadataKey, meta)
	var out bytes.Buffer
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Version returns the identity of a program's states: the sha256 of the bytes
// that [Save] would write without provenance, in hexadecimal.
func Version(program any) (string, error) {
	data, err := Marshal(program)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

func marshalState(p *Predictor) (json.RawMessage, error) {
	s := p.State()
	sig, err := s.apply(p.sig)
	if err != nil {
		return nil, err
	}
	saved := savedState{
		Traces: []struct{}{}, Train: []struct{}{}, Demos: []json.RawMessage{},
		Signature: savedSignature{Instructions: sig.Instructions(), Fields: savedFields(sig)},
		LM:        s.SavedLM,
	}
	if len(saved.LM) == 0 {
		saved.LM = json.RawMessage("null")
	}
	for i, d := range s.Demos {
		rec := d.Fields.Without(augmentedKey)
		if d.Augmented {
			rec = signature.RecordOf(augmentedKey, true).Merge(rec)
		}
		raw, err := encode(rec)
		if err != nil {
			return nil, fmt.Errorf("demo %d: %w", i, err)
		}
		saved.Demos = append(saved.Demos, raw)
	}
	if len(s.Biases) > 0 {
		saved.Whet = &savedExtra{Biases: s.Biases}
	}
	return encode(saved)
}

// augmentedKey marks a demo that a model made.
const augmentedKey = "augmented"

func savedFields(sig *signature.Signature) []savedField {
	var out []savedField
	for _, f := range sig.Fields() {
		desc := f.Desc
		if desc == "" {
			desc = "${" + f.Name + "}"
		}
		out = append(out, savedField{Prefix: f.Prefix(), Description: desc})
	}
	return out
}
