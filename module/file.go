package module

import (
	"encoding/json"
)

// fileSchema is the version of what whet adds to DSPy's file; it grows when a
// reader of the old one would misread the new one.
const fileSchema = 1

// metadataKey is the top-level key that is not a predictor.
const metadataKey = "metadata"

// augmentedKey marks a demo that a model made.
const augmentedKey = "augmented"

// savedState is one predictor as it is written, in DSPy 3's form and order of
// keys. The key "whet" is ours; DSPy keeps what it does not know.
type savedState struct {
	Traces    []struct{}        `json:"traces"`
	Train     []struct{}        `json:"train"`
	Demos     []json.RawMessage `json:"demos"`
	Signature savedSignature    `json:"signature"`
	LM        json.RawMessage   `json:"lm"`
	Whet      *savedExtra       `json:"whet,omitempty"`
}

type savedSignature struct {
	Instructions jsonText     `json:"instructions"`
	Fields       []savedField `json:"fields"`
}

// savedField is a field in a file: by position, inputs first, without its name.
type savedField struct {
	Prefix      jsonText `json:"prefix"`
	Description jsonText `json:"description"`
}

type savedExtra struct {
	// Biases is a map: encoding/json sorts its keys, so the bytes are stable.
	Biases map[string]map[string]float64 `json:"biases,omitempty"`
}

// Where the order of keys means nothing to DSPy, they are sorted.

type savedMetadata struct {
	// DependencyVersions must be there for DSPy to load the file; an empty one
	// makes it compare nothing.
	DependencyVersions map[string]string `json:"dependency_versions"`
	Whet               savedWhet         `json:"whet"`
}

type savedWhet struct {
	Provenance *Provenance `json:"provenance,omitempty"`
	Schema     int         `json:"schema"`
}
