package optimize_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

// miproAsks, miproAnswers, miproHinted and miproHint are the fields of SynthLM's tasks.
type (
	miproAsks struct {
		Question string `json:"question"`
	}
	miproAnswers struct {
		Answer string `json:"answer"`
	}
	miproHinted struct {
		Question string `json:"question"`
		Hint     string `json:"hint"`
	}
	miproHint struct {
		Hint string `json:"hint"`
	}
)

// miproPipeline is the program of two predictors that SynthLM/2 is about.
type miproPipeline struct {
	Hint   *module.Predict[miproAsks, miproHint]
	Answer *module.Predict[miproHinted, miproAnswers]
}

func (p *miproPipeline) Run(ctx context.Context, in miproAsks) (miproAnswers, error) {
	h, err := p.Hint.Run(ctx, in)
	if err != nil {
		return miproAnswers{}, err
	}
	return p.Answer.Run(ctx, miproHinted{in.Question, h.Hint})
}

func miproModel(t *testing.T, cfg lmtest.SynthConfig) *lmtest.SynthLM {
	t.Helper()
	m, err := lmtest.NewSynthLM(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// miproItems returns the items from, to, as typed examples.
func miproItems(m *lmtest.SynthLM, from, to int) []module.Example[miproAsks, miproAnswers] {
	var out []module.Example[miproAsks, miproAnswers]
	for i := from; i < to; i++ {
		out = append(out, module.Example[miproAsks, miproAnswers]{In: miproAsks{m.Question(i)}, Out: miproAnswers{m.Label(i)}})
	}
	return out
}

// TestMIPROv2SynthLM improves what a program of one predictor is worth, in truth: over some
// worlds, typed and dynamic, with the same result.
func TestMIPROv2SynthLM(t *testing.T) {
	t.Parallel()
	gain := 0.0
	const worlds = 3
	for world := range worlds {
		m := miproModel(t, lmtest.SynthConfig{World: 100 + world})
		p := module.MustPredict[miproAsks, miproAnswers]("", module.WithLM(m))
		opt := optimize.MIPROv2{MaxLabeled: 8}
		r, err := optimize.Compile(t.Context(), opt, p, miproItems(m, 0, 60), metric.Exact, optimize.Val(miproItems(m, lmtest.SynthDev, lmtest.SynthDev+100)))
		if err != nil {
			t.Fatal(err)
		}
		gain += (synthTruth(t, m, r.States) - synthTruth(t, m, r.Base)) / worlds
		if world > 0 {
			continue
		}
		// The dynamic program, from the first proposal on.
		m = miproModel(t, lmtest.SynthConfig{World: 100})
		d := module.MustDynamic(signature.MustParse("question -> answer"), module.WithLM(m))
		var train, val []module.Example[signature.Record, signature.Record]
		for i := range 160 {
			set, item := &train, i
			if i >= 60 {
				set, item = &val, lmtest.SynthDev+i-60
			}
			*set = append(*set, module.Example[signature.Record, signature.Record]{
				In: signature.RecordOf("question", m.Question(item)), Out: signature.RecordOf("answer", m.Label(item)),
			})
		}
		rd, err := optimize.Compile(t.Context(), opt, d, train, metric.Exact, optimize.Val(val))
		if err != nil {
			t.Fatal(err)
		}
		if miproTrials(rd) != miproTrials(r) {
			t.Errorf("the dynamic program's trials are\n%s\nthe typed one's\n%s", miproTrials(rd), miproTrials(r))
		}
	}
	if t.Logf("the mean gain is %.3f", gain); gain < 0.08 {
		t.Errorf("the mean gain is %.3f", gain)
	}
}

// TestMIPROv2Pipeline searches choices of two predictors at once.
func TestMIPROv2Pipeline(t *testing.T) {
	t.Parallel()
	gain := 0.0
	const worlds = 2
	for world := range worlds {
		m := miproModel(t, lmtest.SynthConfig{Version: lmtest.SynthPipeline, World: 100 + world})
		p := &miproPipeline{module.MustPredict[miproAsks, miproHint]("", module.WithLM(m)), module.MustPredict[miproHinted, miproAnswers]("", module.WithLM(m))}
		r, err := optimize.Compile(t.Context(), optimize.MIPROv2{}, p, miproItems(m, 0, 60), metric.Exact, optimize.Val(miproItems(m, lmtest.SynthDev, lmtest.SynthDev+100)))
		if err != nil {
			t.Fatal(err)
		}
		gain += (synthTruth(t, m, r.States) - synthTruth(t, m, r.Base)) / worlds
		// 2*4*log2(6) is 20.7: so many trials, and a full evaluation for each five of them.
		if len(r.Trials) != 1+20+4 {
			t.Errorf("%d trials", len(r.Trials))
		}
		if calls := m.Calls(); calls.Proposals != 2*3 {
			t.Errorf("the calls were %+v", calls)
		}
		bootstrapped := map[string]int{}
		for _, trial := range r.Trials {
			for _, s := range trial.States {
				for _, d := range s.State.Demos {
					if d.Augmented {
						bootstrapped[s.Name]++
					}
				}
			}
			if trial.Rows != nil && (!strings.HasPrefix(trial.Name, "hint: instructions ") || !strings.Contains(trial.Name, "; answer: instructions ")) {
				t.Errorf("a trial is %s", trial.Name)
			}
		}
		if bootstrapped["hint"] == 0 || bootstrapped["answer"] == 0 {
			t.Errorf("the bootstrapped demos are %v", bootstrapped)
		}
	}
	if t.Logf("the mean gain is %.3f", gain); gain < 0.05 {
		t.Errorf("the mean gain is %.3f", gain)
	}
}

// TestMIPROv2OtherModels has a teacher make the demos and another model propose.
func TestMIPROv2OtherModels(t *testing.T) {
	t.Parallel()
	student := miproModel(t, lmtest.SynthConfig{World: 103})
	teacher := miproModel(t, lmtest.SynthConfig{World: 103, Base: 8000})
	prompts := miproModel(t, lmtest.SynthConfig{World: 103, Base: 9000})
	p := module.MustPredict[miproAsks, miproAnswers]("", module.WithLM(student))
	r, err := optimize.Compile(t.Context(), optimize.MIPROv2{Candidates: 4, Trials: 4}, p, miproItems(student, 0, 40), metric.Exact,
		optimize.Val(miproItems(student, lmtest.SynthDev, lmtest.SynthDev+40)), optimize.Teacher(teacher), optimize.PromptModel(prompts))
	if err != nil {
		t.Fatal(err)
	}
	if c := prompts.Calls(); c.Task != 0 || c.Proposals != 4 || c.Proposals+c.Other != r.Proposing.Calls.Requested {
		t.Errorf("the prompt model was asked %+v, and proposing cost %+v", c, r.Proposing.Calls)
	}
	if c := teacher.Calls(); c.Task == 0 || c.Task != r.Bootstrapping.Calls.Paid || c.Proposals+c.Other != 0 {
		t.Errorf("the teacher was asked %+v, and bootstrapping cost %+v", c, r.Bootstrapping.Calls)
	}
	if c := student.Calls(); c.Task != r.Searching.Calls.Paid || c.Proposals+c.Other != 0 {
		t.Errorf("the student was asked %+v, and the search cost %+v", c, r.Searching.Calls)
	}
	for _, trial := range r.Trials {
		if trial.States[0].State.LM != nil {
			t.Errorf("%s has another model", trial.Name)
		}
	}
}

// ExampleMIPROv2 searches for the instruction and the demos with which a model miproAnswers best.
func ExampleMIPROv2() {
	ctx := context.Background()
	model, err := lmtest.NewSynthLM(lmtest.SynthConfig{World: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	var train, val []module.Example[miproAsks, miproAnswers]
	for i := range 60 {
		train = append(train, module.Example[miproAsks, miproAnswers]{In: miproAsks{model.Question(i)}, Out: miproAnswers{model.Label(i)}})
		val = append(val, module.Example[miproAsks, miproAnswers]{In: miproAsks{model.Question(200 + i)}, Out: miproAnswers{model.Label(200 + i)}})
	}
	p := module.MustPredict[miproAsks, miproAnswers]("Answer the question.", module.WithLM(lm.LM(model)))
	result, err := optimize.Compile(ctx, optimize.MIPROv2{}, p, train, metric.Exact, optimize.Val(val))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d trials, %d prompts, better: %t\n", len(result.Trials), result.Proposing.Calls.Requested, result.Improved())
	// Output:
	// 13 trials, 16 prompts, better: true
}
