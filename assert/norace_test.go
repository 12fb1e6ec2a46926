//go:build !race

package assert_test

const race = false
