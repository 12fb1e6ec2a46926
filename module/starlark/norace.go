//go:build !race

package starlark

// shadow is how much more memory the race detector takes: there is none.
const shadow = 1
