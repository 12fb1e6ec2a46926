package lm

import "fmt"

// Money is an amount in billionths of a US dollar, in which the price of every single
// token is a whole number.
type Money int64

// USD is one US dollar.
const USD Money = 1e9

// Dollars returns the amount in US dollars.
func (m Money) Dollars() float64 { return float64(m) / float64(USD) }

// String returns the amount in dollars, with as many digits as it needs and at least two:
// "$0.0000125".
func (m Money) String() string {
	sign, abs := "", uint64(m)
	if m < 0 {
		sign, abs = "-", -abs
	}
	cents := fmt.Sprintf("%09d", abs%uint64(USD))
	for len(cents) > 2 && cents[len(cents)-1] == '0' {
		cents = cents[:len(cents)-1]
	}
	return fmt.Sprintf("%s$%d.%s", sign, abs/uint64(USD), cents)
}
