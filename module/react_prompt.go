package module

import (
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// The fields that a ReAct adds, as in DSPy.
const (
	trajectoryField = "trajectory"
	thoughtField    = "next_thought"
	toolNameField   = "next_tool_name"
	toolArgsField   = "next_tool_args"
)

// finishTool is the tool that ends the steps, and finished what it gives.
const (
	finishTool = "finish"
	finished   = "Completed."
)

// reactCore is the untyped part of a ReAct. It is immutable.
type reactCore struct {
	react, extract *Predictor
	tools          map[string]*Tool
	adapter        adapter.Adapter
	maxIters       int
	maxObservation int
}

func newReActCore(sig *signature.Signature, tools []*Tool, opts []ReActOption) (*reactCore, error) {
	if sig == nil {
		return nil, errors.New("module: a ReAct needs a signature, got none")
	}
	fail := func(err error) (*reactCore, error) {
		return nil, fmt.Errorf("module: ReAct %q: %w", sig, err)
	}
	o := reactOptions{maxIters: defaultReActIters}
	for _, opt := range opts {
		if opt == nil {
			return fail(errNilOption)
		}
		if err := opt.applyReAct(&o); err != nil {
			return fail(err)
		}
	}
	r := &reactCore{tools: map[string]*Tool{}, maxIters: o.maxIters, maxObservation: o.maxObservation}
	if len(tools) == 0 {
		return fail(errors.New("it has no tool; give it one, or use a ChainOfThought"))
	}
	for i, t := range tools {
		switch {
		case t == nil:
			return fail(fmt.Errorf("the tool %d is nil", i))
		case t.name == finishTool:
			return fail(fmt.Errorf("the tool %d is named %s, as the tool that ends the steps; rename it", i, finishTool))
		case r.tools[t.name] != nil:
			return fail(fmt.Errorf("two tools are named %s; rename one", t.name))
		}
		r.tools[t.name] = t
	}
	chooser, err := chooserSignature(sig, tools)
	if err != nil {
		return fail(err)
	}
	if r.react, err = NewPredictor(chooser, o.predictor...); err != nil {
		return nil, err
	}
	r.adapter = r.react.options.adapter
	if _, err := renderFields(r.adapter, shownSteps([]ToolStep{{Tool: finishTool, Observation: finished}}, 0)); err != nil {
		return fail(err)
	}
	answerer, err := sig.AppendInput(trajectoryInput())
	if err != nil {
		return fail(err)
	}
	if r.extract, err = reasoningPredictor(answerer, o.predictor); err != nil {
		return nil, err
	}
	return r, nil
}

func textField(name string) signature.Field {
	return signature.Field{Name: name, Type: &signature.Type{Kind: signature.KindString}}
}

// trajectoryInput is the input that the steps are in, as the adapter has written them.
func trajectoryInput() signature.Field {
	f := textField(trajectoryField)
	f.Rendered = true
	return f
}

// chooserSignature is the signature of the predictor that chooses tools.
func chooserSignature(sig *signature.Signature, tools []*Tool) (*signature.Signature, error) {
	names := make([]signature.Value, 0, len(tools)+1)
	for _, t := range tools {
		names = append(names, t.name)
	}
	args := signature.DictOf(&signature.Type{Kind: signature.KindString}, &signature.Type{Kind: signature.KindAny})
	inputs := append(sig.Inputs()[:len(sig.Inputs()):len(sig.Inputs())], trajectoryInput())
	return signature.New(toolInstructions(sig, tools), inputs, []signature.Field{
		textField(thoughtField),
		{Name: toolNameField, Type: signature.LiteralOf(append(names, finishTool)...)},
		{Name: toolArgsField, Type: args},
	})
}

// toolInstructions tells the model how to go about it, and what the tools are.
func toolInstructions(sig *signature.Signature, tools []*Tool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", sig.Instructions())
	fmt.Fprintf(&b, "Work towards %s step by step, with one tool call per step. `%s` shows the steps so far: what you thought, which tool you called with which arguments, and what it gave.\n",
		quotedNames(sig.Outputs()), trajectoryField)
	fmt.Fprintf(&b, "In `%s`, say what you have learned and what is still missing. Name the tool to call in `%s`, and put its arguments into `%s` as a JSON object.\n",
		thoughtField, toolNameField, toolArgsField)
	fmt.Fprintf(&b, "If a call failed, read why and change it. Call %s as soon as nothing is missing; the answer itself is asked for afterwards.\n\nThe tools are:\n", finishTool)
	for i, t := range tools {
		fmt.Fprintf(&b, "\n(%d) %s", i+1, t.Spec())
	}
	end := signature.Tool{Name: finishTool, Desc: "Ends the steps: all that " + quotedNames(sig.Outputs()) + " depends on is known."}
	fmt.Fprintf(&b, "\n(%d) %s", len(tools)+1, end)
	return b.String()
}

// quotedNames lists the names of fields.
func quotedNames(fields []signature.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = "`" + f.Name + "`"
	}
	return strings.Join(names, ", ")
}
