package lm

import (
	"encoding/json"
	"fmt"
)

// Tool is a function that a model may ask to be called. It is immutable once it is part
// of a request.
type Tool struct {
	// Name is letters, digits, "_" and "-", at most 64 of them.
	Name string
	// Description says what it does and when to use it.
	Description string
	// Parameters is the JSON Schema of its arguments, an object; empty means none.
	Parameters []byte
}

// ToolCall is a model's wish to have a tool called.
type ToolCall struct {
	// ID tells calls apart; the answer is a message of [RoleTool] with this ID.
	ID string
	// Name is the tool's.
	Name string
	// Arguments are a JSON object, as the model wrote it: it may be broken.
	Arguments string
}

// ToolChoice says whether a model must call a tool: one of the constants, or the name of
// the tool that it must call.
type ToolChoice string

// Whether a model must call a tool.
const (
	// ToolChoiceAuto lets the model decide; it is the default.
	ToolChoiceAuto ToolChoice = ""
	// ToolChoiceNone forbids calls.
	ToolChoiceNone ToolChoice = "none"
	// ToolChoiceRequired demands at least one call.
	ToolChoiceRequired ToolChoice = "required"
)

// ToolResult makes the message that answers a tool call.
func ToolResult(id, text string) Message {
	return Message{Role: RoleTool, ToolCallID: id, Parts: []Part{{Text: text}}}
}

// maxToolName is what providers allow.
const maxToolName = 64

func (r *Request) validateTools() error {
	names := map[string]bool{"": true, string(ToolChoiceNone): true, string(ToolChoiceRequired): true}
	for i, t := range r.Tools {
		switch {
		case !validToolName(t.Name):
			return invalid("tool %d has the name %q, which is not 1 to %d letters, digits, underscores and hyphens", i, t.Name, maxToolName)
		case names[t.Name]:
			return invalid("tool %d has the name %q, which is another tool's or a ToolChoice", i, t.Name)
		case len(t.Parameters) > 0 && !json.Valid(t.Parameters):
			return invalid("the Parameters of the tool %s are not JSON", t.Name)
		}
		names[t.Name] = true
	}
	if !names[string(r.ToolChoice)] || r.ToolChoice == ToolChoiceRequired && len(r.Tools) == 0 {
		return invalid("ToolChoice is %q, and there is no such tool", string(r.ToolChoice))
	}
	for i, m := range r.Messages {
		if (m.Role == RoleTool) != (m.ToolCallID != "") {
			return invalid("message %d: a message of the role tool, and no other, has a ToolCallID", i)
		}
		if len(m.ToolCalls) > 0 && m.Role != RoleAssistant {
			return invalid("message %d has ToolCalls and is not the assistant's", i)
		}
	}
	return nil
}

func validToolName(s string) bool {
	if s == "" || len(s) > maxToolName {
		return false
	}
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func invalid(format string, args ...any) *Error {
	return &Error{Kind: ErrInvalidRequest, Message: fmt.Sprintf(format, args...)}
}

// UsesTools reports whether a request has tools or turns of them, which a backend without
// tools must refuse with an error of kind [ErrUnsupported].
func (r *Request) UsesTools() bool {
	if len(r.Tools) > 0 {
		return true
	}
	for _, m := range r.Messages {
		if len(m.ToolCalls) > 0 || m.Role == RoleTool {
			return true
		}
	}
	return false
}
