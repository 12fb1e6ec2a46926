package evaluate_test

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/whetgo/whet/module"
)

// SMS, Label and Verdict are the types of the tests and examples.
type SMS struct {
	Text string `json:"text" desc:"The SMS text to classify"`
}

type Label string

func (Label) Enum() []string { return []string{"ham", "spam", "smishing"} }

type Verdict struct {
	Label Label `json:"label" desc:"The predicted label"`
}

func labelOf(v Verdict) Label { return v.Label }

// rules is a program without a model: a struct with a Run method.
type rules struct{}

var errNoText = errors.New("the text is empty")

func (*rules) Run(_ context.Context, in SMS) (Verdict, error) {
	switch {
	case in.Text == "":
		return Verdict{}, errNoText
	case strings.Contains(in.Text, "http"):
		return Verdict{"smishing"}, nil
	case strings.Contains(in.Text, "prize"):
		return Verdict{"spam"}, nil
	}
	return Verdict{"ham"}, nil
}

// dev is six rows of which rules gets four right, one wrong, and fails on one.
func dev() []module.Example[SMS, Verdict] {
	rows := []struct {
		text  string
		label Label
	}{
		{"see you at noon", "ham"},
		{"you won a prize", "spam"},
		{"pay the toll at http://example.com", "smishing"},
		{"", "ham"},
		{"cheap loans, call now", "spam"},
		{"running late, sorry", "ham"},
	}
	data := make([]module.Example[SMS, Verdict], len(rows))
	for i, r := range rows {
		data[i] = module.Example[SMS, Verdict]{In: SMS{r.text}, Out: Verdict{r.label}, ID: "dev.csv:" + strconv.Itoa(i+1)}
	}
	return data
}
