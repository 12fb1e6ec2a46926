package optimize

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// choiceField is an output field that is a choice, with what its predictor
// thought of each choice on the training rows.
type choiceField struct {
	predictor int
	name      string
	labels    []string          // as biases name them
	values    []signature.Value // as records hold them
	rows      []int             // training rows that count
	logProbs  [][]float64       // by rows and labels
	truth     []int             // by rows: index of the right label
}

// logFloor bounds log-probabilities from below, in nats, so that arithmetic on
// them stays finite.
const logFloor = -200

// choiceFields collects the fields to calibrate from an evaluation on the
// training examples.
func (s *session) choiceFields(e *evaluation, c candidate) ([]*choiceField, error) {
	demos := make([]map[string]bool, len(s.named))
	for i, n := range s.named {
		demos[i] = demoKeys(n.Predictor, c[i].Demos)
	}
	scored := map[string]bool{} // names of fields whose choices were scored
	byName := map[string]*choiceField{}
	var fields []*choiceField
	for row := range s.train {
		last := map[string]lm.Choice{}
		owner := map[string]int{}
		seen := false
		for _, st := range e.steps(row) {
			p, ok := s.index[st.Predictor]
			if !ok || st.Prediction == nil || st.Dropped {
				continue
			}
			key, ok := inputKey(st.Predictor, st.Inputs)
			seen = seen || ok && demos[p][key]
			for _, ch := range st.Prediction.Choices {
				last[ch.Name], owner[ch.Name] = ch, p
				scored[ch.Name] = true
			}
		}
		for name, v := range s.truth[row].All() {
			ch, ok := last[name]
			if !ok {
				continue
			}
			f := byName[name]
			if f == nil {
				if f = newChoiceField(s.named[owner[name]].Predictor, owner[name], name); f == nil {
					continue
				}
				byName[name] = f
				fields = append(fields, f)
			}
			if !seen && owner[name] == f.predictor {
				f.add(row, ch, v)
			}
		}
	}
	switch {
	case len(scored) == 0:
		return nil, ErrNoChoices
	case len(fields) == 0:
		names := make([]string, 0, len(scored))
		for n := range scored {
			names = append(names, n)
		}
		slices.Sort(names)
		return nil, fmt.Errorf("%w (choices: %s)", ErrNoReference, strings.Join(names, ", "))
	}
	return fields, nil
}

func newChoiceField(p *module.Predictor, index int, name string) *choiceField {
	out, ok := p.Signature().Output(name)
	if !ok {
		return nil
	}
	f := &choiceField{predictor: index, name: name}
	switch out.Type.Kind {
	case signature.KindBool:
		f.labels = []string{"True", "False"}
		f.values = []signature.Value{true, false}
	case signature.KindEnum:
		f.labels = out.Type.Choices
		for _, l := range f.labels {
			f.values = append(f.values, l)
		}
	default:
		return nil
	}
	return f
}

// add adds a row, if its choice covers all labels and its truth is one of them.
func (f *choiceField) add(row int, ch lm.Choice, truth signature.Value) {
	y := slices.IndexFunc(f.values, func(v signature.Value) bool { return signature.EqualValues(v, truth) })
	if y < 0 {
		return
	}
	lp := make([]float64, len(f.labels))
	for k, label := range f.labels {
		o := slices.IndexFunc(ch.Options, func(o lm.Option) bool { return o.Text == label })
		if o < 0 || math.IsNaN(ch.Options[o].LogProb) {
			return
		}
		lp[k] = max(ch.Options[o].LogProb, logFloor)
	}
	f.rows = append(f.rows, row)
	f.logProbs = append(f.logProbs, lp)
	f.truth = append(f.truth, y)
}

// varied reports whether the rows have more than one right label.
func (f *choiceField) varied() bool {
	return slices.ContainsFunc(f.truth, func(y int) bool { return y != f.truth[0] })
}

// biases names the biases, shifted so that the first label's is 0, as only their
// differences count, and rounded to what is worth writing down. It returns nil
// when none is left.
func (f *choiceField) biases(b []float64) map[string]float64 {
	m := make(map[string]float64, len(b))
	some := false
	for k, l := range f.labels {
		v := math.Round((b[k]-b[0])*1e4)/1e4 + 0 // no -0
		m[l] = v
		some = some || v != 0
	}
	if !some {
		return nil
	}
	return m
}

// inputKey returns what a predictor's call got, as a text that is equal for
// inputs that differ only in letter case and white space; false when an input is
// missing.
func inputKey(p *module.Predictor, r signature.Record) (string, bool) {
	var b strings.Builder
	for _, f := range p.Signature().Inputs() {
		v, ok := r.Get(f.Name)
		if !ok {
			return "", false
		}
		if s, ok := v.(string); ok {
			v = strings.ToLower(strings.Join(strings.Fields(s), " "))
		}
		fmt.Fprintf(&b, "%q", fmt.Sprint(v))
	}
	return b.String(), true
}
