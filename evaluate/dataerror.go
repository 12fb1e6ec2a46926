package evaluate

import (
	"fmt"
	"strings"
)

// DataError is a mistake in a data file.
type DataError struct {
	// File is the file's name as it was given.
	File string
	// Line and Column are the place, both from 1; Column counts bytes. Each is 0
	// when unknown.
	Line, Column int
	// Field is the name of the data's column or key, where one is concerned.
	Field string
	// Problem says what is wrong and what was expected.
	Problem string
	// Err is the cause, if there is one.
	Err error
}

// Error returns, for example,
// `dev.csv:17:1: column "LABEL": "hum" is none of ham, spam, smishing`.
func (e *DataError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	if e.Field != "" {
		fmt.Fprintf(&b, ": column %q", e.Field)
	}
	b.WriteString(": " + e.Problem)
	return b.String()
}

// Unwrap returns the cause.
func (e *DataError) Unwrap() error { return e.Err }
