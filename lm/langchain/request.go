package langchain

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

func unsupported(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrUnsupported, Provider: provider, Message: fmt.Sprintf(format, args...)}
}

// messages says the conversation in langchaingo's terms.
func (m *model) messages(r *lm.Request) ([]llms.MessageContent, error) {
	if r.Prompt != "" {
		return nil, unsupported("langchaingo answers messages and no raw Prompt; send Messages")
	}
	called := map[string]string{} // the name of a tool by the ID of its call
	var out []llms.MessageContent
	for i, msg := range r.Messages {
		if msg.Role == lm.RoleTool {
			out = append(out, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: msg.ToolCallID, Name: called[msg.ToolCallID], Content: msg.Text()},
			}})
			continue
		}
		c := llms.MessageContent{}
		switch msg.Role {
		case lm.RoleSystem:
			c.Role = llms.ChatMessageTypeSystem
		case lm.RoleUser:
			c.Role = llms.ChatMessageTypeHuman
		case lm.RoleAssistant:
			c.Role = llms.ChatMessageTypeAI
		default:
			return nil, invalid(fmt.Sprintf("message %d has the role %q, which is none of system, user, assistant and tool", i, msg.Role))
		}
		parts, err := m.parts(msg)
		if err != nil {
			return nil, err
		}
		c.Parts = parts
		for _, tool := range msg.ToolCalls {
			called[tool.ID] = tool.Name
			c.Parts = append(c.Parts, llms.ToolCall{ID: tool.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: tool.Name, Arguments: tool.Arguments}})
		}
		out = append(out, c)
	}
	return out, nil
}

// parts joins texts, since some clients take only one of a message, or the first.
func (m *model) parts(msg lm.Message) ([]llms.ContentPart, error) {
	var out []llms.ContentPart
	for _, p := range msg.Parts {
		if p.Blob != nil {
			picture, err := m.picture(p.Blob)
			if err != nil {
				return nil, err
			}
			out = append(out, picture)
			continue
		}
		if last, ok := lastText(out); ok {
			out[len(out)-1] = llms.TextContent{Text: last + p.Text}
			continue
		}
		out = append(out, llms.TextContent{Text: p.Text})
	}
	if len(out) == 0 && len(msg.ToolCalls) == 0 {
		out = append(out, llms.TextContent{})
	}
	return out, nil
}

func lastText(parts []llms.ContentPart) (string, bool) {
	if len(parts) == 0 {
		return "", false
	}
	t, ok := parts[len(parts)-1].(llms.TextContent)
	return t.Text, ok
}

func (m *model) picture(b *lm.Blob) (llms.ContentPart, error) {
	switch {
	case b.Kind != lm.BlobImage:
		return nil, unsupported("langchaingo has no place for a sound or a file; send text and pictures")
	case m.kind == "openai" && b.URI() != "":
		// That client would send data as a part that its servers do not know.
		return llms.ImageURLContent{URL: b.URI()}, nil
	case b.Data != nil:
		return llms.BinaryContent{MIMEType: b.MIME, Data: b.Data}, nil
	case b.URL != "":
		return llms.ImageURLContent{URL: b.URL}, nil
	}
	return nil, unsupported("langchaingo has no place for the ID of a file; send the picture's Data or URL")
}

// options says the settings of a request in langchaingo's terms.
func (m *model) options(r *lm.Request) ([]llms.CallOption, error) {
	o := &options{model: m, list: append([]llms.CallOption(nil), m.config.options...)}
	if r.Temperature != nil {
		o.add("Temperature", temperature, llms.WithTemperature(*r.Temperature))
	}
	if r.TopP != nil && *r.TopP < 1 {
		o.add("TopP", topP, llms.WithTopP(*r.TopP))
	}
	if r.TopK > 0 {
		o.add("TopK", topK, llms.WithTopK(r.TopK))
	}
	if r.MinP != nil && *r.MinP > 0 {
		o.lose("MinP")
	}
	if r.Seed != nil {
		m.seed(o, *r.Seed)
	}
	if r.MaxTokens > 0 {
		o.add("MaxTokens", maxTokens, llms.WithMaxTokens(r.MaxTokens))
	}
	if len(r.Stop) > 0 {
		o.add("Stop", stop, llms.WithStopWords(append([]string(nil), r.Stop...)))
	}
	if r.Logprobs {
		o.lose("Logprobs")
	}
	if f := r.ResponseFormat; f != nil {
		if len(f.Schema) > 0 {
			o.lose("the Schema of a ResponseFormat")
		}
		o.add("ResponseFormat", jsonObject, llms.WithJSONMode())
	}
	if err := m.tools(o, r); err != nil {
		return nil, err
	}
	return o.list, o.err
}

// options collects call options, and the first setting that cannot be one.
type options struct {
	model *model
	list  []llms.CallOption
	err   error
}

// add passes a setting on where the client sends it.
func (o *options) add(name string, s setting, option llms.CallOption) {
	if o.model.sends&s == 0 {
		o.lose(name)
		return
	}
	o.list = append(o.list, option)
}

// lose drops a setting, or refuses the request for it.
func (o *options) lose(name string) {
	if o.model.config.lossy || o.err != nil {
		return
	}
	client := "langchaingo"
	if o.model.kind != "" {
		client = "langchaingo's client for " + o.model.kind
	}
	o.err = unsupported("%s does not pass %s on; leave it out of the request, or use langchain.Lossy() to have it dropped", client, name)
}

func (m *model) seed(o *options, s uint64) {
	switch {
	case s > math.MaxInt:
		o.lose(fmt.Sprintf("a Seed above %d", math.MaxInt))
	case s == 0 && m.sends&seed != 0 && m.sends&zeroSeed == 0:
		o.lose("a Seed of 0")
	default:
		o.add("Seed", seed, llms.WithSeed(int(s)))
	}
}

func (m *model) tools(o *options, r *lm.Request) error {
	if m.sends&tools == 0 && r.UsesTools() {
		if !m.config.lossy || hasTurns(r) {
			return unsupported("langchaingo's client for %s knows no tools", m.kind)
		}
		return nil
	}
	if len(r.Tools) == 0 {
		return nil
	}
	var list []llms.Tool
	for _, t := range r.Tools {
		parameters := map[string]any{"type": "object", "properties": map[string]any{}}
		if len(t.Parameters) > 0 {
			parameters = nil
			if err := json.Unmarshal(t.Parameters, &parameters); err != nil || parameters == nil {
				return invalid(fmt.Sprintf("the Parameters of the tool %s are not a JSON object", t.Name))
			}
		}
		list = append(list, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Name, Description: t.Description, Parameters: parameters}})
	}
	o.list = append(o.list, llms.WithTools(list))
	switch r.ToolChoice {
	case lm.ToolChoiceAuto:
	case lm.ToolChoiceNone, lm.ToolChoiceRequired:
		o.add("ToolChoice", toolChoice, llms.WithToolChoice(string(r.ToolChoice)))
	default:
		o.add("ToolChoice", toolChoice, llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: string(r.ToolChoice)}}))
	}
	return nil
}

// hasTurns reports whether messages, which are never dropped, are of tools.
func hasTurns(r *lm.Request) bool {
	c := *r
	c.Tools = nil
	return c.UsesTools()
}
