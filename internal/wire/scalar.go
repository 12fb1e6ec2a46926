package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// Text is a text that may end, or begin, inside of a character, as tokens do. One that is
// not UTF-8 is written as {"base64": "..."}.
type Text string

type binary struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(t)) {
		return Marshal(binary{[]byte(t)})
	}
	return Marshal(string(t))
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var b binary
		if err := Unmarshal(data, &b); err != nil {
			return err
		}
		*t = Text(b.Base64)
		return nil
	}
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s == nil {
		return errors.New("null stands where a text is expected")
	}
	*t = Text(*s)
	return nil
}

// Number is a float64 that keeps its exact value; one that JSON has no number for, such as
// the logarithm of 0, is written as a text.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		text = `"` + text + `"`
	}
	return []byte(text), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"NaN"`:
		*n = Number(math.NaN())
	case `"+Inf"`:
		*n = Number(math.Inf(1))
	case `"-Inf"`:
		*n = Number(math.Inf(-1))
	default:
		if bytes.HasPrefix(data, []byte(`"`)) {
			return fmt.Errorf("%s is no number", data)
		}
		var f *float64
		if err := json.Unmarshal(data, &f); err != nil {
			return err
		}
		if f == nil {
			return errors.New("null stands where a number is expected")
		}
		*n = Number(*f)
	}
	return nil
}

// Marshal writes v on one line, with <, > and & as they are.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Unmarshal reads one value without fields that are not known and without anything after it.
func Unmarshal(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if rest := bytes.TrimSpace(data[d.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("there is something after the value: %.20q", rest)
	}
	return nil
}
