package module

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// stateKeys are the keys of a predictor's state that are read, over all versions.
var stateKeys = []string{
	"traces", "train", "demos", "lm", "signature", "whet",
	"extended_signature", "fields",
	"signature_instructions", "signature_prefix", "extended_signature_instructions", "extended_signature_prefix",
}

// savedProgram is a file taken apart.
type savedProgram struct {
	// format is LoadReport.Format.
	format     string
	provenance *Provenance
	// states are in the file's order.
	states []savedEntry
	// bare says that the file is one predictor's state, without a name.
	bare bool
	// notes are those of the whole file.
	notes []Note
}

// savedEntry is a predictor in a file.
type savedEntry struct {
	name string
	raw  json.RawMessage
	// state is what raw holds, nil when it is no object.
	state members
}

// readForm takes a file apart and finds out what wrote it. The forms:
//
//   - DSPy up to 2.5.2: signature_instructions and signature_prefix (of the last
//     field), the same with extended_ before it for a chain of thought, and fields
//     with names if it was asked for.
//   - 2.5.3 to 2.5.42: signature, and extended_signature for a chain of thought.
//   - 2.5.43: the same, and metadata.
//   - from 2.6: signature alone, and metadata. whet writes this form.
func readForm(data []byte) (*savedProgram, error) {
	top, _ := objectOf(data)
	p := &savedProgram{}
	version := ""
	if i := slices.IndexFunc(top, func(m member) bool { return m.key == metadataKey }); i >= 0 {
		var err error
		if version, err = p.metadata(top[i].raw); err != nil {
			return nil, err
		}
		top = slices.Delete(top, i, i+1)
	}
	if isState(top) {
		p.states, p.bare = []savedEntry{{raw: data, state: top}}, true
	} else {
		for _, m := range top {
			state, _ := objectOf(m.raw)
			p.states = append(p.states, savedEntry{m.key, m.raw, state})
		}
	}
	switch {
	case p.format != "":
	case version != "":
		p.format = "DSPy " + version
	default:
		p.format = "DSPy 2.5.3 to 2.5.42"
		if slices.ContainsFunc(p.states, func(e savedEntry) bool { return isFlat(e.state) }) {
			p.format = "DSPy 2.4 to 2.5.2"
		}
		p.notes = append(p.notes, Note{Text: "the file names no version of DSPy; its form is that of " + p.format})
	}
	return p, nil
}

// metadata reads whet's part of the metadata, and returns DSPy's version.
func (p *savedProgram) metadata(raw json.RawMessage) (version string, err error) {
	malformed := func(what string, raw []byte) error {
		return bad("the metadata are malformed: want %s, got %s", what, excerpt(raw))
	}
	ms, ok := objectOf(raw)
	if !ok {
		return "", malformed("an object", raw)
	}
	if raw, ok := ms.get("dependency_versions"); ok {
		versions, ok := objectOf(raw)
		if !ok {
			return "", malformed("an object of versions", raw)
		}
		if raw, ok := versions.get("dspy"); ok {
			if version, ok = textOf(raw); !ok {
				return "", malformed("a text as DSPy's version", raw)
			}
		}
	}
	for _, m := range ms {
		if m.key != "whet" && m.key != "dependency_versions" {
			p.notes = append(p.notes, Note{Text: fmt.Sprintf("the key %q of the metadata is not known and was left out", m.key)})
		}
	}
	raw, ok = ms.get("whet")
	if !ok {
		return version, nil
	}
	own, ok := objectOf(raw)
	if !ok {
		return "", malformed(`an object under "whet"`, raw)
	}
	var schema int
	raw, _ = own.get("schema")
	if err := json.Unmarshal(raw, &schema); err != nil || schema < 1 {
		return "", malformed(`a whole number from 1 under "schema"`, raw)
	}
	if schema > fileSchema {
		return "", bad("the file has schema %d and this version of whet knows %d; use a newer whet", schema, fileSchema)
	}
	p.format = fmt.Sprintf("whet, schema %d", schema)
	if raw, ok := own.get("provenance"); ok && !isNull(raw) {
		p.provenance = &Provenance{}
		if err := json.Unmarshal(raw, p.provenance); err != nil {
			return "", &LoadError{Problem: "the provenance is malformed", Err: err}
		}
	}
	return version, nil
}

// isState reports whether an object is a predictor's state and not a program of
// predictors, one of which might have the name of a state's key.
func isState(ms members) bool {
	if raw, ok := ms.get("demos"); ok {
		if _, ok := listOf(raw); ok {
			return true
		}
	}
	raw, _ := ms.get("signature")
	sig, _ := objectOf(raw)
	raw, _ = sig.get("instructions")
	_, ok := textOf(raw)
	return ok || isFlat(ms)
}

// isFlat reports whether a state is of DSPy up to 2.5.2.
func isFlat(ms members) bool {
	raw, _ := ms.get("signature_instructions")
	_, ok := textOf(raw)
	return ok
}

// The names that a module gives its only predictor.
var innerNames = []string{".predict", ".predictor"}

// base returns the name of the module that holds a predictor: DSPy called the
// predictor of a ChainOfThought by the module's own name up to 2.5, and x.predict
// since; that of a TypedPredictor was x.predictor.
func base(name string) string {
	for _, inner := range innerNames {
		if outer, ok := strings.CutSuffix(name, inner); ok && outer != "" {
			return outer
		}
	}
	return name
}

// isBare reports whether a name is one that the only predictor of a module has.
func isBare(name string) bool {
	return name == "self" || slices.Contains(innerNames, "."+name)
}

// matchNames returns the states by the program's names: those of equal names, then
// those of one module.
func matchNames(named []Named, p *savedProgram, report *LoadReport) (map[string]savedEntry, error) {
	report.Notes = append(report.Notes, p.notes...)
	if p.bare {
		if len(named) != 1 {
			return nil, bad("the file holds one predictor without a name and the program has %d: %s", len(named), list(names(named)))
		}
		return map[string]savedEntry{named[0].Name: p.states[0]}, nil
	}
	found, used := map[string]savedEntry{}, map[string]bool{}
	for _, e := range p.states {
		if slices.ContainsFunc(named, func(n Named) bool { return n.Name == e.name }) {
			found[e.name], used[e.name] = e, true
		}
	}
	alone := len(named) == 1 && len(p.states) == 1 && isBare(named[0].Name) && isBare(p.states[0].name)
	for _, n := range named {
		if _, ok := found[n.Name]; ok {
			continue
		}
		var like []savedEntry
		for _, e := range p.states {
			if !used[e.name] && (base(e.name) == base(n.Name) || alone) {
				like = append(like, e)
			}
		}
		switch len(like) {
		case 0:
			return nil, &LoadError{Predictor: n.Name, Problem: fmt.Sprintf("the file lacks it; it has %s", list(p.names()))}
		case 1:
			found[n.Name], used[like[0].name] = like[0], true
			report.Notes = append(report.Notes, Note{n.Name, fmt.Sprintf("it is %q in the file", like[0].name)})
		default:
			return nil, &LoadError{Predictor: n.Name, Problem: fmt.Sprintf("the file has no predictor of this name and two that could be it: %q and %q", like[0].name, like[1].name)}
		}
	}
	for _, e := range p.states {
		if !used[e.name] {
			return nil, &LoadError{Predictor: e.name, Problem: fmt.Sprintf("the program has no such predictor; it has %s", list(names(named)))}
		}
	}
	return found, nil
}

// owner returns the predictor to which a key of the file's outermost object
// belongs, if that can be told.
func owner(named []Named, key string) string {
	if key == "" || key == metadataKey {
		return ""
	}
	for _, n := range named {
		if n.Name == key || base(n.Name) == base(key) {
			return n.Name
		}
	}
	if len(named) == 1 && slices.Contains(stateKeys, key) {
		return named[0].Name
	}
	return key
}

func (p *savedProgram) names() []string {
	var out []string
	for _, e := range p.states {
		out = append(out, e.name)
	}
	return out
}

func names(named []Named) []string {
	var out []string
	for _, n := range named {
		out = append(out, n.Name)
	}
	return out
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
