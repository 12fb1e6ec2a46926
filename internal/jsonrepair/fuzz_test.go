package jsonrepair

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/whetgo/whet/signature"
)

func FuzzParse(f *testing.F) {
	for _, c := range oracleCases(f) {
		f.Add(c.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, repaired, ok := Repaired(text)
		out, err := signature.MarshalValue(got)
		if err != nil {
			t.Fatalf("%#v does not marshal: %v", got, err)
		}
		if !ok && got != "" {
			t.Errorf("not ok, and yet a value: %s", out)
		}
		again, againRepaired, ok := Repaired(string(out))
		if !ok || againRepaired || !signature.EqualValues(again, got) {
			t.Errorf("%s does not read as itself: %v", out, again)
		}
		if !json.Valid([]byte(text)) {
			if !repaired {
				t.Errorf("no JSON, and yet not repaired: %s", out)
			}
			return
		}
		if want, err := signature.ParseValue([]byte(text)); err == nil {
			if repaired || !signature.EqualValues(got, want) {
				t.Errorf("got %s, repaired %v; want %v", out, repaired, want)
			}
			return
		}
		// A key stands twice, or a number is out of range, or it is nested too deeply.
		var want, have any
		if json.Unmarshal([]byte(text), &want) != nil || got == "" {
			return
		}
		if err := json.Unmarshal(out, &have); err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("got %s; want %v", out, want)
		}
	})
}
