package module_test

import (
	"testing"

	"github.com/whetgo/whet/module"
)

// TestMajority has the cases of DSPy 3.4.1 and of other kinds of fields.
func TestMajority(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		texts []string
		want  int
	}{
		{[]string{"a", "b", "b"}, 1},
		{[]string{"B", "b!", "a"}, 0},
		{[]string{"x", "y"}, 0},
		{[]string{"", "the", "z"}, 2},
		{[]string{"2", "2", "2", "2", "1"}, 0},
		{[]string{"", "the"}, 0}, // all are empty
		{[]string{"no", "yes", "no", "yes"}, 0},
	} {
		var preds []*module.Prediction[answer]
		for _, s := range tt.texts {
			preds = append(preds, &module.Prediction[answer]{Out: answer{s}})
		}
		for _, field := range []string{"", "a"} {
			got, err := module.Majority(preds, field)
			if err != nil || got != preds[tt.want] {
				t.Errorf("Majority(%q, %q) = %+v, %v, want answer %d", tt.texts, field, got, err, tt.want)
			}
		}
	}
}

func TestMajorityOfOtherValues(t *testing.T) {
	t.Parallel()
	type list struct {
		Items []int
		Note  string
	}
	p := func(note string, items ...int) *module.Prediction[list] {
		return &module.Prediction[list]{Out: list{items, note}}
	}
	preds := []*module.Prediction[list]{p("x", 1), p("y", 1, 2), p("x", 1, 2)}
	if got, err := module.Majority(preds, "items"); err != nil || got != preds[1] {
		t.Errorf("by items: %+v, %v, want the second answer", got, err)
	}
	if got, err := module.Majority(preds, ""); err != nil || got != preds[0] {
		t.Errorf("by the last field: %+v, %v, want the first answer", got, err)
	}
	for name, bad := range map[string][]*module.Prediction[list]{"none": {}, "nil": {nil}} {
		if _, err := module.Majority(bad, ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := module.Majority(preds, "itmes"); err == nil {
		t.Error("a field that is not there: no error")
	}
}
