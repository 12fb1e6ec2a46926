// Dspyconform runs whet beside the real DSPy on generated programs and compares
// what both do: the messages that Chat and JSON send, byte for byte; what they read
// from replies, value for value, and which replies they refuse; the schema that JSON
// asks for; signatures in DSPy's text form, and edits of them; and saved states, from
// DSPy to whet and from whet to DSPy.
//
//	scripts/setup dspy && eval "$(scripts/setup env)"
//	go run ./internal/dspyconform -cases 300 -seed 1
//
// Where both are meant to differ, agreed.go says so, and docs/dspy-differences.md
// says why: any other difference fails the tests, and so does one that is listed and
// was not seen.
package main
