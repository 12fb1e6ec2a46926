package gbnf

import (
	"math/big"
	"strings"
)

// digits makes the expression of the numbers above zero that fulfil a constraint, digit
// by digit. A number is read as a whole one: its digits before the point and all that
// there may be behind it, with zeros for those that are not written.
type digits struct {
	n        numberConstraint
	modulus  *big.Int // of the whole number, nil for none
	fraction int      // digits behind the point
	safe     bool     // few enough digits for a float64
	rules    map[digitState]*expr
}

// digitState is what decides how a number may go on.
type digitState struct {
	whole    int    // digits before the point that are to come
	fraction int    // digits behind the point that may come
	point    bool   // the point was read
	lo, hi   string // the digits to come of a bound that those read are equal to, "" else
	rest     string // what the digits read amount to, modulo the modulus
}

func newDigits(n numberConstraint) *digits {
	d := &digits{n: n, fraction: fractionDigits, rules: map[digitState]*expr{}}
	if n.step != nil {
		d.modulus, d.fraction, _ = scale(n.step)
		if d.modulus.Cmp(big.NewInt(1)) == 0 {
			d.modulus = nil
		}
	}
	whole := n.step != nil && n.step.IsInt()
	d.safe = !whole && (n.loOpen && n.lo.Sign() != 0 || n.hiOpen && n.hi.Sign() != 0)
	return d
}

// expr sums up the numbers of all lengths before the point.
func (d *digits) expr() *expr {
	var parts []*expr
	from, fraction := 0, 0 // since when any number of that many digits will do
	flush := func(to int) {
		if from > 0 {
			rest := repeat(digitSet(0, 9), from-1, to-1)
			parts = append(parts, seq(digitSet(1, 9), rest, optionalFraction(fraction)))
		}
		from = 0
	}
	last := d.longest()
	for k := 1; k <= last; k++ {
		f := d.fraction
		if d.safe {
			if k > safeDigits {
				last = k - 1
				break
			}
			f = min(f, safeDigits-k)
		}
		lo, hi, all := d.bounds(k, f)
		if !all || f != fraction {
			flush(k - 1)
		}
		switch {
		case all && from == 0:
			from, fraction = k, f
		case !all && lo != "":
			parts = append(parts, d.after(digitState{whole: k, fraction: f, lo: lo, hi: hi}))
		}
	}
	flush(last)
	return alt(parts...)
}

// longest is how many digits there may be before the point.
func (d *digits) longest() int {
	if d.modulus == nil || d.n.hi != nil {
		return intDigits
	}
	least := len(d.modulus.String()) + 1
	if d.n.lo != nil {
		least = max(least, len(new(big.Int).Quo(d.n.lo.Num(), d.n.lo.Denom()).String())+1)
	}
	rules := int64(0)
	for k := range intDigits {
		gcd := new(big.Int).GCD(nil, nil, d.modulus, powerOfTen(d.fraction+k))
		if rules += new(big.Int).Quo(d.modulus, gcd).Int64(); rules > remainderRules && k >= least {
			return min(k, intDigits)
		}
	}
	return intDigits
}

// bounds returns the least and the greatest number with k digits before the point and f
// behind it, as digits; "" if there is none. all says that they are all numbers of that
// form, which must then have no modulus.
func (d *digits) bounds(k, f int) (lo, hi string, all bool) {
	unit := new(big.Rat).SetInt(powerOfTen(f))
	least, most := big.NewInt(1), powerOfTen(k+f)
	most.Sub(most, big.NewInt(1))
	if k > 1 {
		least = powerOfTen(k - 1 + f)
	}
	from := inner(new(big.Rat).Mul(d.n.lo, unit), d.n.loOpen, 1).Num()
	all = k > 1 && d.modulus == nil && from.Cmp(least) <= 0
	if from.Cmp(least) > 0 {
		least = from
	}
	if d.n.hi != nil {
		to := inner(new(big.Rat).Mul(d.n.hi, unit), d.n.hiOpen, -1).Num()
		all = all && to.Cmp(most) >= 0
		if to.Cmp(most) < 0 {
			most = to
		}
	}
	if least.Cmp(most) > 0 {
		return "", "", false
	}
	pad := func(n *big.Int) string {
		s := n.String()
		return strings.Repeat("0", k+f-len(s)) + s
	}
	return pad(least), pad(most), all
}

// after makes the expression of what may follow in a state.
func (d *digits) after(s digitState) *expr {
	s = s.bounded(s.lo, s.hi)
	if d.modulus == nil {
		if s.lo == "" && s.hi == "" {
			return s.free()
		}
		if s.point && s.lo == "" && strings.Trim(s.hi, "0") == "" {
			return repeat(text("0"), 0, s.fraction)
		}
		return d.next(s)
	}
	if s.whole+s.fraction == 0 { // no rule for the end
		return d.next(s)
	}
	if e, ok := d.rules[s]; ok {
		return e
	}
	r := &rule{name: "digits"}
	d.rules[s] = ref(r)
	r.body = d.next(s)
	return d.rules[s]
}

// bounded is the state with bounds, but for those that cannot be broken any more.
func (s digitState) bounded(lo, hi string) digitState {
	s.lo, s.hi = "", ""
	if strings.Trim(lo, "0") != "" {
		s.lo = lo
	}
	if strings.Trim(hi, "9") != "" {
		s.hi = hi
	}
	return s
}

// free is what may follow where any digits may.
func (s digitState) free() *expr {
	if s.point {
		return repeat(digitSet(0, 9), 0, s.fraction)
	}
	return seq(repeat(digitSet(0, 9), s.whole, s.whole), optionalFraction(s.fraction))
}

func (d *digits) next(s digitState) *expr {
	var parts []*expr
	if s.whole == 0 && s.lo == "" && (s.rest == "" || s.rest == "0") {
		parts = append(parts, text("")) // the digits that are not written are zeros
	}
	switch {
	case s.whole == 0 && s.fraction > 0 && !s.point:
		first := s
		first.point = true
		return alt(append(parts, seq(text("."), alt(d.digit(first)...)))...)
	case s.whole > 0 || s.fraction > 0:
		parts = append(parts, d.digit(s)...)
	}
	return alt(parts...)
}

// digit is what may follow, the next digit first.
func (d *digits) digit(s digitState) []*expr {
	from, to := 0, 9
	if s.lo != "" {
		from = int(s.lo[0] - '0')
	}
	if s.hi != "" {
		to = int(s.hi[0] - '0')
	}
	var parts []*expr
	for i := from; i <= to; {
		next := d.read(s, i, from, to)
		j := i + 1
		for j <= to && d.read(s, j, from, to) == next {
			j++
		}
		parts = append(parts, seq(digitSet(i, j-1), d.after(next)))
		i = j
	}
	return parts
}

// read is the state behind a digit; from and to are the least and the greatest.
func (d *digits) read(s digitState, digit, from, to int) digitState {
	next := digitState{whole: s.whole, fraction: s.fraction, point: s.point}
	if s.whole > 0 {
		next.whole--
	} else {
		next.fraction--
	}
	var lo, hi string
	if s.lo != "" && digit == from {
		lo = s.lo[1:]
	}
	if s.hi != "" && digit == to {
		hi = s.hi[1:]
	}
	next = next.bounded(lo, hi)
	if d.modulus != nil {
		sum := new(big.Int).Mul(big.NewInt(int64(digit)), powerOfTen(next.whole+next.fraction))
		if s.rest != "" {
			before, _ := new(big.Int).SetString(s.rest, 10)
			sum.Add(sum, before)
		}
		next.rest = sum.Mod(sum, d.modulus).String()
	}
	return next
}

func digitSet(from, to int) *expr {
	return set(runes(span{'0' + rune(from), '0' + rune(to)}))
}

// optionalFraction is a point with at most n digits, or nothing.
func optionalFraction(n int) *expr {
	if n == 0 {
		return text("")
	}
	return optional(seq(text("."), repeat(digitSet(0, 9), 1, n)))
}

// zeros is what may stand behind the 0 of zero itself: a point and zeros, as many as
// other numbers have digits there.
func (d *digits) zeros() *expr {
	f := d.fraction
	if d.safe {
		f = min(f, safeDigits-1)
	}
	if f == 0 {
		return text("")
	}
	return optional(seq(text("."), repeat(text("0"), 1, f)))
}
