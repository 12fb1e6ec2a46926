//go:build race

package optimize_test

const race = true
