package module

import (
	"errors"
	"fmt"

	"github.com/whetgo/whet/internal/normalize"
	"github.com/whetgo/whet/signature"
)

// Majority returns, of several answers to one question, the first of those that most
// agree with in a field, as DSPy's majority does: texts agree when they are equal but for
// case, punctuation, articles and white space, and other values when they are equal. An
// empty field is the name of the last one. Answers whose field is then empty count only
// if all are. Of values that as many answers have, the one that came first wins. An answer
// that is nil, none at all, and a field that Out does not have are errors.
func Majority[Out any](answers []*Prediction[Out], field string) (*Prediction[Out], error) {
	if len(answers) == 0 {
		return nil, errors.New("module: Majority got no answers")
	}
	keys := make([]string, len(answers))
	for i, a := range answers {
		if a == nil {
			return nil, fmt.Errorf("module: Majority: answer %d is nil", i)
		}
		var err error
		if keys[i], err = agreementKey(a.Out, field); err != nil {
			return nil, fmt.Errorf("module: Majority: answer %d: %w", i, err)
		}
	}
	votes := map[string]int{}
	for _, k := range keys {
		votes[k]++
	}
	if len(votes) > 1 {
		delete(votes, "")
	}
	best := -1
	for i, k := range keys {
		if votes[k] > 0 && (best < 0 || votes[k] > votes[keys[best]]) {
			best = i
		}
	}
	return answers[best], nil
}

// agreementKey returns a text that is the same for outputs that agree in a field, and ""
// for one that is empty.
func agreementKey(out any, field string) (string, error) {
	rec, err := signature.Encode(out)
	if err != nil {
		return "", err
	}
	if field == "" {
		if rec.Len() == 0 {
			return "", errors.New("it has no fields")
		}
		field, _ = rec.At(rec.Len() - 1)
	}
	v, ok := rec.Get(field)
	if !ok {
		return "", fmt.Errorf("it has no field %q", field)
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return normalize.Text(v), nil
	}
	text, err := signature.MarshalValue(v)
	return string(text), err
}
