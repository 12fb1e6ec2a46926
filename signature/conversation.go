package signature

// History is the earlier turns of a conversation. A field of this type becomes
// messages before the question: each turn's inputs as a user message, its outputs
// as the reply. A signature has at most one.
type History struct {
	// Turns hold inputs and outputs under the names of the signature's fields.
	Turns []Record
}

// Reasoning is text in which a model thinks before it answers.
type Reasoning string

// Code is a program text. The fences that models put around one are taken off. A
// tag `code:"go"` names the language; without it that is Python.
type Code string

func (h History) record() Record {
	turns := make([]Value, len(h.Turns))
	for i, t := range h.Turns {
		turns[i] = t
	}
	return RecordOf("messages", turns)
}
