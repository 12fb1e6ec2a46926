package module

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// LoadError is a saved program that does not fit, or is no saved program. The
// program that was to be changed is as before.
type LoadError struct {
	// File is the file, empty for bytes.
	File string
	// Predictor is the predictor's name in the file or the program.
	Predictor string
	// Problem says what is wrong, what was expected and what to do.
	Problem string
	// Err is the cause, if there is one.
	Err error
}

// Error names file and predictor.
func (e *LoadError) Error() string {
	var b strings.Builder
	b.WriteString("module: loading a program")
	if e.File != "" {
		b.WriteString(" from " + e.File)
	}
	if e.Predictor != "" {
		fmt.Fprintf(&b, ": predictor %q", e.Predictor)
	}
	b.WriteString(": " + e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *LoadError) Unwrap() error { return e.Err }

// LoadReport says what a load did beyond taking over the states.
type LoadReport struct {
	// Provenance is where the file says that the program came from, or nil.
	Provenance *Provenance
	// KeptLM names the predictors for which the file has a language model that was
	// not used, so that they keep their own: see [Resolve].
	KeptLM []string
}

// LoadOption configures [Load] and [Unmarshal].
type LoadOption func(*loadOptions)

type loadOptions struct {
	resolve func(model string) (lm.LM, error)
}

// Resolve turns the model names of a file into language models. Without it each
// predictor keeps its own.
func Resolve(fn func(model string) (lm.LM, error)) LoadOption {
	return func(o *loadOptions) { o.resolve = fn }
}

// Load reads a file that [Save] or DSPy 3 wrote and takes over its states: all
// of them, or none when an error is returned. Every predictor of the program
// must be in the file and every one of the file in the program. A file that
// does not fit is a *LoadError.
func Load(path string, program any, opts ...LoadOption) (*LoadReport, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &LoadError{File: path, Problem: "cannot read the file", Err: err}
	}
	report, err := Unmarshal(data, program, opts...)
	var le *LoadError
	if errors.As(err, &le) && le.File == "" {
		le.File = path
	}
	return report, err
}

// Unmarshal is [Load] for bytes.
func Unmarshal(data []byte, program any, opts ...LoadOption) (*LoadReport, error) {
	var o loadOptions
	for _, opt := range opts {
		opt(&o)
	}
	named, err := Predictors(program)
	if err != nil {
		return nil, err
	}
	top, err := entries(data)
	if err != nil {
		return nil, &LoadError{Problem: "the file is not a saved program", Err: err}
	}
	report := &LoadReport{}
	byName := map[string]json.RawMessage{}
	var order []string
	for _, e := range top {
		if e.key != metadataKey {
			byName[e.key] = e.raw
			order = append(order, e.key)
			continue
		}
		if report.Provenance, err = loadMetadata(e.raw); err != nil {
			return nil, err
		}
	}
	// A file of one bare predictor holds its state at the top.
	if _, ok := byName["signature"]; ok && len(named) == 1 {
		byName, order = map[string]json.RawMessage{named[0].Name: data}, []string{named[0].Name}
	}
	if err := sameNames(named, byName, order); err != nil {
		return nil, err
	}
	states := States{}
	for _, n := range named {
		s, hasLM, err := loadState(n.Predictor, byName[n.Name], o)
		if err == nil {
			states, err = states.With(n.Predictor, s)
		}
		if err != nil {
			var le *LoadError
			if !errors.As(err, &le) {
				le = &LoadError{Problem: "the state does not fit", Err: err}
			}
			le.Predictor = n.Name
			return nil, le
		}
		if hasLM && o.resolve == nil {
			report.KeptLM = append(report.KeptLM, n.Name)
		}
	}
	states.Apply()
	return report, nil
}

func loadMetadata(raw json.RawMessage) (*Provenance, error) {
	var m savedMetadata
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, &LoadError{Problem: "the metadata are malformed", Err: err}
	}
	if m.Whet == nil {
		return nil, nil
	}
	if m.Whet.Schema > fileSchema {
		return nil, &LoadError{Problem: fmt.Sprintf("the file has schema %d and this version of whet knows %d; use a newer whet", m.Whet.Schema, fileSchema)}
	}
	return m.Whet.Provenance, nil
}

func sameNames(named []Named, byName map[string]json.RawMessage, order []string) error {
	var have []string
	for _, n := range named {
		have = append(have, n.Name)
		if _, ok := byName[n.Name]; !ok {
			return &LoadError{Predictor: n.Name, Problem: fmt.Sprintf("the file lacks it; it has %s", list(order))}
		}
	}
	for _, name := range order {
		if !slices.Contains(have, name) {
			return &LoadError{Predictor: name, Problem: fmt.Sprintf("the program has no such predictor; it has %s", list(have))}
		}
	}
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// loadState reads one predictor's state and reports whether it names an LM.
func loadState(p *Predictor, raw json.RawMessage, o loadOptions) (State, bool, error) {
	if _, err := entries(raw); err != nil {
		return State{}, false, &LoadError{Problem: "its state is malformed", Err: err}
	}
	var saved savedState
	if err := json.Unmarshal(raw, &saved); err != nil {
		return State{}, false, &LoadError{Problem: "its state is malformed", Err: err}
	}
	s := State{}
	if saved.Signature.Instructions != p.sig.Instructions() {
		s.Instructions = saved.Signature.Instructions
	}
	var err error
	if s.Descriptions, err = sameFields(p.sig, saved.Signature.Fields); err != nil {
		return State{}, false, err
	}
	for i, d := range saved.Demos {
		demo, err := loadDemo(p.sig, d)
		if err != nil {
			return State{}, false, &LoadError{Problem: fmt.Sprintf("demo %d", i), Err: err}
		}
		s.Demos = append(s.Demos, demo)
	}
	if saved.Whet != nil {
		s.Biases = saved.Whet.Biases
	}
	hasLM := len(saved.LM) > 0 && string(saved.LM) != "null"
	if !hasLM {
		return s, false, nil
	}
	if s.SavedLM, err = compact(saved.LM); err != nil {
		return State{}, false, err
	}
	if o.resolve != nil {
		var ref struct {
			Model string `json:"model"`
		}
		if err := json.Unmarshal(saved.LM, &ref); err != nil || ref.Model == "" {
			return State{}, false, &LoadError{Problem: `its lm names no model; want an object with the key "model"`, Err: err}
		}
		if s.LM, err = o.resolve(ref.Model); err != nil {
			return State{}, false, &LoadError{Problem: fmt.Sprintf("its lm %q was not found", ref.Model), Err: err}
		}
	}
	return s, true, nil
}

func compact(raw json.RawMessage) (json.RawMessage, error) { return encode(raw) }

// sameFields checks that the file's fields are the signature's, which is all
// that tells one program from another: files hold no types and no names. It
// returns the descriptions that differ.
func sameFields(sig *signature.Signature, fields []savedField) (map[string]string, error) {
	want := savedFields(sig)
	if len(fields) != len(want) {
		return nil, &LoadError{Problem: fmt.Sprintf("its signature has %d fields in the file and %d in the program (%s)", len(fields), len(want), sig)}
	}
	var descs map[string]string
	all := sig.Fields()
	for i, f := range fields {
		if f.Prefix != want[i].Prefix {
			return nil, &LoadError{Problem: fmt.Sprintf("field %d of its signature is %q in the file and %q in the program (%s)", i, f.Prefix, want[i].Prefix, sig)}
		}
		if f.Description != want[i].Description {
			if descs == nil {
				descs = map[string]string{}
			}
			descs[all[i].Name] = f.Description
		}
	}
	return descs, nil
}

// loadDemo reads one demo. Fields that the signature does not have are kept as
// they are.
func loadDemo(sig *signature.Signature, raw json.RawMessage) (Demo, error) {
	rec, err := signature.ParseRecord(raw)
	if err != nil {
		return Demo{}, err
	}
	var d Demo
	if v, ok := rec.Get(augmentedKey); ok {
		d.Augmented, _ = v.(bool)
		rec = rec.Without(augmentedKey)
	}
	for _, f := range sig.Fields() {
		v, ok := rec.Get(f.Name)
		if !ok || v == nil {
			continue
		}
		typed, err := signature.Coerce(f.Type, v)
		if err != nil {
			return Demo{}, fmt.Errorf("field %q: %w", f.Name, err)
		}
		rec = rec.With(f.Name, typed)
	}
	d.Fields = rec
	return d, nil
}
