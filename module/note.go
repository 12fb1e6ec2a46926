package module

import "github.com/whetgo/whet/trace"

// notesOf returns the notes of one type in a trace, in order. mark tells a note whether its
// step was dropped.
func notesOf[T any](t *trace.Trace, mark func(note *T, dropped bool)) []T {
	var notes []T
	for _, s := range t.Steps() {
		if n, ok := s.Note.(T); ok {
			mark(&n, s.Dropped)
			notes = append(notes, n)
		}
	}
	return notes
}
