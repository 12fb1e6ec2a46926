package signature

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Constraint is what a field's value must fulfil besides its type. The model is
// told of it, but for a Pattern, and a reply that breaks it is refused.
type Constraint struct {
	Op ConstraintOp
	// Bound is what the value is compared with: an int64 or float64, an int64 for
	// lengths, a string for a pattern.
	Bound Value
	re    *regexp.Regexp // of a Pattern that a struct tag gave
}

// ConstraintOp says what a [Constraint] compares.
type ConstraintOp int

// The constraints, each with its struct tag.
const (
	// AtLeast is value >= Bound; tag min.
	AtLeast ConstraintOp = iota + 1
	// AtMost is value <= Bound; tag max.
	AtMost
	// MoreThan is value > Bound; tag above.
	MoreThan
	// LessThan is value < Bound; tag below.
	LessThan
	// MinLength is the least number of characters, items or keys; tag minlen.
	MinLength
	// MaxLength is the greatest; tag maxlen.
	MaxLength
	// MultipleOf is that the value is a multiple of Bound; tag multiple.
	MultipleOf
	// Pattern is that Bound, a regular expression in Go's syntax, is found in the
	// text; anchor it with ^ and $ to match all of it; tag pattern.
	Pattern
)

// String returns the constraint as DSPy shows it: "greater than or equal to: 0".
// Patterns are not shown, and are "".
func (c Constraint) String() string {
	var words string
	switch c.Op {
	case AtLeast:
		words = "greater than or equal to: "
	case AtMost:
		words = "less than or equal to: "
	case MoreThan:
		words = "greater than: "
	case LessThan:
		words = "less than: "
	case MinLength:
		words = "minimum length: "
	case MaxLength:
		words = "maximum length: "
	case MultipleOf:
		words = "a multiple of the given number: "
	default:
		return ""
	}
	return words + pythonString(normalize(c.Bound))
}

// ConstraintText returns the field's constraints as the model sees them, "" for
// none.
func (f Field) ConstraintText() string {
	var shown []string
	for _, c := range f.Constraints {
		if s := c.String(); s != "" {
			shown = append(shown, s)
		}
	}
	return strings.Join(shown, ", ")
}

// Check returns an error that says what a value, which has the field's type,
// breaks; nil (absent) breaks nothing. Fields of objects inside are checked, too.
func (f Field) Check(v Value) error {
	if v == nil {
		return nil
	}
	for _, c := range f.Constraints {
		if err := c.check(v); err != nil {
			return err
		}
	}
	return checkInside(f.Type, v)
}

// checkInside checks the fields of the objects that a value holds.
func checkInside(t *Type, v Value) error {
	if t = t.Member(v); t == nil {
		return nil
	}
	if t.schema != nil {
		return t.schema.validate(v)
	}
	switch v := v.(type) {
	case []Value:
		for i, item := range v {
			elem := t.Elem
			if elem == nil && t.Kind == KindTuple && i < len(t.Items) {
				elem = t.Items[i]
			}
			if err := checkInside(elem, item); err != nil {
				return fmt.Errorf("item %d: %w", i, err)
			}
		}
	case Record:
		switch t.Kind {
		case KindDict:
			for name, item := range v.All() {
				if err := checkInside(t.Elem, item); err != nil {
					return fmt.Errorf("key %q: %w", name, err)
				}
			}
		case KindObject:
			for _, f := range t.Fields {
				item, _ := v.Get(f.Name)
				if err := f.Check(item); err != nil {
					return fmt.Errorf("field %q: %w", f.Name, err)
				}
			}
		}
	}
	return nil
}

func (c Constraint) check(v Value) error {
	switch c.Op {
	case MinLength, MaxLength:
		n, ok := length(v)
		bound, isInt := normalize(c.Bound).(int64)
		if !ok || !isInt {
			return nil
		}
		if c.Op == MinLength && int64(n) < bound || c.Op == MaxLength && int64(n) > bound {
			return fmt.Errorf("want %s, got a length of %d", c, n)
		}
		return nil
	case Pattern:
		s, ok := v.(string)
		pattern, isText := c.Bound.(string)
		if !ok || !isText {
			return nil
		}
		re, err := c.re, error(nil)
		if re == nil {
			re, err = regexp.Compile(pattern)
		}
		if err != nil {
			return fmt.Errorf("the pattern %q is no regular expression: %w", pattern, err)
		}
		if !re.MatchString(s) {
			return fmt.Errorf("want a text that matches %q, got %s", pattern, show(v))
		}
		return nil
	}
	x, ok := number(v)
	bound, isNumber := number(c.Bound)
	if !ok || !isNumber {
		return nil
	}
	holds := true
	switch order := x.Cmp(bound); c.Op {
	case AtLeast:
		holds = order >= 0
	case AtMost:
		holds = order <= 0
	case MoreThan:
		holds = order > 0
	case LessThan:
		holds = order < 0
	case MultipleOf:
		holds = isMultiple(x, bound)
	}
	if !holds {
		return fmt.Errorf("want %s, got %s", c, show(v))
	}
	return nil
}

// isMultiple allows for the rounding of binary fractions: 0.3 is a multiple of 0.1.
func isMultiple(x, of *big.Rat) bool {
	if of.Sign() == 0 {
		return false
	}
	q := new(big.Rat).Quo(x, of)
	if q.IsInt() {
		return true
	}
	f, _ := q.Float64()
	return math.Abs(f-math.Round(f)) < 1e-9*math.Max(1, math.Abs(f))
}

// number returns a number exactly, so that large whole ones compare right.
func number(v Value) (*big.Rat, bool) {
	switch v := normalize(v).(type) {
	case int64:
		return new(big.Rat).SetInt64(v), true
	case float64:
		r := new(big.Rat).SetFloat64(v)
		return r, r != nil
	}
	return nil, false
}

// length is the number of characters, items or keys.
func length(v Value) (int, bool) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case []Value:
		return len(v), true
	case Record:
		return v.Len(), true
	}
	return 0, false
}

// constraintTag returns the constraint that a struct tag stands for, 0 for none.
func constraintTag(key string) ConstraintOp {
	switch key {
	case "min":
		return AtLeast
	case "max":
		return AtMost
	case "above":
		return MoreThan
	case "below":
		return LessThan
	case "minlen":
		return MinLength
	case "maxlen":
		return MaxLength
	case "multiple":
		return MultipleOf
	case "pattern":
		return Pattern
	}
	return 0
}

// parseConstraint reads a tag's value for a field of a type. problem says what is
// wrong with it, "" for nothing.
func parseConstraint(op ConstraintOp, text string, t *Type) (c Constraint, problem string) {
	c.Op = op
	switch op {
	case Pattern:
		if t.Kind != KindString && t.Kind != KindReasoning && t.Kind != KindCode {
			return c, "only a text can have a pattern, and this field is a " + t.String()
		}
		re, err := regexp.Compile(text)
		if err != nil {
			return c, "the pattern is no regular expression: " + err.Error()
		}
		c.Bound, c.re = text, re
	case MinLength, MaxLength:
		switch t.Kind {
		case KindString, KindReasoning, KindCode, KindList, KindSet, KindDict:
		default:
			return c, "only a text, a list or a dict has a length, and this field is a " + t.String()
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return c, "want a length, a whole number that is not negative, got " + strconv.Quote(text)
		}
		c.Bound = n
	default:
		if t.Kind != KindInt && t.Kind != KindFloat {
			return c, "only a number can be compared, and this field is a " + t.String()
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			c.Bound = n
		} else if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			c.Bound = f
		} else {
			return c, "want a number, got " + strconv.Quote(text)
		}
		if b, _ := number(c.Bound); op == MultipleOf && b.Sign() <= 0 {
			return c, "want a number above 0, got " + strconv.Quote(text)
		}
	}
	return c, ""
}

// schema adds the constraint to the schema of a field: to that of the value where the
// value may be absent.
func (c Constraint) schema(s Record, t *Type) Record {
	if members, _ := s.Get("anyOf"); t.Optional && members != nil {
		plain, list := *t, slices.Clone(members.([]Value))
		plain.Optional = false
		list[0] = c.schema(list[0].(Record), &plain)
		return s.With("anyOf", list)
	}
	key := ""
	switch c.Op {
	case AtLeast:
		key = "minimum"
	case AtMost:
		key = "maximum"
	case MoreThan:
		key = "exclusiveMinimum"
	case LessThan:
		key = "exclusiveMaximum"
	case MultipleOf:
		key = "multipleOf"
	case Pattern:
		key = "pattern"
	case MinLength, MaxLength:
		unit := "Length"
		switch t.Kind {
		case KindList, KindSet, KindTuple:
			unit = "Items"
		case KindDict:
			unit = "Properties"
		}
		key = "min" + unit
		if c.Op == MaxLength {
			key = "max" + unit
		}
	}
	return s.With(key, c.Bound)
}

// problem says why a constraint can hold for no value of a type or for all, "" where
// it makes sense.
func (c Constraint) problem(t *Type) string {
	if c.Op < AtLeast || c.Op > Pattern {
		return fmt.Sprintf("there is no constraint %d", c.Op)
	}
	text, ok := normalize(c.Bound).(string)
	if c.Op != Pattern {
		if _, isNumber := number(c.Bound); !isNumber {
			return fmt.Sprintf("the bound of the constraint is %v, which is no number", c.Bound)
		}
		text, ok = pythonString(normalize(c.Bound)), true
	}
	if !ok {
		return fmt.Sprintf("the pattern is %v, which is no text", c.Bound)
	}
	plain := *t
	plain.Optional = false
	_, problem := parseConstraint(c.Op, text, &plain)
	return problem
}

// problem says what is wrong with a field's constraints and default, "" for nothing.
func (f Field) problem() string {
	for _, c := range f.Constraints {
		if problem := c.problem(f.Type); problem != "" {
			return problem
		}
	}
	if !f.HasDefault {
		return ""
	}
	v, err := Coerce(f.Type, normalize(f.Default))
	if err == nil {
		err = f.Check(v)
	}
	if err != nil {
		return "its default is no value of the field: " + err.Error()
	}
	return ""
}
