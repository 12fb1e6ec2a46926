// Package signature says what goes into one call of a language model and what
// comes out.
//
// A [Signature] is instructions and typed fields, made of two Go structs by [Of]:
//
//	type SMS struct {
//		Text string `json:"text" desc:"The SMS text to classify"`
//	}
//	type Verdict struct {
//		Label string `json:"label" enum:"ham,spam,smishing"`
//	}
//	sig, err := signature.Of[SMS, Verdict]("Classify the message.")
//
// Below the typed edge, values travel as a [Record]: ordered, immutable, without
// reflection. [Encode] makes one of a struct and [Decode] goes back; both work
// from a plan that is made once for each type. [Type] knows its name in prompts
// and its JSON Schema.
//
// Mistakes in a type are an [*Error] that names the Go type, the field and the
// tag.
package signature
