package gbnf

import (
	"math/big"
	"strconv"
)

// How many digits a number has at most: before the point, so that a whole number fits
// into an int64; behind it, which is as many as a float64 near 1 needs; and in all, where
// a float64 must tell the number from a bound.
const (
	intDigits      = 18
	fractionDigits = 17
	safeDigits     = 15
)

// remainders is how many rules the remainders of a divisor may take, about, and
// maxDivisor how many of them there may be.
const (
	remainderRules = 2048
	maxDivisor     = 512
)

// numberConstraint is what numbers must fulfil; nil bounds are none.
type numberConstraint struct {
	lo, hi         *big.Rat
	loOpen, hiOpen bool     // the bound itself is left out
	step           *big.Rat // numbers are multiples of it
}

func one() *big.Rat { return big.NewRat(1, 1) }

// and is what fulfils both.
func (n numberConstraint) and(m numberConstraint) numberConstraint {
	if m.lo != nil {
		if o := sign(n.lo, m.lo); n.lo == nil || o < 0 {
			n.lo, n.loOpen = m.lo, m.loOpen
		} else if o == 0 {
			n.loOpen = n.loOpen || m.loOpen
		}
	}
	if m.hi != nil {
		if o := sign(n.hi, m.hi); n.hi == nil || o > 0 {
			n.hi, n.hiOpen = m.hi, m.hiOpen
		} else if o == 0 {
			n.hiOpen = n.hiOpen || m.hiOpen
		}
	}
	if n.step == nil {
		n.step = m.step
	} else if m.step != nil {
		n.step = commonMultiple(n.step, m.step)
	}
	return n
}

func sign(a, b *big.Rat) int {
	if a == nil {
		return 0
	}
	return a.Cmp(b)
}

// commonMultiple is the least positive number that both divide.
func commonMultiple(a, b *big.Rat) *big.Rat {
	den := new(big.Int).Mul(a.Denom(), b.Denom())
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	gcd := new(big.Int).GCD(nil, nil, x, y)
	return new(big.Rat).SetFrac(x.Mul(x, y).Quo(x, gcd), den)
}

func (n numberConstraint) free() bool { return n.lo == nil && n.hi == nil && n.step == nil }

// empty reports whether no number at all fulfils it.
func (n numberConstraint) empty() bool {
	if n.lo == nil || n.hi == nil {
		return false
	}
	lo, hi, loOpen, hiOpen := n.lo, n.hi, n.loOpen, n.hiOpen
	if n.step != nil { // the nearest multiples inside
		lo, loOpen = new(big.Rat).Mul(n.step, inner(new(big.Rat).Quo(lo, n.step), loOpen, 1)), false
		hi, hiOpen = new(big.Rat).Mul(n.step, inner(new(big.Rat).Quo(hi, n.step), hiOpen, -1)), false
	}
	o := lo.Cmp(hi)
	return o > 0 || o == 0 && (loOpen || hiOpen)
}

// inner is the first whole number from x on in a direction, without x where it is open.
func inner(x *big.Rat, open bool, way int64) *big.Rat {
	q := new(big.Int).Div(x.Num(), x.Denom()) // floor, as the denominator is positive
	if x.IsInt() {
		if open {
			q.Add(q, big.NewInt(way))
		}
	} else if way > 0 {
		q.Add(q, big.NewInt(1))
	}
	return new(big.Rat).SetInt(q)
}

// holds reports whether a number fulfils it.
func (n numberConstraint) holds(x *big.Rat) bool {
	if n.lo != nil {
		if o := x.Cmp(n.lo); o < 0 || o == 0 && n.loOpen {
			return false
		}
	}
	if n.hi != nil {
		if o := x.Cmp(n.hi); o > 0 || o == 0 && n.hiOpen {
			return false
		}
	}
	return n.step == nil || new(big.Rat).Quo(x, n.step).IsInt()
}

// problem says why no grammar is made of it, "" where one is.
func (n numberConstraint) problem() string {
	if n.step == nil {
		return ""
	}
	if _, _, ok := scale(n.step); !ok {
		return "multiples of " + n.step.RatString() + " have no decimal form with at most " + strconv.Itoa(fractionDigits) + " digits behind the point, or the divisor has too many digits"
	}
	return ""
}

// scale writes a step as a whole number divided by a power of ten: as few digits behind
// the point as its multiples need.
func scale(step *big.Rat) (whole *big.Int, digits int, ok bool) {
	x := new(big.Rat).Set(step)
	for ; digits <= fractionDigits; digits++ {
		if x.IsInt() {
			kinds := new(big.Int).Quo(x.Num(), new(big.Int).GCD(nil, nil, x.Num(), powerOfTen(intDigits)))
			return x.Num(), digits, kinds.IsInt64() && kinds.Int64() <= maxDivisor && len(x.Num().String()) <= intDigits
		}
		x.Mul(x, big.NewRat(10, 1))
	}
	return nil, 0, false
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// expr makes the expression of the numbers that fulfil it. It must have no problem.
func (n numberConstraint) expr() *expr {
	digit := set(runes(span{'0', '9'}))
	if n.lo == nil && n.hi == nil && (n.step == nil || n.step.Cmp(one()) == 0) {
		whole := seq(set(runes(span{'1', '9'})), repeat(digit, 0, intDigits-1))
		if n.step != nil {
			return alt(text("0"), seq(optional(text("-")), whole))
		}
		return seq(optional(text("-")), alt(text("0"), whole), optional(seq(text("."), repeat(digit, 1, fractionDigits))))
	}
	var parts []*expr
	zero := new(big.Rat)
	if n.holds(zero) {
		parts = append(parts, seq(text("0"), newDigits(n).zeros()))
	}
	// Numbers above zero, and those below without their sign.
	if up := n.and(numberConstraint{lo: zero, loOpen: true}); !up.empty() {
		parts = append(parts, newDigits(up).expr())
	}
	down := numberConstraint{lo: negated(n.hi), hi: negated(n.lo), loOpen: n.hiOpen, hiOpen: n.loOpen, step: n.step}
	if down = down.and(numberConstraint{lo: zero, loOpen: true}); !down.empty() {
		parts = append(parts, seq(text("-"), newDigits(down).expr()))
	}
	return alt(parts...)
}

func negated(x *big.Rat) *big.Rat {
	if x == nil {
		return nil
	}
	return new(big.Rat).Neg(x)
}
