package adapter

import "fmt"

// FormatError is a signature, a demo or an input that an adapter cannot write.
type FormatError struct {
	// Adapter is the adapter's name.
	Adapter string
	// Field is the field that it is about; empty for the signature as a whole.
	Field string
	// Problem says what is wrong, and what to do.
	Problem string
}

// Error names the field.
func (e *FormatError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("adapter %s: %s", e.Adapter, e.Problem)
	}
	return fmt.Sprintf("adapter %s: field %q: %s", e.Adapter, e.Field, e.Problem)
}
