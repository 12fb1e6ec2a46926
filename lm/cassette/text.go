package cassette

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// text is a text of a cassette, the only thing in it that is scrubbed. One that is not
// UTF-8, as a token may be, is written as {"base64": "..."}, so that it comes back as it was.
type text string

type binary struct {
	Base64 []byte `json:"base64"`
}

func (t text) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(t)) {
		return marshal(binary{[]byte(t)})
	}
	return marshal(string(t))
}

func (t *text) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var b binary
		if err := unmarshal(data, &b); err != nil {
			return err
		}
		*t = text(b.Base64)
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*t = text(s)
	return nil
}

// number is a number of a cassette; one that JSON does not have, such as the logarithm of
// 0, is written as a string.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return marshal(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return json.Marshal(f)
}

func (n *number) UnmarshalJSON(data []byte) error {
	var f float64
	if !bytes.HasPrefix(data, []byte(`"`)) {
		err := json.Unmarshal(data, &f)
		*n = number(f)
		return err
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	switch s {
	case "NaN":
		f = math.NaN()
	case "+Inf":
		f = math.Inf(1)
	case "-Inf":
		f = math.Inf(-1)
	default:
		return fmt.Errorf("%q is no number", s)
	}
	*n = number(f)
	return nil
}

// marshal writes v on one line, with <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// unmarshal reads one value without fields that are not known and without anything after it.
func unmarshal(data []byte, v any) error {
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
