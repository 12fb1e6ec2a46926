package starlark

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	star "go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/whetgo/whet/module"
)

// submit hands the result over: one value, or a dictionary of what is named.
func (r *run) submit(_ *star.Thread, _ *star.Builtin, args star.Tuple, kwargs []star.Tuple) (star.Value, error) {
	switch {
	case len(args) == 1 && len(kwargs) == 0:
		r.value = args[0]
	case len(args) == 0 && len(kwargs) > 0:
		d := star.NewDict(len(kwargs))
		for _, kv := range kwargs {
			if err := d.SetKey(kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
		r.value = d
	default:
		return nil, errors.New("SUBMIT: want one value, as SUBMIT(x), or named ones, as SUBMIT(a=x, b=y)")
	}
	return nil, errSubmitted
}

// sum is Python's. Each element is a step, as no other builtin is so easily endless.
func (r *run) sum(t *star.Thread, b *star.Builtin, args star.Tuple, kwargs []star.Tuple) (star.Value, error) {
	var items star.Iterable
	var total star.Value = star.MakeInt(0)
	if err := star.UnpackArgs(b.Name(), args, kwargs, "iterable", &items, "start?", &total); err != nil {
		return nil, err
	}
	if _, ok := total.(star.String); ok {
		return nil, errors.New(`sum: cannot add strings; use "".join(x)`)
	}
	for item := range star.Elements(items) {
		if t.Steps++; t.Steps > uint64(r.child.limits.Steps) {
			r.stop(module.LimitSteps)
		}
		if r.stopped.Load() != nil {
			return nil, errors.New("stopped")
		}
		var err error
		if total, err = star.Binary(syntax.PLUS, total, item); err != nil {
			return nil, fmt.Errorf("sum: %w", err)
		}
	}
	return total, nil
}

// maxBits bounds the powers of integers, which cannot be interrupted.
const maxBits = 1 << 22

// pow is Python's, for which Starlark has no operator.
func (r *run) pow(_ *star.Thread, b *star.Builtin, args star.Tuple, kwargs []star.Tuple) (star.Value, error) {
	var x, y, mod star.Value
	if err := star.UnpackPositionalArgs(b.Name(), args, kwargs, 2, &x, &y, &mod); err != nil {
		return nil, err
	}
	xi, xInt := x.(star.Int)
	yi, yInt := y.(star.Int)
	if mod != nil {
		m, ok := mod.(star.Int)
		if !xInt || !yInt || !ok || m.Sign() <= 0 || yi.Sign() < 0 {
			return nil, errors.New("pow: with three arguments, want integers, the second not negative and the third positive")
		}
		if max(xi.BigInt().BitLen(), yi.BigInt().BitLen(), m.BigInt().BitLen()) > maxBits>>8 {
			return nil, errors.New("pow: the numbers are too large")
		}
		return star.MakeBigInt(new(big.Int).Exp(xi.BigInt(), yi.BigInt(), m.BigInt())), nil
	}
	if xInt && yInt && yi.Sign() >= 0 {
		n, ok := yi.Uint64()
		bits := uint64(xi.BigInt().BitLen())
		if bits > 1 && (!ok || n > maxBits/bits) {
			return nil, fmt.Errorf("pow: the result is too large: more than %d bits", maxBits)
		}
		return star.MakeBigInt(new(big.Int).Exp(xi.BigInt(), yi.BigInt(), nil)), nil
	}
	xf, okX := star.AsFloat(x)
	yf, okY := star.AsFloat(y)
	if !okX || !okY {
		return nil, fmt.Errorf("pow: want two numbers, got %s and %s", x.Type(), y.Type())
	}
	if xf == 0 && yf < 0 {
		return nil, errors.New("pow: zero has no negative power")
	}
	return star.Float(math.Pow(xf, yf)), nil
}

// round is Python's: halves go to the even neighbour, and without a number of digits the
// result is an integer.
func round(b *star.Builtin, args star.Tuple, kwargs []star.Tuple) (star.Value, error) {
	var x, digits star.Value
	if err := star.UnpackArgs(b.Name(), args, kwargs, "number", &x, "ndigits?", &digits); err != nil {
		return nil, err
	}
	if digits == star.None {
		digits = nil
	}
	f, isFloat := x.(star.Float)
	i, isInt := x.(star.Int)
	switch {
	case !isFloat && !isInt:
		return nil, fmt.Errorf("round: want a number, got %s", x.Type())
	case digits == nil && isInt:
		return i, nil
	case digits == nil:
		if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
			return nil, fmt.Errorf("round: %s is no number that can be rounded", f)
		}
		return star.NumberToInt(star.Float(math.RoundToEven(float64(f))))
	}
	n, err := star.AsInt32(digits)
	if err != nil {
		return nil, fmt.Errorf("round: ndigits: %w", err)
	}
	switch {
	case isInt && n >= 0:
		return i, nil
	case n < 0 || n > 300:
		return nil, fmt.Errorf("round: ndigits is %d, want 0 to 300", n)
	}
	text := strconv.FormatFloat(float64(f), 'f', n, 64)
	rounded, err := strconv.ParseFloat(text, 64)
	return star.Float(rounded), err
}
