package adapter

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// fieldList numbers the fields. The list as a whole is stripped, so that only its
// last line loses the space behind the colon.
func fieldList(fields []signature.Field) string {
	lines := make([]string, len(fields))
	for i, f := range fields {
		lines[i] = fmt.Sprintf("%d. `%s` (%s): %s%s", i+1, f.Name, f.Type, description(f), typeDescriptions(f.Type))
		if c := f.ConstraintText(); c != "" {
			lines[i] += "\nConstraints: " + c
		}
	}
	return strip(strings.Join(lines, "\n"))
}

// description is what the field says about itself beyond DSPy's placeholder.
func description(f signature.Field) string {
	if f.Desc == "${"+f.Name+"}" {
		return ""
	}
	return f.Desc
}

// typeDescriptions explains the code and the tool calls that a type holds. Those in
// the fields of an object are not explained.
func typeDescriptions(t *signature.Type) string {
	if t == nil {
		return ""
	}
	var text, name string
	switch t.Kind {
	case signature.KindCode:
		language := t.Name
		name = "Code_" + language
		if language == "" {
			language, name = "python", "Code"
		}
		text = "Code represented in a string, specified in the `code` field. If this is an output field, the code " +
			"field should follow the markdown code block format, e.g. \n```" + strings.ToLower(language) + "\n{code}\n```" +
			"\nProgramming language: " + language
	case signature.KindToolCalls:
		name = "ToolCalls"
		text = "Tool calls must be a JSON object with `tool_calls`, a list of calls. " +
			"Each call must include `name` and `args`. " +
			`Example: {"tool_calls": [{"name": "search", "args": {"query": "cats"}}]}`
	}
	if text != "" {
		return "\n    Type description of " + name + ": " + text
	}
	text = typeDescriptions(t.Key) + typeDescriptions(t.Elem)
	for _, item := range t.Items {
		text += typeDescriptions(item)
	}
	return text
}

// note tells the model what a field's value must look like, as DSPy does; empty
// for text.
func note(t *signature.Type) (string, error) {
	const begin = "        # note: the value you produce "
	if !t.Optional {
		switch t.Kind {
		case signature.KindString, signature.KindReasoning, signature.KindCode:
			return "", nil
		case signature.KindBool:
			return begin + "must be True or False", nil
		case signature.KindInt, signature.KindFloat:
			return begin + "must be a single " + t.String() + " value", nil
		case signature.KindEnum, signature.KindLiteral:
			must := "must exactly match (no extra characters) one of: "
			if t.Name != "" {
				must = "must be one of: "
			}
			return begin + must + strings.Join(literalTexts(t), "; "), nil
		}
	}
	schema, err := signature.MarshalPython(t.Schema())
	return begin + "must adhere to the JSON schema: " + schema, err
}

// literalTexts are the values of an enum or a literal as Python writes them.
func literalTexts(t *signature.Type) []string {
	if t.Kind == signature.KindEnum {
		return t.Choices
	}
	texts := make([]string, len(t.Values))
	for i, v := range t.Values {
		texts[i], _ = signature.PythonScalar(v)
	}
	return texts
}

// typeRequirement is what the last line of a request says about the form of an
// output.
func typeRequirement(t *signature.Type) string {
	switch {
	case t.Optional:
	case t.Kind == signature.KindString:
		return ""
	case t.Kind == signature.KindToolCalls:
		return ` (must be a JSON object like {"tool_calls": [{"name": "...", "args": {...}}]})`
	}
	return " (must be formatted as a valid Python " + t.String() + ")"
}

// fieldsSection describes the fields.
func fieldsSection(sig *signature.Signature) string {
	return "Your input fields are:\n" + fieldList(sig.Inputs()) + "\nYour output fields are:\n" + fieldList(sig.Outputs())
}

// taskSection ends the system message.
func taskSection(sig *signature.Signature) string {
	var b strings.Builder
	b.WriteString("In adhering to this structure, your objective is: ")
	lines := splitLines(dedent(sig.Instructions()))
	if n := len(lines); lines[n-1] == "" { // what stands behind the last line end is no line
		lines = lines[:n-1]
	}
	for _, line := range lines {
		b.WriteString("\n        " + line)
	}
	return b.String()
}

const structureIntro = "All interactions will be structured in the following way, with the appropriate values filled in."

// inputSlots shows where the inputs will stand.
func inputSlots(sig *signature.Signature) string {
	blocks := make([]string, len(sig.Inputs()))
	for i, f := range sig.Inputs() {
		blocks[i] = marker(f.Name) + "\n{" + f.Name + "}"
	}
	return strings.Join(blocks, "\n\n")
}

// outputSlots are the outputs' names in braces, each with its note.
func outputSlots(sig *signature.Signature) ([]string, error) {
	slots := make([]string, len(sig.Outputs()))
	for i, f := range sig.Outputs() {
		n, err := note(f.Type)
		if err != nil {
			return nil, err
		}
		slots[i] = "{" + f.Name + "}" + n
	}
	return slots, nil
}
