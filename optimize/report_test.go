package optimize_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/metric"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/optimize"
	"github.com/whetgo/whet/signature"
)

var update = flag.Bool("update", false, "write the golden files of the reports anew")

// reported is a result that has something of everything.
func reported() *optimize.Result {
	demo := func(text, label string, augmented bool) module.Demo {
		return module.Demo{Fields: signature.RecordOf("text", text, "label", label), Augmented: augmented}
	}
	spent := func(requested, paid, in, out int, cost lm.Money) optimize.Spent {
		return optimize.Spent{
			Calls: optimize.Calls{Requested: requested, Paid: paid},
			Usage: lm.Usage{Calls: requested, PromptTokens: in, CompletionTokens: out, Cost: cost, PricedCalls: requested},
		}
	}
	unpriced := spent(12, 12, 2400, 600, 0)
	unpriced.Usage.PricedCalls = 0
	usage := spent(1612, 1492, 61_400, 4_700, lm.USD/4).Usage
	usage.PricedCalls = 1600
	before := module.State{Instructions: "Say whether the message is ham or spam.", Demos: []module.Demo{demo("see you", "ham", false), demo("lunch?", "ham", false)}}
	after := module.State{
		Instructions: "Say whether the SMS message is ham, spam or smishing.",
		Descriptions: map[string]string{"label": "One of three labels"},
		Demos:        []module.Demo{demo("see you", "ham", false), demo("win & <b>win</b>", "spam", true)},
		Biases:       map[string]map[string]float64{"label": {"spam": -0.25, "ham": 0}},
	}
	second := module.State{Instructions: "Explain."}
	return &optimize.Result{
		Optimizer: "Race(instructions=16, demos=48)", Objective: "mean", Score: 0.84, Baseline: 0.7, Scored: true,
		Interval: metric.Interval{Low: 0.78, High: 0.89, Level: 0.95}, Rows: 200,
		Base:   []optimize.NamedState{{Name: "classify.predict", State: before}, {Name: "explain", State: second}},
		States: []optimize.NamedState{{Name: "classify.predict", State: after}, {Name: "explain", State: second}},
		Trials: []optimize.Trial{
			{Name: "the program as it was", Score: 0.7, Raw: 0.7, Subscores: make([]float64, 200), Spent: spent(200, 200, 8000, 600, 1e6)},
			{Name: "instruction 1", Score: 0.5, Raw: 0.6, Subscores: make([]float64, 35), Failed: 2, Rows: []int{1, 2}, Parents: []int{0}, Note: "simpler", Spent: spent(35, 35, 1400, 90, 1e6)},
			{Name: "instruction 2, demos 3", Score: 0.84, Raw: 0.84, Subscores: make([]float64, 200), Parents: []int{0, 1}, Spent: spent(200, 180, 7000, 600, 1e6)},
			{Name: "not scored"},
		},
		Winner: 2,
		Curve: []optimize.Point{
			{Calls: optimize.Calls{Requested: 200, Paid: 200}, Score: 0.7, Trial: -1},
			{Calls: optimize.Calls{Requested: 447, Paid: 430}, Score: 0.84, Trial: 2},
			{Calls: optimize.Calls{Requested: 1200, Paid: 1100}, Score: 0.84, Trial: 2},
		},
		Front:     []optimize.FrontPoint{{Trial: 0, Tokens: 40, Score: 0.7}, {Trial: 2, Tokens: 180.5, Score: 0.84}},
		Confirmed: true,
		Confirmation: &optimize.Confirmation{
			Difference: metric.Difference{Before: 0.69, After: 0.82, Value: 0.13, Interval: metric.Interval{Low: 0.05, High: 0.2, Level: 0.95}},
			P:          0.0004, Test: "McNemar's exact test", Rows: 200,
		},
		Why:   "the best candidate is expected to lose no more than 0.01",
		Calls: optimize.Calls{Requested: 1612, Paid: 1492}, Usage: usage,
		Proposing: unpriced, Searching: spent(1200, 1080, 48_000, 3_500, lm.USD/5), Confirming: spent(400, 400, 11_000, 600, lm.USD/20),
		Seed: 9, Wall: 90 * time.Second,
	}
}

func htmlOf(t *testing.T, r *optimize.Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReports compares both forms with the golden files (-update writes them anew).
func TestReports(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer) error{
		"report.html": reported().HTML,
		"report.json": reported().WriteJSON,
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s differs (-want +got); if that is right, run with -update:\n%s", path, diff)
		}
	}
}

// outside is how a page would ask for something that is not in it.
var outside = regexp.MustCompile(`(?i)https?:|src\s*=|href\s*=|@import|url\(|<script|<link|<iframe|<object|<embed`)

// parsed reads a page strictly, and returns the names of its elements.
func parsed(t *testing.T, page string) map[string]int {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(page))
	elements := map[string]int{}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatalf("the page does not parse: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
		}
	}
}

func TestReportNeedsNothingElse(t *testing.T) {
	t.Parallel()
	page := htmlOf(t, reported())
	if found := outside.FindAllString(page, -1); found != nil {
		t.Errorf("the page asks for %q", found)
	}
	if n := parsed(t, page); n["svg"] != 2 || n["path"] != 2 || n["circle"] != 5 || n["ins"] == 0 || n["del"] == 0 || n["h2"] != 5 {
		t.Errorf("the page has the elements %v", n)
	}
	for _, want := range []string{"prefers-color-scheme: dark", "<del>spam.</del><ins>smishing.</ins>", "is expected to lose no more", "0.700 before", "p = 0.0004", "stays as it was", "from #1 and #2", "0.500 (0.600 without biases)", "win &amp; &lt;b&gt;win"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestReportEscapes puts hostile texts wherever a text may come from.
func TestReportEscapes(t *testing.T) {
	t.Parallel()
	const hostile = `</code></style></title></svg><script src="https://evil.example/x.js">alert(1)</script><img src=x onerror=alert(1)>" onload="alert(1)' ]]> {{.}}`
	r := reported()
	clean := parsed(t, htmlOf(t, r))
	r.Optimizer, r.Why, r.Objective = hostile, hostile, hostile
	for i := range r.Trials {
		r.Trials[i].Name, r.Trials[i].Note = hostile, hostile
	}
	for _, states := range [][]optimize.NamedState{r.Base, r.States} {
		for i := range states {
			states[i].Name = hostile
			states[i].State.Instructions += hostile
			states[i].State.Descriptions = map[string]string{hostile: hostile}
			states[i].State.Biases = map[string]map[string]float64{hostile: {hostile: 1}}
			states[i].State.Demos = append(states[i].State.Demos, module.Demo{Fields: signature.RecordOf(hostile, hostile, "list", []string{hostile, states[i].State.Instructions})})
		}
	}
	r.States[0].State.Demos[0] = module.Demo{Fields: signature.RecordOf(hostile, hostile)}
	elements := parsed(t, htmlOf(t, r))
	for _, name := range []string{"script", "img"} {
		if elements[name] != 0 {
			t.Errorf("the page has a %s element", name)
		}
	}
	for _, name := range []string{"svg", "style", "title", "circle", "table", "tr"} {
		if elements[name] != clean[name] {
			t.Errorf("%d elements %s, want %d", elements[name], name, clean[name])
		}
	}
}

// TestReportTellsNoModel has models in the states, with names and addresses.
func TestReportTellsNoModel(t *testing.T) {
	t.Parallel()
	r := reported()
	for i := range r.States {
		r.States[i].State.LM = counted{lmtest.Script(), "vllm:secret-model@gpu-box:8000"}
		r.States[i].State.SavedLM = json.RawMessage(`{"model": "secret-model", "api_base": "gpu-box", "api_key": "sk-secret"}`)
	}
	r.Trials[1].Err = errors.New("gpu-box:8000 refused sk-secret")
	var b strings.Builder
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{b.String(), htmlOf(t, r)} {
		for _, secret := range []string{"secret", "gpu-box"} {
			if strings.Contains(text, secret) {
				t.Errorf("the report tells %q", secret)
			}
		}
	}
}

// TestReportOfASearch writes the results of real searches, whose instructions are the
// signature's.
func TestReportOfASearch(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(golden)
	p := module.MustPredict[message, verdict]("Is it ham?", module.WithLM(model))
	for name, tt := range map[string]struct {
		opt  optimize.Optimizer
		want []string
	}{
		"a search":               {search, []string{"Is it ham?", "won: ", "bootstrapping", "It is not confirmed"}},
		"a result without score": {optimize.LabeledFewShot{K: 2}, []string{"It was not scored", "new 2", "new, of the data"}},
		"no gain":                {optimize.RandomSearch{MaxLabeled: optimize.None, MaxBootstrapped: optimize.None, Candidates: optimize.None}, []string{"Is it ham?"}},
	} {
		r, err := optimize.Compile(t.Context(), tt.opt, p, messages(12), metric.Exact)
		if err != nil {
			t.Fatal(err)
		}
		page := htmlOf(t, r)
		parsed(t, page)
		if found := outside.FindAllString(page, -1); found != nil {
			t.Errorf("%s: the page asks for %q", name, found)
		}
		for _, want := range tt.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
	}
	parsed(t, htmlOf(t, &optimize.Result{Winner: -1})) // nothing at all
	if err := reported().HTML(failing{}); !errors.Is(err, errWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
}

// TestReportCutsLongTexts keeps a page small.
func TestReportCutsLongTexts(t *testing.T) {
	t.Parallel()
	r := reported()
	long := strings.Repeat("words and ", 5000)
	r.Base[0].State.Instructions, r.States[0].State.Instructions = long+"x", long+"y"
	r.Trials[1].Note = long
	for range 100 {
		r.States[0].State.Demos = append(r.States[0].State.Demos, module.Demo{Fields: signature.RecordOf("text", long)})
	}
	page := htmlOf(t, r)
	if len(page) > 100_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{"characters are the same) …", "<del>x</del>", "<ins>y</ins>", "more characters)", "more demos are not shown."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
