package module

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// The parts of a step in a trajectory, as in DSPy; the step's number follows each.
const (
	thoughtKey     = "thought_"
	toolNameKey    = "tool_name_"
	toolArgsKey    = "tool_args_"
	observationKey = "observation_"
)

// shownSteps returns the steps from one on as the model is shown them.
func shownSteps(steps []ToolStep, from int) signature.Record {
	var names []string
	var values []signature.Value
	add := func(key string, i int, v signature.Value) {
		names, values = append(names, key+strconv.Itoa(i)), append(values, v)
	}
	for i, s := range steps {
		if i < from {
			continue
		}
		if s.Tool != "" {
			add(thoughtKey, i, s.Thought)
			add(toolNameKey, i, s.Tool)
			add(toolArgsKey, i, s.Args)
		}
		add(observationKey, i, s.Observation)
	}
	return signature.MakeRecord(names, values)
}

// renderFields writes fields as the adapter writes the inputs of a request. An adapter
// says only what a whole request looks like, so they are cut out of one: it is what one
// without inputs lacks. Compact puts a text on one line, on which a result could pass for
// the next step, so there they are JSON.
func renderFields(a adapter.Adapter, fields signature.Record) (string, error) {
	if fields.Len() == 0 {
		return "", nil
	}
	if _, ok := a.(adapter.Compact); ok {
		return signature.MarshalPython(fields)
	}
	text := &signature.Type{Kind: signature.KindString}
	var inputs []signature.Field
	for name := range fields.All() {
		inputs = append(inputs, signature.Field{Name: name, Type: text})
	}
	sig, err := signature.New("", inputs, []signature.Field{{Name: "x", Type: text}})
	if err != nil {
		return "", err
	}
	template, err := a.Prepare(adapter.Program{Signature: sig})
	if err != nil {
		return "", err
	}
	with, err := template.Request(fields)
	if err != nil {
		return "", err
	}
	without, err := template.Request(signature.Record{})
	if err != nil {
		return "", err
	}
	whole, frame := lastText(with), lastText(without)
	start := 0
	for start < len(frame) && start < len(whole) && whole[start] == frame[start] {
		start++
	}
	end := start + len(whole) - len(frame)
	if end < start || whole[:start]+whole[end:] != frame {
		return "", fmt.Errorf("module: the adapter %s does not write the inputs of a request in one place, so that no trajectory can be made of them", a.Name())
	}
	return strings.TrimSpace(whole[start:end]), nil
}

// lastText is the text in which a request holds its inputs.
func lastText(r *lm.Request) string {
	if n := len(r.Messages); n > 0 {
		return r.Messages[n-1].Text()
	}
	return r.Prompt
}
