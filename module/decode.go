package module

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/whetgo/whet/signature"
)

// decode reads a saved program for the predictors of a program, without changing
// them.
func decode(data []byte, named []Named, o loadOptions) (States, *LoadReport, error) {
	if int64(len(data)) > o.maxSize {
		return States{}, nil, tooLarge(int64(len(data)), o.maxSize)
	}
	if f := checkJSON(data); f != nil {
		return States{}, nil, &LoadError{
			Line: lineAt(data, f.offset), Predictor: owner(named, f.key), Problem: "the file is not a saved program: " + f.problem, Err: f.err,
		}
	}
	file, err := readForm(data)
	if err != nil {
		return States{}, nil, err
	}
	report := &LoadReport{Format: file.format, Provenance: file.provenance}
	byName, err := matchNames(named, file, report)
	if err != nil {
		return States{}, nil, err
	}
	states := States{make(map[*Predictor]*prepared, len(named))}
	for _, n := range named {
		d := decoder{name: n.Name, sig: n.Predictor.sig, options: o, report: report}
		s, err := d.state(byName[n.Name])
		if err == nil {
			if s.LM == nil { // none was resolved, so that the predictor keeps what it has
				s.LM = n.Predictor.State().LM
			}
			states.byPredictor[n.Predictor], err = n.Predictor.prepare(s)
		}
		if err != nil {
			var le *LoadError
			if !errors.As(err, &le) {
				le = &LoadError{Problem: "the state does not fit", Err: err}
			}
			le.Predictor = n.Name
			return States{}, nil, le
		}
	}
	return states, report, nil
}

// decoder reads the state of one predictor and writes into the report what it
// adapted.
type decoder struct {
	name    string
	sig     *signature.Signature
	options loadOptions
	report  *LoadReport
}

func (d *decoder) note(format string, args ...any) {
	d.report.Notes = append(d.report.Notes, Note{d.name, fmt.Sprintf(format, args...)})
}

func bad(format string, args ...any) error {
	return &LoadError{Problem: fmt.Sprintf(format, args...)}
}

// noteUnknown notes the members that nothing reads.
func (d *decoder) noteUnknown(ms members, place string, known ...string) {
	for _, m := range ms {
		if !slices.Contains(known, m.key) {
			d.note("the key %q %s is not known and was left out", m.key, place)
		}
	}
}

func (d *decoder) state(e savedEntry) (State, error) {
	ms := e.state
	if ms == nil {
		return State{}, bad("its state is malformed: want an object, got %s", excerpt(e.raw))
	}
	d.noteUnknown(ms, "of its state", stateKeys...)
	var s State
	var err error
	if s.Instructions, s.Descriptions, err = d.signature(ms); err != nil {
		return State{}, err
	}
	for _, key := range []string{"traces", "train"} {
		if err := d.dropList(ms, key); err != nil {
			return State{}, err
		}
	}
	if s.Demos, err = d.demos(ms); err != nil {
		return State{}, err
	}
	if s.Biases, err = d.biases(ms); err != nil {
		return State{}, err
	}
	return s, d.lm(ms, &s)
}

// dropList notes that rows of DSPy's are left out, which a state does not hold.
func (d *decoder) dropList(ms members, key string) error {
	raw, ok := ms.get(key)
	if !ok || isNull(raw) {
		return nil
	}
	rows, ok := listOf(raw)
	if !ok {
		return bad("%q of its state is malformed: want a list, got %s", key, excerpt(raw))
	}
	if len(rows) > 0 {
		d.note("%d entries of %q were left out; they serve DSPy's optimizers only", len(rows), key)
	}
	return nil
}

// biases reads what is whet's own.
func (d *decoder) biases(ms members) (map[string]map[string]float64, error) {
	raw, ok := ms.get("whet")
	if !ok {
		return nil, nil
	}
	own, ok := objectOf(raw)
	if !ok {
		return nil, bad(`"whet" of its state is malformed: want an object, got %s`, excerpt(raw))
	}
	d.noteUnknown(own, `of "whet" in its state`, "biases")
	raw, ok = own.get("biases")
	if !ok {
		return nil, nil
	}
	var biases map[string]map[string]float64
	if err := json.Unmarshal(raw, &biases); err != nil {
		return nil, &LoadError{Problem: "its biases are malformed", Err: err}
	}
	for field, b := range biases {
		if len(b) == 0 {
			delete(biases, field)
		}
	}
	if len(biases) == 0 {
		return nil, nil
	}
	return biases, nil
}

// lm reads the language model's entry, and turns it into a language model when
// there is somebody to do so.
func (d *decoder) lm(ms members, s *State) error {
	raw, ok := ms.get("lm")
	if !ok || isNull(raw) {
		return nil
	}
	if _, ok := objectOf(raw); !ok {
		return bad("its lm is malformed: want an object or null") // and not what it is: it may be a key
	}
	var dropped []string
	s.SavedLM, dropped = cleanLM(raw)
	if len(dropped) > 0 {
		d.note("%s", leftOutOfLM(dropped))
	}
	if d.options.resolve == nil {
		d.report.KeptLM = append(d.report.KeptLM, d.name)
		return nil
	}
	clean, _ := objectOf(s.SavedLM)
	raw, _ = clean.get("model")
	model, _ := textOf(raw)
	if model == "" {
		return bad(`its lm names no model; want an object with the key "model"`)
	}
	m, err := d.options.resolve(model)
	if err != nil {
		return &LoadError{Problem: fmt.Sprintf("its lm %q was not found", model), Err: err}
	}
	s.LM = m
	return nil
}

// excerpt cuts a JSON text to a length that fits an error.
func excerpt(raw []byte) string {
	const most = 80
	if r := []rune(string(raw[:min(len(raw), 4*most)])); len(r) > most {
		return string(r[:most]) + "..."
	}
	if len(raw) == 0 {
		return "nothing"
	}
	return string(raw)
}
