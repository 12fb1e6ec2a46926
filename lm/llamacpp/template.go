package llamacpp

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
)

// piece is a part of a rendered conversation: text, or the text of a special token.
// Keeping them apart is what makes special tokens inside a message stay text.
type piece struct {
	text    string
	special bool
}

func special(text string) piece { return piece{text, true} }

func text(s string) piece { return piece{text: s} }

// chatTemplate renders a conversation up to where the model's reply begins.
type chatTemplate struct {
	name   string
	render func([]lm.Message) []piece
	// tokens are the special tokens that it uses.
	tokens []string
	// noSystem says that there is no system role, so that a system message becomes a
	// part of the user's that follows it.
	noSystem bool
}

const smollm2System = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"

var templates = map[string]chatTemplate{
	"chatml":  chatML("chatml", ""),
	"smollm2": chatML("smollm2", smollm2System),
	"gemma":   {name: "gemma", render: renderGemma, tokens: []string{"<start_of_turn>", "<end_of_turn>"}, noSystem: true},
}

func templateNames() string {
	return strings.Join(slices.Sorted(maps.Keys(templates)), ", ")
}

// chatML is the template of many models; some of them put a system message of their
// own in front of a conversation that begins without one.
func chatML(name, defaultSystem string) chatTemplate {
	render := func(messages []lm.Message) []piece {
		var out []piece
		turn := func(role, content string) {
			out = append(out, special("<|im_start|>"), text(role+"\n"+content), special("<|im_end|>"), text("\n"))
		}
		if defaultSystem != "" && messages[0].Role != lm.RoleSystem {
			turn(string(lm.RoleSystem), defaultSystem)
		}
		for _, m := range messages {
			turn(string(m.Role), m.Text())
		}
		return append(out, special("<|im_start|>"), text("assistant\n"))
	}
	return chatTemplate{name: name, render: render, tokens: []string{"<|im_start|>", "<|im_end|>"}}
}

// renderGemma does what llama.cpp does for Gemma, which has no system role: the
// system message goes in front of the user's, and the white space around each is cut.
func renderGemma(messages []lm.Message) []piece {
	var out []piece
	system := ""
	for _, m := range messages {
		content := strings.TrimSpace(m.Text())
		role := string(m.Role)
		switch m.Role {
		case lm.RoleSystem:
			system += content
			continue
		case lm.RoleAssistant:
			role = "model"
		default:
			if system != "" {
				content = system + "\n\n" + content
				system = ""
			}
		}
		out = append(out, special("<start_of_turn>"), text(role+"\n"+content), special("<end_of_turn>"), text("\n"))
	}
	return append(out, special("<start_of_turn>"), text("model\n"))
}

// checkSystem reports a system message that the template would lose. The last message
// is not the assistant's, so that one is lost only where no user's follows it at all.
func (c chatTemplate) checkSystem(messages []lm.Message) error {
	if last := len(messages) - 1; c.noSystem && messages[last].Role == lm.RoleSystem {
		return failure(lm.ErrInvalidRequest, "message %d, the last, is a system message, and the chat template %s has no system role: it needs a user message to put the text in front of", last, c.name)
	}
	return nil
}

var chatMLDefault = regexp.MustCompile(`<\|im_start\|>system(?:\n|\\n)([^<{]+?)<\|im_end\|>`)

// recognise finds the template that a model file's Jinja source describes. It knows
// families of sources and does not run them, so it takes none that does more than
// lay out turns, such as those with tools.
func recognise(source string) (chatTemplate, error) {
	switch {
	case source == "":
		return chatTemplate{}, fmt.Errorf("the model file has no chat template; choose one with llamacpp.Template (%s), or send a Prompt", templateNames())
	case strings.Contains(source, "<start_of_turn>") && strings.Contains(source, "<end_of_turn>"):
		return templates["gemma"], nil
	case strings.Contains(source, "<|im_start|>") && !strings.Contains(source, "tool") && !strings.Contains(source, "think"):
		if strings.Contains(source, "!= 'system'") {
			if m := chatMLDefault.FindStringSubmatch(source); m != nil {
				return chatML("the model's chatml", strings.ReplaceAll(m[1], `\n`, "\n")), nil
			}
		}
		return templates["chatml"], nil
	}
	return chatTemplate{}, fmt.Errorf("the chat template in the model file is not one that is known here; choose one with llamacpp.Template (%s), or send a Prompt", templateNames())
}

// checkMessages reports a conversation that no template can render.
func checkMessages(messages []lm.Message) error {
	for i, m := range messages {
		if m.Role != lm.RoleSystem && m.Role != lm.RoleUser && m.Role != lm.RoleAssistant {
			return failure(lm.ErrInvalidRequest, "message %d has the role %q; there are system, user and assistant", i, m.Role)
		}
		for _, p := range m.Parts {
			if p.Blob != nil {
				return failure(lm.ErrUnsupported, "message %d holds %s data, and this backend takes text only", i, p.Blob.MIME)
			}
		}
	}
	if messages[len(messages)-1].Role == lm.RoleAssistant {
		return failure(lm.ErrInvalidRequest, "the last message is the assistant's, so there is nothing to reply to; let it be the user's, or begin the reply by a Shape with a literal")
	}
	return nil
}
