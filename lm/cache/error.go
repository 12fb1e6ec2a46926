package cache

import (
	"errors"
	"strings"
)

// ErrorKind says what sort of failure an [Error] is. Each kind is itself an error, so
// errors.Is(err, cache.ErrNewer) works.
type ErrorKind string

// Error returns the kind's text.
func (k ErrorKind) Error() string { return string(k) }

// The kinds of errors.
const (
	// ErrPath: no answer store can be at this path.
	ErrPath ErrorKind = "unusable path"
	// ErrForeign: the file is no database, or one of another program.
	ErrForeign ErrorKind = "not an answer store"
	// ErrNewer: the file was written by a newer version of this package.
	ErrNewer ErrorKind = "newer answer store"
	// ErrDamaged: the file, or an entry of it, is not as it was written.
	ErrDamaged ErrorKind = "damaged answer store"
	// ErrStorage: the file cannot be read or written, for example because the disk is full.
	ErrStorage ErrorKind = "storage failure"
)

// Error is a failure of the store's file. Calls of a wrapped model never fail with one: it
// comes from [Open], and from what works on the file; see [OnError].
type Error struct {
	// Kind is the sort of failure.
	Kind ErrorKind
	// Path is the file's.
	Path string
	// Message says what was wrong and what to do.
	Message string
	// Err is the cause, if there is one.
	Err error
}

// Error returns path, kind, message and cause in one line.
func (e *Error) Error() string {
	parts := []string{"lm/cache"}
	if e.Path != "" {
		parts = append(parts, e.Path)
	}
	parts = append(parts, string(e.Kind))
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the kind and the cause, so that errors.Is finds both.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// The primary result codes of SQLite that matter here.
const (
	codeBusy     = 5
	codeReadOnly = 8
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// codeOf returns the primary result code of an error of SQLite, and 0 for any other.
func codeOf(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code() & 0xff
	}
	return 0
}

// storageError makes an Error of what SQLite or package sql says. What is no error of
// SQLite itself is a value that is not of its column's type: damage.
func storageError(path, doing string, err error) *Error {
	e := &Error{Kind: ErrStorage, Path: path, Err: err}
	switch codeOf(err) {
	case codeNotADB:
		e.Kind = ErrForeign
		e.Message = "the file is no SQLite database, or its beginning is damaged; give another path, or move the file away"
	case codeCorrupt, 0:
		e.Kind = ErrDamaged
		e.Message = doing + "; move the file away, or save what can be read with the command .recover of sqlite3"
	case codeBusy:
		e.Message = doing + ": another process holds the file for too long"
	case codeReadOnly:
		e.Message = doing + ": the file or its directory cannot be written; change the permissions or give another path"
	case codeFull:
		e.Message = doing + ": the disk is full; free some space, or use Store.Prune"
	case codeCantOpen:
		e.Message = doing + ": the file cannot be opened; it and its directory must be readable and writable"
	default:
		e.Message = doing
	}
	return e
}
