package lmtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

var update = flag.Bool("update", false, "write the vectors anew, into testdata and docs/synthlm.md")

const synthPage = "../../docs/synthlm.md"

// synthVectors are those of a version: a file of testdata.
type synthVectors struct {
	Harmful   []harmVector     `json:"harmful_rules,omitempty"`
	Answers   []answerVector   `json:"answers"`
	Expected  []truthVector    `json:"expected"`
	Proposals []proposalVector `json:"proposals"`
	Grids     []gridVector     `json:"grids,omitempty"`
	Feedback  []feedbackVector `json:"feedback,omitempty"`
}

type harmVector struct {
	World int   `json:"world"`
	Types []int `json:"types"`
}

type answerVector struct {
	World     int    `json:"world"`
	Base      int    `json:"base,omitempty"`
	Rugged    int    `json:"rugged,omitempty"`
	Predictor int    `json:"predictor,omitempty"`
	Prompt    string `json:"prompt"`
	Query     int    `json:"query"`
	Hint      string `json:"hint,omitempty"`
	Rollout   int    `json:"rollout,omitempty"`
	Type      int    `json:"type"`
	Label     string `json:"label"`
	P         int    `json:"p"`
	Answer    string `json:"answer"`
}

type truthVector struct {
	World   int      `json:"world"`
	Base    int      `json:"base,omitempty"`
	Rugged  int      `json:"rugged,omitempty"`
	Prompts []string `json:"prompts"`
	Sum     int      `json:"expected_bp"`
}

type proposalVector struct {
	World    int    `json:"world"`
	Skill    int    `json:"skill,omitempty"`
	K        int    `json:"k"`
	Request  string `json:"request,omitempty"`
	Proposed string `json:"proposed"`
}

type gridVector struct {
	World        int      `json:"world"`
	Instructions []int    `json:"instructions"`
	Sets         []string `json:"sets"`
}

type feedbackVector struct {
	World       int    `json:"world"`
	Item        int    `json:"item"`
	Instruction string `json:"instruction"`
	Answered    string `json:"answered"`
	Feedback    string `json:"feedback"`
}

// synthSource computes what a vector says: SynthLM, or its oracle.
type synthSource interface {
	answer(t *testing.T, v *answerVector)
	expected(t *testing.T, v *truthVector)
	propose(t *testing.T, v *proposalVector)
	grid(t *testing.T, v *gridVector)
	feedback(t *testing.T, v *feedbackVector)
	harmful(t *testing.T, v *harmVector)
}

func fillVectors(t *testing.T, src synthSource, v synthVectors) synthVectors {
	t.Helper()
	for i := range v.Harmful {
		src.harmful(t, &v.Harmful[i])
	}
	for i := range v.Answers {
		src.answer(t, &v.Answers[i])
	}
	for i := range v.Expected {
		src.expected(t, &v.Expected[i])
	}
	for i := range v.Proposals {
		src.propose(t, &v.Proposals[i])
	}
	for i := range v.Grids {
		src.grid(t, &v.Grids[i])
	}
	for i := range v.Feedback {
		src.feedback(t, &v.Feedback[i])
	}
	return v
}

// text writes vectors one to a line.
func (v synthVectors) text(t *testing.T) string {
	t.Helper()
	var sections []string
	all := reflect.ValueOf(v)
	for i := range all.NumField() {
		list := all.Field(i)
		if list.Len() == 0 {
			continue
		}
		name, _, _ := strings.Cut(all.Type().Field(i).Tag.Get("json"), ",")
		var lines []string
		for j := range list.Len() {
			data, err := json.Marshal(list.Index(j).Interface())
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(data))
		}
		sections = append(sections, strconv.Quote(name)+": [\n"+strings.Join(lines, ",\n")+"\n]")
	}
	return "{\n" + strings.Join(sections, ",\n") + "\n}\n"
}

// parseKey reads a prompt as its key names it.
func parseKey(t *testing.T, key string) SynthPrompt {
	t.Helper()
	parts := strings.Split(key, "/")
	var p SynthPrompt
	if _, err := fmt.Sscanf(parts[0], "S%02d", &p.Strategy); err != nil {
		t.Fatalf("prompt %q: %v", key, err)
	}
	if len(parts) == 3 {
		for _, c := range parts[1][1:] {
			p.Rules = append(p.Rules, int(c-'0'))
		}
	}
	for d := range strings.SplitSeq(parts[len(parts)-1], ",") {
		if d == "" {
			continue
		}
		item, label, _ := strings.Cut(d, ":")
		n, err := strconv.Atoi(item)
		if err != nil {
			t.Fatalf("prompt %q: %v", key, err)
		}
		p.Demos = append(p.Demos, SynthDemo{n, label})
	}
	return p
}

// synthVersions are the specified versions by their numbers.
var synthVersions = []SynthVersion{SynthNull, SynthBasic, SynthPipeline, SynthFeedback}

// TestSynthVectors holds to each other: the code, the second implementation, testdata, and
// the page.
func TestSynthVectors(t *testing.T) {
	if !*update { // writing, the tests take turns
		t.Parallel()
	}
	for n, version := range synthVersions {
		t.Run(string(version), func(t *testing.T) {
			cases := synthCases(n)
			if len(cases.Answers) < 6 {
				t.Errorf("%d answers; want at least 6", len(cases.Answers))
			}
			want := fillVectors(t, oracleSource{n}, cases).text(t)
			got := fillVectors(t, modelSource{version}, synthCases(n)).text(t)
			if got != want {
				t.Errorf("SynthLM answers\n%s\nand the page's formulas\n%s", got, want)
			}
			holdSynth(t, fmt.Sprintf("synthlm%d.json", n), want)
		})
	}
}

// holdSynth compares a text with a file of testdata and with its block on the page; with
// -update it writes them.
func holdSynth(t *testing.T, name, text string) {
	t.Helper()
	file := "testdata/" + name
	page, err := os.ReadFile(synthPage)
	if err != nil {
		t.Fatal(err)
	}
	mark := "<!-- vectors: " + name + " -->\n```json\n"
	before, rest, ok := strings.Cut(string(page), mark)
	block, after, ok2 := strings.Cut(rest, "```\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no block %q", synthPage, mark)
	}
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(synthPage, []byte(before+mark+text+"```\n"+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != text {
		t.Errorf("%s is\n%s\nwant\n%s", file, data, text)
	}
	if block != text {
		t.Errorf("the block %q of %s is\n%s\nwant\n%s", name, synthPage, block, text)
	}
}

// oracleSource computes vectors by the oracle.
type oracleSource struct{ version int }

func (s oracleSource) of(world, base int) oracle {
	if base == 0 {
		base = 5000
	}
	return oracle{version: s.version, world: world, base: base}
}

func (s oracleSource) answer(t *testing.T, v *answerVector) {
	o, p := s.of(v.World, v.Base), parseKey(t, v.Prompt)
	o.rugged, o.predictor, o.hint = v.Rugged, v.Predictor, v.Hint
	o.strategy, o.rules, o.demos, o.q = p.Strategy, p.Rules, p.Demos, v.Query
	if v.Rollout != 0 {
		o.rollout = strconv.Itoa(v.Rollout)
	}
	v.Type, v.Label, v.P, v.Answer = o.typ(v.Query), o.label(v.Query), o.p(), o.answer()
	if got := o.key(); got != v.Prompt {
		t.Errorf("the key of %q is %q", v.Prompt, got)
	}
}

func (s oracleSource) expected(t *testing.T, v *truthVector) {
	o := s.of(v.World, v.Base)
	o.rugged = v.Rugged
	var prompts []SynthPrompt
	for _, key := range v.Prompts {
		prompts = append(prompts, parseKey(t, key))
	}
	v.Sum = o.expected(prompts...)
}

func (s oracleSource) propose(_ *testing.T, v *proposalVector) {
	o := s.of(v.World, 0)
	o.skill = v.Skill
	v.Proposed = o.propose(v.K, v.Request)
}

func (s oracleSource) grid(_ *testing.T, v *gridVector) {
	v.Instructions, v.Sets = s.of(v.World, 0).grid(9, 3, 8)
}

func (s oracleSource) feedback(_ *testing.T, v *feedbackVector) {
	o := s.of(v.World, 0)
	kind := o.typ(v.Item)
	switch {
	case v.Answered == o.label(v.Item):
		v.Feedback = ""
	case strings.Contains(v.Instruction, fmt.Sprint("rule-", kind)):
		v.Feedback = fmt.Sprintf("The item is of type-%d; has rule-%d.", kind, kind)
	default:
		v.Feedback = fmt.Sprintf("The item is of type-%d; missing rule-%d.", kind, kind)
	}
}

func (s oracleSource) harmful(_ *testing.T, v *harmVector) {
	v.Types = nil
	for kind := range 6 {
		if s.of(v.World, 0).gain(kind) < 0 {
			v.Types = append(v.Types, kind)
		}
	}
}

// modelSource computes vectors by SynthLM, from requests where there are any.
type modelSource struct{ version SynthVersion }

func (s modelSource) open(t *testing.T, cfg SynthConfig) *SynthLM {
	t.Helper()
	cfg.Version = s.version
	m, err := NewSynthLM(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s modelSource) answer(t *testing.T, v *answerVector) {
	m := s.open(t, SynthConfig{World: v.World, Base: v.Base, Rugged: v.Rugged})
	field := "answer"
	if v.Predictor == 1 {
		field = "hint"
	}
	messages := synthMessages(parseKey(t, v.Prompt), m.Question(v.Query), v.Hint, field)
	task := readSynthTask(messages)
	if field == "answer" {
		task.predictor = synthAnswers
	}
	v.Type, v.Label, v.P = m.Type(v.Query), m.Label(v.Query), m.chance(task, m.key(task.prompt))
	resp, err := m.Generate(t.Context(), &lm.Request{Messages: messages, Rollout: v.Rollout})
	if err != nil {
		t.Fatal(err)
	}
	v.Answer = firstLabel(resp.Text)
	if got := m.key(task.prompt); got != v.Prompt {
		t.Errorf("the key of %q is %q", v.Prompt, got)
	}
}

func (s modelSource) expected(t *testing.T, v *truthVector) {
	m := s.open(t, SynthConfig{World: v.World, Base: v.Base, Rugged: v.Rugged})
	var prompts []SynthPrompt
	unit := 2000.0
	for _, key := range v.Prompts {
		prompts = append(prompts, parseKey(t, key))
		unit *= 10000
	}
	got, err := m.ExpectedOf(prompts...)
	if err != nil {
		t.Fatal(err)
	}
	v.Sum = int(got*unit + 0.5)
}

func (s modelSource) propose(t *testing.T, v *proposalVector) {
	m := s.open(t, SynthConfig{World: v.World, Skill: v.Skill, Proposed: v.K})
	system := "Your output fields are:\n1. `proposed_instruction` (str):\nAll interactions"
	resp, err := m.Generate(t.Context(), &lm.Request{Messages: []lm.Message{lm.System(system), lm.User(v.Request)}})
	if err != nil {
		t.Fatal(err)
	}
	v.Proposed = strings.TrimSuffix(strings.TrimPrefix(resp.Text, "[[ ## proposed_instruction ## ]]\n"), "\n\n[[ ## completed ## ]]")
}

func (s modelSource) grid(t *testing.T, v *gridVector) {
	m := s.open(t, SynthConfig{World: v.World})
	strategies, sets := m.Grid(9, 3, 8)
	v.Instructions, v.Sets = strategies, nil
	for _, demos := range sets {
		key := m.key(SynthPrompt{Demos: demos})
		v.Sets = append(v.Sets, key[strings.LastIndex(key, "/")+1:])
	}
}

func (s modelSource) feedback(t *testing.T, v *feedbackVector) {
	v.Feedback = s.open(t, SynthConfig{World: v.World}).Feedback(v.Item, v.Instruction, v.Answered)
}

func (s modelSource) harmful(t *testing.T, v *harmVector) {
	v.Types = nil
	for kind, effect := range s.open(t, SynthConfig{World: v.World}).world.rule {
		if effect < 0 {
			v.Types = append(v.Types, kind)
		}
	}
}
