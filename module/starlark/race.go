//go:build race

package starlark

// shadow is how much more memory the race detector takes than the code itself.
const shadow = 16
