package gbnf

import "fmt"

// UnsupportedError says that no grammar can be made that accepts what it should and
// nothing else. The schema or pattern may well be right.
type UnsupportedError struct {
	Path    string // where in the schema, a JSON pointer; "" for its root and in patterns
	Keyword string // of the schema, or "pattern"; "" for the schema as a whole
	Reason  string // what exactly, and what to do where something can be done
}

func (e *UnsupportedError) Error() string {
	if e.Keyword == "" {
		return "gbnf: no grammar for the schema: " + e.Reason
	}
	return fmt.Sprintf("gbnf: no grammar for %q at %q: %s", e.Keyword, "#"+e.Path, e.Reason)
}

// SchemaError says that a text is no JSON Schema of the draft 2020-12.
type SchemaError struct {
	Path   string // a JSON pointer; "" where the place is not known
	Reason string
	Err    error // may be nil
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("gbnf: the schema is broken at %q: %s", "#"+e.Path, e.Reason)
}

func (e *SchemaError) Unwrap() error { return e.Err }

// PatternError says that a text is no regular expression in Go's syntax.
type PatternError struct {
	Pattern string
	Err     error // of regexp/syntax
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("gbnf: the pattern %q is no regular expression in Go's syntax: %v", e.Pattern, e.Err)
}

func (e *PatternError) Unwrap() error { return e.Err }
