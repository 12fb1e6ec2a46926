// Package house holds the tests of the tree itself: which package may import
// which, and what no file may contain.
package house
