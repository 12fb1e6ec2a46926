package optimize

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// LeakError says that a validation example is also trained on, so that what a model scores on
// it says nothing.
type LeakError struct {
	// Valid names the validation example: its ID, or "number 17" (from 1). Train names the
	// training example in the same way, or the demo in the prompts of the training records.
	Train, Valid string
	// Near says that the inputs differ in letter case, punctuation or white space alone, and
	// not at all otherwise.
	Near bool
	// More is how many other validation examples are leaks, too.
	More int
}

// Error names the rows.
func (e *LeakError) Error() string {
	but, more := "", ""
	if e.Near {
		but = ", but for letter case, punctuation and white space"
	}
	if e.More > 0 {
		more = fmt.Sprintf(" (and %d more are in both splits)", e.More)
	}
	return fmt.Sprintf("optimize: FinetuneData: the validation example %s has the inputs of %s%s%s; take what is in both out of one of the splits", e.Valid, e.Train, but, more)
}

// seen is something that is trained on.
type seen struct {
	name   string
	fields signature.Record
}

// checkLeaks returns a *LeakError where a validation example has the inputs of a training
// example or of a demo that the training records show, and another error where an example
// cannot be read.
func checkLeaks[In, Out any](train, val []module.Example[In, Out], demos []seen, near bool) error {
	if len(val) == 0 {
		return nil
	}
	exact, alike := map[string]string{}, map[string]string{}
	add := func(name string, in signature.Record) error {
		same, like, err := leakKeys(in)
		if err != nil {
			return fmt.Errorf("optimize: FinetuneData: %s: %w", name, err)
		}
		if _, ok := exact[same]; !ok {
			exact[same] = name
		}
		if _, ok := alike[like]; !ok {
			alike[like] = name
		}
		return nil
	}
	for i, ex := range train {
		in, _, err := encodeExample(ex)
		if err != nil {
			return fmt.Errorf("optimize: FinetuneData: training example %s: %w", exampleName(ex.ID, i), err)
		}
		if err := add("the training example "+exampleName(ex.ID, i), in); err != nil {
			return err
		}
	}
	var found *LeakError
	for i, ex := range val {
		name := exampleName(ex.ID, i)
		in, _, err := encodeExample(ex)
		if err != nil {
			return fmt.Errorf("optimize: FinetuneData: validation example %s: %w", name, err)
		}
		if i == 0 {
			for _, d := range demos {
				if part, ok := restrict(d.fields, in); ok {
					if err := add(d.name, part); err != nil {
						return err
					}
				}
			}
		}
		same, like, err := leakKeys(in)
		if err != nil {
			return fmt.Errorf("optimize: FinetuneData: validation example %s: %w", name, err)
		}
		source, isSame := exact[same]
		isLike := false
		if !isSame && near {
			source, isLike = alike[like]
		}
		switch {
		case !isSame && !isLike:
		case found != nil:
			found.More++
		default:
			found = &LeakError{Train: source, Valid: name, Near: isLike}
		}
	}
	if found != nil {
		return found
	}
	return nil
}

// restrict returns the fields of a demo that inputs have, and whether it has them all.
func restrict(demo, in signature.Record) (signature.Record, bool) {
	out := signature.Record{}
	for name := range in.All() {
		v, ok := demo.Get(name)
		if !ok {
			return out, false
		}
		out = out.With(name, v)
	}
	return out, in.Len() > 0
}

// leakKeys returns what is equal for equal inputs, and for inputs that are nearly so.
func leakKeys(in signature.Record) (same, like string, err error) {
	names := make([]string, 0, in.Len())
	for name := range in.All() {
		names = append(names, name)
	}
	slices.Sort(names)
	var s, l strings.Builder
	for _, name := range names {
		v, _ := in.Get(name)
		data, err := signature.MarshalValue(v)
		if err != nil {
			return "", "", fmt.Errorf("the input %q: %w", name, err)
		}
		fmt.Fprintf(&s, "%q:%q", name, data)
		text, isText := v.(string)
		if !isText {
			text = string(data)
		}
		fmt.Fprintf(&l, "%q:%q", name, plainText(text))
	}
	return s.String(), l.String(), nil
}

// plainText returns the words of a text in lower case, parted by one space. A text without
// letters and digits is returned as it is, as nothing would be left of it.
func plainText(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	if len(words) == 0 {
		return text
	}
	return strings.ToLower(strings.Join(words, " "))
}
