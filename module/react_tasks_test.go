package module_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// The shop that the tasks are about.
var (
	shopTables = map[string]map[string]string{
		"price":    {"tea": "3.5", "coffee": "4.25", "cake": "5", "soup": "6.75"},
		"stock":    {"tea": "40", "coffee": "12", "cake": "7", "soup": "0"},
		"supplier": {"tea": "Hollis", "coffee": "Okafor", "cake": "Brandt"},
		"town":     {"Hollis": "Dunmore", "Okafor": "Larch Hill", "Brandt": "Dunmore"},
		"km":       {"Dunmore": "18", "Larch Hill": "42.5"},
	}
	shopNotes = []string{
		"Dunmore market opens at 7 and closes at 13.",
		"Larch Hill has 2310 inhabitants and no market.",
		"The baker Brandt delivers 24 cakes on Fridays.",
		"Okafor roasts 15 kg of coffee a week; a bag holds 250 g.",
		"An order of 60 or more is brought for free.",
	}
)

type (
	calcArgs struct {
		Op   string  `enum:"add,sub,mul,div,halves"`
		A, B float64 `desc:"a number"`
	}
	lookupArgs struct {
		Table string `enum:"price,stock,supplier,town,km"`
		Key   string `minlen:"1"`
	}
	searchArgs struct {
		Query string `desc:"words to find"`
		Limit int    `default:"1" min:"1" max:"5"`
	}
)

func calculate(_ context.Context, in calcArgs) (float64, error) {
	switch in.Op {
	case "add":
		return in.A + in.B, nil
	case "sub":
		return in.A - in.B, nil
	case "mul":
		return in.A * in.B, nil
	case "halves": // a careless function
		return float64(int(in.A) / int(in.B)), nil
	}
	if in.B == 0 {
		return 0, errors.New("cannot divide by 0")
	}
	return in.A / in.B, nil
}

func lookUp(_ context.Context, in lookupArgs) (string, error) {
	v, ok := shopTables[in.Table][in.Key]
	if !ok {
		return "", fmt.Errorf("%s has no entry %q", in.Table, in.Key)
	}
	return v, nil
}

func searchNotes(_ context.Context, in searchArgs) ([]string, error) {
	found := []string{}
	for _, note := range shopNotes {
		if strings.Contains(strings.ToLower(note), strings.ToLower(in.Query)) && len(found) < in.Limit {
			found = append(found, note)
		}
	}
	return found, nil
}

func shopTools() []*module.Tool {
	return []*module.Tool{
		module.MustTool("calc", "Computes.", calculate),
		module.MustTool("lookup", "Reads the shop's tables.", lookUp),
		module.MustTool("search", "Finds notes.", searchNotes),
	}
}

// shopStep is what the scripted model does once the last observation that it is shown holds
// sees. In args $n is the number in the last observation, $0 that of step 0 and so on, and
// $s the last observation itself.
type shopStep struct{ sees, tool, args string }

type shopTask struct {
	name   string
	steps  []shopStep
	answer string // with the same placeholders, filled by the model
	want   string
	limit  int // of the trajectory, in characters; 0 for none
	opts   []module.ReActOption
	stop   module.StopReason // "" for finish
	forgot int
}

func price(item string) shopStep {
	return shopStep{"", "lookup", `{"table": "price", "key": "` + item + `"}`}
}

var shopTasks = []shopTask{
	{name: "one lookup", steps: []shopStep{price("tea")}, answer: "$n", want: "3.5"},
	{name: "one sum", steps: []shopStep{{"", "calc", `{"op": "add", "a": 19, "b": 23.5}`}}, answer: "$n", want: "42.5"},
	{name: "three teas", steps: []shopStep{price("tea"), {"3.5", "calc", `{"op": "mul", "a": $n, "b": 3}`}}, answer: "$n", want: "10.5"},
	{name: "stock value", steps: []shopStep{price("coffee"), {"4.25", "lookup", `{"table": "stock", "key": "coffee"}`}, {"12", "calc", `{"op": "mul", "a": $0, "b": $n}`}}, answer: "$n", want: "51"},
	{name: "two prices", steps: []shopStep{price("tea"), {"3.5", "lookup", `{"table": "price", "key": "soup"}`}, {"6.75", "calc", `{"op": "add", "a": $0, "b": $1}`}}, answer: "$n", want: "10.25"},
	{name: "change", steps: []shopStep{price("cake"), {"5", "calc", `{"op": "mul", "a": $n, "b": 3}`}, {"15", "calc", `{"op": "sub", "a": 20, "b": $n}`}}, answer: "$n", want: "5"},
	{name: "where tea comes from", steps: []shopStep{{"", "lookup", `{"table": "supplier", "key": "tea"}`}, {"Hollis", "lookup", `{"table": "town", "key": "$s"}`}}, answer: "$s", want: "Dunmore"},
	{name: "how far coffee comes", steps: []shopStep{{"", "lookup", `{"table": "supplier", "key": "coffee"}`}, {"Okafor", "lookup", `{"table": "town", "key": "$s"}`}, {"Larch Hill", "lookup", `{"table": "km", "key": "$s"}`}}, answer: "$n", want: "42.5"},
	{name: "there and back", steps: []shopStep{{"", "lookup", `{"table": "supplier", "key": "cake"}`}, {"Brandt", "lookup", `{"table": "town", "key": "$s"}`}, {"Dunmore", "lookup", `{"table": "km", "key": "$s"}`}, {"18", "calc", `{"op": "mul", "a": $n, "b": 2}`}}, answer: "$n km", want: "36 km"},
	{name: "a note", steps: []shopStep{{"", "search", `{"query": "inhabitants"}`}}, answer: "$n", want: "2310"},
	{name: "bags a week", steps: []shopStep{{"", "search", `{"query": "roasts"}`}, {"15 kg", "calc", `{"op": "mul", "a": $n, "b": 1000}`}, {"15000", "calc", `{"op": "div", "a": $n, "b": 250}`}}, answer: "$n", want: "60"},
	{name: "cakes a day", steps: []shopStep{{"", "search", `{"query": "brandt", "limit": 2}`}, {"24 cakes", "calc", `{"op": "div", "a": $n, "b": 6}`}}, answer: "$n", want: "4"},
	{name: "note and table", steps: []shopStep{{"", "search", `{"query": "cakes"}`}, {"24", "lookup", `{"table": "price", "key": "cake"}`}, {"5", "calc", `{"op": "mul", "a": $0, "b": $1}`}}, answer: "$n", want: "120"},
	{name: "nothing found", steps: []shopStep{{"", "search", `{"query": "sugar"}`}, {"[]", "search", `{"query": "free"}`}}, answer: "$n", want: "60"},
	{name: "what the tool says is not there", steps: []shopStep{{"", "lookup", `{"table": "price", "key": "milk"}`}, {`price has no entry "milk"`, "lookup", `{"table": "price", "key": "tea"}`}}, answer: "$n", want: "3.5"},
	{name: "divided by nothing", steps: []shopStep{{"", "lookup", `{"table": "stock", "key": "soup"}`}, {"0", "calc", `{"op": "div", "a": 12, "b": $n}`}, {"The call of calc failed: cannot divide by 0", "calc", `{"op": "div", "a": 12, "b": 4}`}}, answer: "$n", want: "3"},
	{name: "a panic", steps: []shopStep{{"", "calc", `{"op": "halves", "a": 9, "b": 0}`}, {"it panicked: runtime error: integer divide by zero", "calc", `{"op": "halves", "a": 9, "b": 2}`}}, answer: "$n", want: "4"},
	{name: "an unknown argument", steps: []shopStep{{"", "search", `{"text": "market"}`}, {`the argument "text": there is no such argument; the tool takes query (str), limit (int, may be left out)`, "search", `{"query": "market"}`}}, answer: "$n", want: "7"},
	{name: "a missing argument", steps: []shopStep{{"", "calc", `{"op": "add", "a": 1}`}, {`the argument "b": it is missing`, "calc", `{"op": "add", "a": 1, "b": 1}`}}, answer: "$n", want: "2"},
	{name: "an argument of another type", steps: []shopStep{{"", "calc", `{"op": "add", "a": "two", "b": 1}`}, {`the argument "a": want float, got "two"`, "calc", `{"op": "add", "a": 2, "b": 1}`}}, answer: "$n", want: "3"},
	{name: "no choice of the argument", steps: []shopStep{{"", "lookup", `{"table": "prices", "key": "tea"}`}, {`want one of price, stock`, "lookup", `{"table": "price", "key": "tea"}`}}, answer: "$n", want: "3.5"},
	{name: "beyond a bound", steps: []shopStep{{"", "search", `{"query": "market", "limit": 50}`}, {`the argument "limit": want less than or equal to: 5, got 50`, "search", `{"query": "market", "limit": 5}`}}, answer: "$s", want: `["Dunmore market opens at 7 and closes at 13.","Larch Hill has 2310 inhabitants and no market."]`},
	{name: "two errors in a row", steps: []shopStep{{"", "lookup", `{"table": "town", "key": "tea"}`}, {`town has no entry "tea"`, "lookup", `{"table": "supplier", "key": ""}`}, {"minimum length: 1", "lookup", `{"table": "supplier", "key": "tea"}`}, {"Hollis", "lookup", `{"table": "town", "key": "$s"}`}}, answer: "$s", want: "Dunmore"},
	{name: "a tool that is not there", steps: []shopStep{{"", "calculator", `{}`}, {"The field `next_tool_name` must be", "calc", `{"op": "sub", "a": 5, "b": 2}`}}, answer: "$n", want: "3"},
	{name: "arguments that are none", steps: []shopStep{price("tea"), {"3.5", "calc", `3.5 times 2`}, {"The field `next_tool_args` must be", "calc", `{"op": "mul", "a": $0, "b": 2}`}}, answer: "$n", want: "7"},
	{
		name:  "more steps than allowed",
		steps: []shopStep{price("tea"), {"3.5", "calc", `{"op": "add", "a": $n, "b": 1}`}, {"4.5", "calc", `{"op": "add", "a": $n, "b": 1}`}, {"5.5", "calc", `{"op": "add", "a": $n, "b": 1}`}},
		opts:  []module.ReActOption{module.MaxIters(3)}, stop: module.StopMaxIters, answer: "$n", want: "5.5",
	},
	{
		name:  "a prompt that grows too long",
		steps: []shopStep{price("tea"), {"3.5", "calc", `{"op": "add", "a": $n, "b": 1}`}, {"4.5", "calc", `{"op": "add", "a": $n, "b": 1}`}, {"5.5", "calc", `{"op": "add", "a": $n, "b": 1}`}, {"6.5", "calc", `{"op": "add", "a": $n, "b": 1}`}},
		limit: 500, forgot: 3, answer: "$n", want: "7.5",
	},
	{
		name:  "a long result cut short",
		steps: []shopStep{{"", "search", `{"query": "e", "limit": 5}`}, {`["Dunmore m... (`, "lookup", `{"table": "km", "key": "Dunmore"}`}},
		opts:  []module.ReActOption{module.MaxObservation(11)}, answer: "$n", want: "18",
	},
}

// shopView is what the model is shown of the steps.
type shopView struct {
	steps int
	seen  map[int]string
	last  string
}

var (
	shopKey    = regexp.MustCompile(`\[\[ ## (thought|tool_name|tool_args|observation)_(\d+) ## \]\]\n`)
	shopNumber = regexp.MustCompile(`\d+(\.\d+)?`)
	shopHole   = regexp.MustCompile(`\$(n|s|\d)`)
)

// shopLook reads the prompt, and nothing else.
func shopLook(r *lm.Request) (v shopView, trajectory string) {
	v.seen = map[int]string{}
	see := func(key, text string) {
		if n, ok := strings.CutPrefix(key, "observation_"); ok {
			i, _ := strconv.Atoi(n)
			v.steps, v.seen[i] = i+1, text
			if text != "Completed." { // of finish
				v.last = text
			}
		}
	}
	if r.Prompt != "" { // Compact
		_, after, _ := strings.Cut(r.Prompt, "\nTrajectory:")
		trajectory, _, _ = strings.Cut(after, "\n")
		rec, _ := signature.ParseRecord([]byte(trajectory))
		for name, value := range rec.All() {
			text, _ := value.(string)
			see(name, text)
		}
		return v, trajectory
	}
	text := r.Messages[len(r.Messages)-1].Text()
	_, after, _ := strings.Cut(text, "[[ ## trajectory ## ]]\n")
	trajectory, _, _ = strings.Cut(after, "\n\nRespond with")
	at := shopKey.FindAllStringSubmatchIndex(trajectory, -1)
	for i, m := range at {
		end := len(trajectory)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		see(trajectory[m[2]:m[3]]+"_"+trajectory[m[4]:m[5]], strings.TrimSpace(trajectory[m[1]:end]))
	}
	return v, trajectory
}

// fill puts what the model has seen into a text.
func (v shopView) fill(text string) string {
	return shopHole.ReplaceAllStringFunc(text, func(hole string) string {
		switch hole {
		case "$n":
			return shopNumber.FindString(v.last)
		case "$s":
			return v.last
		}
		i, _ := strconv.Atoi(hole[1:])
		return shopNumber.FindString(v.seen[i])
	})
}

// shopModel does a task by what it is shown.
func (task shopTask) model(write func(pairs ...string) string) lm.LM {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		v, trajectory := shopLook(r)
		if task.limit > 0 && len(trajectory) > task.limit {
			return "", &lm.Error{Kind: lm.ErrContextLength, Message: "too long"}
		}
		if !asksForTool(r) {
			return write("reasoning", "From the steps.", "answer", v.fill(task.answer)), nil
		}
		if v.steps >= len(task.steps) {
			return write("next_thought", "All is known.", "next_tool_name", "finish", "next_tool_args", "{}"), nil
		}
		step := task.steps[v.steps]
		if !strings.Contains(v.last, step.sees) {
			return write("next_thought", "I am lost.", "next_tool_name", "finish", "next_tool_args", "{}"), nil
		}
		return write("next_thought", "Step "+strconv.Itoa(v.steps), "next_tool_name", step.tool, "next_tool_args", v.fill(step.args)), nil
	})
}

func asksForTool(r *lm.Request) bool {
	if r.Prompt != "" {
		return strings.HasSuffix(r.Prompt, "Next Thought:")
	}
	return strings.Contains(r.Messages[0].Text(), "next_tool_name")
}

func TestReActTasks(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, task := range shopTasks {
		names[task.name] = true
	}
	if len(names) < 20 || len(names) != len(shopTasks) {
		t.Fatalf("%d tasks with %d names", len(shopTasks), len(names))
	}
	layouts := []struct {
		adapter adapter.Adapter
		write   func(pairs ...string) string
	}{
		{adapter.Chat{}, reply},
		{adapter.JSON{}, replyJSON},
		{adapter.Compact{}, replyLines},
	}
	for _, layout := range layouts {
		for _, task := range shopTasks {
			t.Run(layout.adapter.Name()+"/"+task.name, func(t *testing.T) {
				t.Parallel()
				opts := append([]module.ReActOption{module.WithAdapter(layout.adapter), module.WithLM(task.model(layout.write))}, task.opts...)
				agent := module.MustReAct[reactQuestion, reactAnswer]("Answer about the shop.", shopTools(), opts...)
				pred, steps, err := agent.CallTrajectory(context.Background(), reactQuestion{task.name})
				if err != nil {
					t.Fatal(err)
				}
				stop := module.StopFinish
				if task.stop != "" {
					stop = task.stop
				}
				if pred.Out.Answer != task.want || steps.Stopped != stop {
					t.Errorf("answered %q, stopped by %s; want %q, %s; steps: %+v", pred.Out.Answer, steps.Stopped, task.want, stop, steps.Steps)
				}
				if layout.adapter.Name() == "chat" && steps.Forgotten != task.forgot {
					t.Errorf("forgot %d steps, want %d", steps.Forgotten, task.forgot)
				}
			})
		}
	}
}

func replyJSON(pairs ...string) string {
	rec := signature.Record{}
	for i := 0; i < len(pairs); i += 2 {
		var v signature.Value = pairs[i+1]
		if args, err := signature.ParseRecord([]byte(pairs[i+1])); err == nil {
			v = args
		}
		rec = rec.With(pairs[i], v)
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func replyLines(pairs ...string) string {
	text := " " + pairs[1]
	for i := 2; i < len(pairs); i += 2 {
		text += "\n" + signature.Field{Name: pairs[i]}.Prefix() + " " + pairs[i+1]
	}
	return text + "\n"
}

// TestReActTasksAreTied: the tasks are worth nothing unless what the model is shown
// decides, so one that is shown something else must fail.
func TestReActTasksAreTied(t *testing.T) {
	t.Parallel()
	other := strings.NewReplacer("Hollis", "Okafor")
	spoil := map[string]func(before, s string) string{
		"missing": func(_, _ string) string { return "" },
		"wrong":   func(_, s string) string { return other.Replace(shopNumber.ReplaceAllString(s, "77")) },
		"stale":   func(before, _ string) string { return before },
	}
	for name, change := range spoil {
		for _, task := range shopTasks {
			t.Run(name+"/"+task.name, func(t *testing.T) {
				t.Parallel()
				model := task.model(reply)
				spoiled := lm.Func(func(ctx context.Context, r *lm.Request) (*lm.Response, error) {
					return model.Generate(ctx, changeObservations(r, change))
				})
				opts := append([]module.ReActOption{module.WithLM(spoiled), module.MaxIters(8)}, task.opts...)
				agent := module.MustReAct[reactQuestion, reactAnswer]("", shopTools(), opts...)
				out, err := agent.Run(context.Background(), reactQuestion{task.name})
				if err == nil && out.Answer == task.want {
					t.Error("the answer is right all the same")
				}
			})
		}
	}
}

// changeObservations changes the first line of each observation in a request.
func changeObservations(r *lm.Request, change func(before, s string) string) *lm.Request {
	r = r.Clone()
	last := len(r.Messages) - 1
	lines := strings.Split(r.Messages[last].Text(), "\n")
	before := "nothing"
	for i := 1; i < len(lines); i++ {
		if strings.Contains(lines[i-1], "## observation_") && lines[i] != "Completed." {
			lines[i], before = change(before, lines[i]), lines[i]
		}
	}
	r.Messages[last] = lm.User(strings.Join(lines, "\n"))
	return r
}
