package lm_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestTools(t *testing.T) {
	t.Parallel()
	ask := []lm.Message{lm.User("What is the tide at Dover?")}
	tide := lm.Tool{Name: "tide", Description: "Says when the water is high.", Parameters: []byte(`{"type": "object"}`)}
	answered := append(ask, lm.Message{Role: lm.RoleAssistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "tide", Arguments: "{}"}}}, lm.ToolResult("1", "at noon"))
	for name, c := range map[string]struct {
		r    lm.Request
		want string // part of the message; "" for none
	}{
		"a tool":                  {lm.Request{Messages: ask, Tools: []lm.Tool{tide}}, ""},
		"it must be called":       {lm.Request{Messages: ask, Tools: []lm.Tool{tide}, ToolChoice: "tide"}, ""},
		"one must be called":      {lm.Request{Messages: ask, Tools: []lm.Tool{tide}, ToolChoice: lm.ToolChoiceRequired}, ""},
		"its answer":              {lm.Request{Messages: answered, Tools: []lm.Tool{tide}}, ""},
		"without a name":          {lm.Request{Messages: ask, Tools: []lm.Tool{{}}}, `tool 0 has the name ""`},
		"a blank in the name":     {lm.Request{Messages: ask, Tools: []lm.Tool{{Name: "high tide"}}}, "high tide"},
		"a long name":             {lm.Request{Messages: ask, Tools: []lm.Tool{{Name: strings.Repeat("a", 65)}}}, "1 to 64"},
		"two of one name":         {lm.Request{Messages: ask, Tools: []lm.Tool{tide, tide}}, "another tool's"},
		"the name of a choice":    {lm.Request{Messages: ask, Tools: []lm.Tool{{Name: "required"}}}, "ToolChoice"},
		"a broken schema":         {lm.Request{Messages: ask, Tools: []lm.Tool{{Name: "tide", Parameters: []byte("{")}}}, "not JSON"},
		"a choice that is none":   {lm.Request{Messages: ask, Tools: []lm.Tool{tide}, ToolChoice: "wind"}, `"wind"`},
		"a choice without tools":  {lm.Request{Messages: ask, ToolChoice: lm.ToolChoiceRequired}, "no such tool"},
		"an answer to nothing":    {lm.Request{Messages: []lm.Message{{Role: lm.RoleTool}}}, "ToolCallID"},
		"the user calls":          {lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, ToolCalls: []lm.ToolCall{{}}}}}, "not the assistant's"},
		"the user answers a call": {lm.Request{Messages: []lm.Message{{Role: lm.RoleUser, ToolCallID: "1"}}}, "ToolCallID"},
	} {
		err := c.r.Validate()
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, r := range []*lm.Request{{Messages: ask, Tools: []lm.Tool{tide}}, {Messages: answered}, {Messages: answered[2:]}} {
		if !r.UsesTools() {
			t.Errorf("%+v uses tools", r)
		}
	}
	if (&lm.Request{Messages: ask}).UsesTools() {
		t.Error("a plain request uses none")
	}
	r := &lm.Request{Messages: answered, Tools: []lm.Tool{tide}}
	c := r.Clone()
	c.Tools[0].Name, c.Messages[1].ToolCalls[0].ID = "x", "x"
	if r.Tools[0].Name != "tide" || r.Messages[1].ToolCalls[0].ID != "1" {
		t.Error("a change of the clone changed the request")
	}
}
