package module

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// fileSchema is the version of what whet adds to DSPy's file; it grows when a
// reader of the old one would misread the new one.
const fileSchema = 1

// metadataKey is the top-level key that is not a predictor.
const metadataKey = "metadata"

// savedState is one predictor in a file, in DSPy 3's form and order of keys. The
// key "whet" is ours; DSPy keeps what it does not know.
type savedState struct {
	Traces    []struct{}        `json:"traces"`
	Train     []struct{}        `json:"train"`
	Demos     []json.RawMessage `json:"demos"`
	Signature savedSignature    `json:"signature"`
	LM        json.RawMessage   `json:"lm"`
	Whet      *savedExtra       `json:"whet,omitempty"`
}

type savedSignature struct {
	Instructions string       `json:"instructions"`
	Fields       []savedField `json:"fields"`
}

// savedField is a field in a file: by position, inputs first, without its name.
type savedField struct {
	Prefix      string `json:"prefix"`
	Description string `json:"description"`
}

type savedExtra struct {
	// Biases is a map: encoding/json sorts its keys, so the bytes are stable.
	Biases map[string]map[string]float64 `json:"biases,omitempty"`
}

type savedMetadata struct {
	// DependencyVersions must be there for DSPy to load the file; an empty one
	// makes it compare nothing.
	DependencyVersions map[string]string `json:"dependency_versions"`
	Whet               *savedWhet        `json:"whet,omitempty"`
}

type savedWhet struct {
	Schema     int         `json:"schema"`
	Provenance *Provenance `json:"provenance,omitempty"`
}

// Provenance says where a saved program came from. It holds no time, count or
// cost, so that the same search writes the same bytes.
type Provenance struct {
	// Optimizer names the optimizer and its settings.
	Optimizer string `json:"optimizer,omitempty"`
	// Seed is the search's seed.
	Seed int64 `json:"seed"`
	// Model names the model that the program was made for.
	Model string `json:"model,omitempty"`
	// Data names, or hashes, the training rows.
	Data string `json:"data,omitempty"`
	// Score is the score on those rows, with Metric its name.
	Score  float64 `json:"score"`
	Metric string  `json:"metric,omitempty"`
}

// entry is one key of a JSON object, in the order of the file.
type entry struct {
	key string
	raw json.RawMessage
}

// entries reads a JSON object without losing the order, and refuses a key that
// stands twice: one of its values would be lost.
func entries(data []byte) ([]entry, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	tok, err := dec.Token()
	if err != nil {
		return nil, syntaxError(data, err)
	}
	if tok != json.Delim('{') {
		return nil, fmt.Errorf("want a JSON object, got %v", tok)
	}
	var out []entry
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, syntaxError(data, err)
		}
		key, _ := tok.(string)
		if seen[key] {
			return nil, fmt.Errorf("the key %q stands twice", key)
		}
		seen[key] = true
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, syntaxError(data, err)
		}
		out = append(out, entry{key, raw})
	}
	if _, err := dec.Token(); err != nil {
		return nil, syntaxError(data, err)
	}
	if dec.More() {
		return nil, errors.New("there is more text after the JSON object")
	}
	return out, nil
}

// syntaxError adds the line to a syntax error of encoding/json.
func syntaxError(data []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		return fmt.Errorf("line %d: %w", line, err)
	}
	return fmt.Errorf("the file ends too early or is not JSON: %w", err)
}

// encode writes v as compact JSON without escaping <, > and &, as DSPy does.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
