package module_test

import (
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/module"
)

type predict = module.Predict[question, answer]

func newPredict() *predict { return module.MustPredict[question, answer]("") }

// closure keeps its predictors where reflection does not look.
type closure struct{ hidden *module.Predictor }

func (c closure) Predictors() iter.Seq2[string, *module.Predictor] {
	return func(yield func(string, *module.Predictor) bool) {
		_ = yield("inner", c.hidden) && yield("nothing", nil)
	}
}

type inner struct {
	Draft, FinalAnswer *predict
}

// Base is embedded by tests.
type Base struct{ Shared *predict }

type cot = module.ChainOfThought[question, answer]

// userProgram is a module with more than the one that it embeds.
type userProgram struct {
	*module.Predict[question, answer]
	Other *predict
}

// chosen embeds a module and says itself what its predictors are.
type chosen struct {
	*module.Predict[question, answer]
	hidden *predict
}

func (c *chosen) Predictors() iter.Seq2[string, *module.Predictor] {
	return func(yield func(string, *module.Predictor) bool) {
		_ = yield("first", c.Predict.Predictor()) && yield("second", c.hidden.Predictor())
	}
}

// generic embeds a Lister and is one, as an instance of a generic type, whose
// methods the compiler wraps just as it does promoted ones.
type generic[T any] struct {
	*cot
	More *predict
	Data T
}

func (g generic[T]) Predictors() iter.Seq2[string, *module.Predictor] {
	return func(yield func(string, *module.Predictor) bool) { yield("more", g.More.Predictor()) }
}

type node struct {
	Ask  *predict
	Next *node
}

func names(t *testing.T, program any) []string {
	t.Helper()
	named, err := module.Predictors(program)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range named {
		out = append(out, n.Name)
	}
	return out
}

func TestPredictorNames(t *testing.T) {
	t.Parallel()
	shared, several := newPredict(), []*predict{newPredict(), newPredict()}
	cycle := &node{Ask: newPredict()}
	cycle.Next = &node{Ask: newPredict(), Next: cycle}
	loop := []any{newPredict(), nil}
	loop[1] = loop
	selfMap := map[string]any{"p": newPredict()}
	selfMap["again"] = selfMap
	reason := module.MustChainOfThought[question, answer]("")
	type topic string
	type lower struct{ P *predict }
	tests := []struct {
		name    string
		program any
		want    []string
	}{
		{"a bare Predict", newPredict(), []string{"self"}},
		{"a bare Predictor", newPredict().Predictor(), []string{"self"}},
		{"a bare ChainOfThought", reason, []string{"predict"}},
		{"fields", struct {
			Classify  *predict
			NextQuery *predict
			SMSFilter *module.ChainOfThought[question, answer]
		}{newPredict(), newPredict(), reason}, []string{"classify", "next_query", "sms_filter.predict"}},
		{"pointer to a struct", &inner{newPredict(), newPredict()}, []string{"draft", "final_answer"}},
		{"nested", struct{ A, B inner }{inner{newPredict(), newPredict()}, inner{Draft: newPredict()}}, []string{"a.draft", "a.final_answer", "b.draft"}},
		{"slice", struct{ Hops []*predict }{[]*predict{newPredict(), newPredict()}}, []string{"hops[0]", "hops[1]"}},
		{"array", struct{ Hops [2]*predict }{[2]*predict{newPredict(), newPredict()}}, []string{"hops[0]", "hops[1]"}},
		{"slice of structs", struct{ Hops []inner }{[]inner{{Draft: newPredict()}, {FinalAnswer: newPredict()}}}, []string{"hops[0].draft", "hops[1].final_answer"}},
		{"map, sorted", struct{ ByTopic map[string]*predict }{map[string]*predict{"sports": newPredict(), "art": newPredict()}}, []string{"by_topic['art']", "by_topic['sports']"}},
		{"map of a string type", struct{ ByTopic map[topic]any }{map[topic]any{"art": reason}}, []string{"by_topic['art'].predict"}},
		{"map with other keys", struct {
			ByNumber map[int]*predict
			Other    *predict
		}{map[int]*predict{1: newPredict()}, newPredict()}, []string{"other"}},
		{"embedded", struct {
			Base
			Own *predict
		}{Base{newPredict()}, newPredict()}, []string{"shared", "own"}},
		{"embedded pointer", struct{ *Base }{&Base{newPredict()}}, []string{"shared"}},
		{"embedded nil pointer", struct {
			*Base
			Own *predict
		}{nil, newPredict()}, []string{"own"}},
		{"embedded unexported struct", struct{ inner }{inner{Draft: newPredict()}}, []string{"draft"}},
		{"embedded with a tag", struct {
			Base `dspy:"base"`
		}{Base{newPredict()}}, []string{"base.shared"}},
		{"tag", struct {
			Classify *predict `dspy:"clf"`
		}{newPredict()}, []string{"clf"}},
		{"tag minus", struct {
			Classify *predict `dspy:"-"`
			Other    *predict
		}{newPredict(), newPredict()}, []string{"other"}},
		{"Lister", closure{newPredict().Predictor()}, []string{"inner"}},
		{"Lister in a field", struct{ Tool closure }{closure{newPredict().Predictor()}}, []string{"tool.inner"}},
		{"cycle of pointers", cycle, []string{"ask", "next.ask"}},
		{"cycle of slices", struct{ Steps []any }{loop}, []string{"steps[0]"}},
		{"cycle of maps", struct{ M map[string]any }{selfMap}, []string{"m['p']"}},
		{"slices of one array", struct{ First, All []*predict }{several[:1], several}, []string{"first[0]", "all[1]"}},
		{"embedded module", struct {
			*predict `dspy:"base"`
			Other    *predict
		}{nil, newPredict()}, []string{"other"}},
		{"exported embedded module", struct {
			*module.Predict[question, answer]
			Other *predict
		}{newPredict(), newPredict()}, []string{"self", "other"}},
		{"nil embedded module", struct {
			*module.Predict[question, answer]
			Other *predict
		}{nil, newPredict()}, []string{"other"}},
		{"embedded ChainOfThought", struct {
			*module.ChainOfThought[question, answer]
			Judge *predict
		}{reason, newPredict()}, []string{"predict", "judge"}},
		{"nil embedded ChainOfThought", struct {
			*module.ChainOfThought[question, answer]
			Judge *predict
		}{nil, newPredict()}, []string{"judge"}},
		{"embedded module under an unexported name", struct {
			*predict
			Other *predict
		}{newPredict(), newPredict()}, []string{"self", "other"}},
		{"embedded Lister", struct {
			closure
			Other *predict
		}{closure{newPredict().Predictor()}, newPredict()}, []string{"inner", "other"}},
		{"nil embedded Lister", struct {
			*closure
			Other *predict
		}{nil, newPredict()}, []string{"other"}},
		{"embedded module in a Lister", &chosen{newPredict(), newPredict()}, []string{"first", "second"}},
		{"Lister passed by value", chosen{newPredict(), newPredict()}, []string{"first", "second"}},
		{"generic Lister with a Lister embedded", generic[int]{cot: reason, More: newPredict()}, []string{"more"}},
		{"program in an interface", struct {
			In module.Program[question, answer]
		}{&userProgram{newPredict(), newPredict()}}, []string{"in", "in.other"}},
		{"embedded unexported pointer", struct {
			*lower
			Other *predict
		}{&lower{newPredict()}, newPredict()}, []string{"p", "other"}},
		{"embedded unexported nil pointer", struct {
			*lower
			Other *predict
		}{nil, newPredict()}, []string{"other"}},
		{"embedded unexported with a tag", struct {
			*lower `dspy:"low"`
		}{&lower{newPredict()}}, []string{"low.p"}},
		{"by value, passed by value", struct {
			A predict
			B *predict
			C cot
		}{*newPredict(), newPredict(), *reason}, []string{"a", "b", "c.predict"}},
		{"map of values", map[string]predict{"x": *newPredict()}, []string{"['x']"}},
		{"map of structs", struct{ M map[string]inner }{map[string]inner{"x": {Draft: newPredict()}}}, []string{"m['x'].draft"}},
		{"slice of values", struct{ Hops []predict }{[]predict{*newPredict()}}, []string{"hops[0]"}},
		{"bare Predictor by value behind a pointer", &struct{ P module.Predictor }{}, []string{"p"}},
		{"slice of bare Predictors", struct{ P []module.Predictor }{make([]module.Predictor, 1)}, []string{"p[0]"}},
		{"shared once", struct{ First, Second *predict }{shared, shared}, []string{"first"}},
		{"interface field", struct {
			Ask module.Program[question, answer]
			Any any
		}{newPredict(), &inner{Draft: newPredict()}}, []string{"ask", "any.draft"}},
		{"nil pointers and interfaces", struct {
			A *predict
			B module.Program[question, answer]
			C *module.ChainOfThought[question, answer]
			D *inner
			E []any
			F map[string]any
			G *predict
		}{G: newPredict()}, []string{"g"}},
		{"unexported", struct {
			hidden *predict
			Seen   *predict
		}{newPredict(), newPredict()}, []string{"seen"}},
		{"a value that is not a pointer", &struct{ P predict }{*newPredict()}, []string{"p"}},
		{"other fields", struct {
			N     int
			F     func()
			C     chan int
			Ask   *predict
			Names []string
		}{Ask: newPredict(), Names: []string{"x"}}, []string{"ask"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, names(t, tt.program)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPredictorsErrors(t *testing.T) {
	t.Parallel()
	for _, program := range []any{
		nil, 3,
		struct{}{},
		&struct{}{}, (*predict)(nil), (*inner)(nil), &inner{},
		struct{ hidden *predict }{newPredict()},
		module.Func[question, answer](nil),
	} {
		if got, err := module.Predictors(program); !errors.Is(err, module.ErrNoPredictors) || got != nil {
			t.Errorf("%T: %v, %v; want ErrNoPredictors", program, got, err)
		}
	}
	_, err := module.Predictors(struct {
		A *predict
		B *predict `dspy:"a"`
	}{newPredict(), newPredict()})
	if err == nil || !strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), "dspy tag") {
		t.Errorf("two of one name: %v", err)
	}
}

func TestPredictorsCopied(t *testing.T) {
	t.Parallel()
	type held struct{ Ask module.Predictor }
	byValue := reflect.ValueOf(&held{}).Elem().Interface() // vet forbids to copy it in plain Go
	for want, program := range map[string]any{
		`"ask"`:             byValue,
		`"by_topic['art']"`: struct{ ByTopic map[string]module.Predictor }{map[string]module.Predictor{"art": {}}},
		`"sub.ask"`:         struct{ Sub, Other any }{byValue, newPredict()},
		`"hops['x'][0]"`: struct {
			Hops map[string][1]module.Predictor
		}{map[string][1]module.Predictor{"x": {}}},
	} {
		got, err := module.Predictors(program)
		if !errors.Is(err, module.ErrCopied) || got != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "hold it by pointer") {
			t.Errorf("%T: %v, %v; want ErrCopied for %s", program, got, err, want)
		}
	}
}

// What is found by value is the predictor that the program calls.
func TestPredictorsByValueKeepIdentity(t *testing.T) {
	t.Parallel()
	p := newPredict()
	named, err := module.Predictors(map[string]predict{"x": *p})
	if err != nil || len(named) != 1 || named[0].Predictor != p.Predictor() {
		t.Errorf("got %v, %v", named, err)
	}
}
