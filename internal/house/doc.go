// Package house holds the tests of the tree itself: which package may import
// which, and what no file may contain: the name of a package registry's host, a
// reminder to do something later, a context that a library makes for itself, more
// than 400 lines of Go.
package house
