package llamacpp

import (
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestSystemMessage(t *testing.T) {
	t.Parallel()
	system, user, reply := lm.System("Be brief."), lm.User("hi"), lm.Assistant("hello")
	for _, test := range []struct {
		name     string
		messages []lm.Message
		lost     bool // by a template without a system role
	}{
		{"first", []lm.Message{system, user}, false},
		{"before a later user message", []lm.Message{user, reply, system, user}, false},
		{"before the assistant's", []lm.Message{system, reply, user}, false},
		{"alone", []lm.Message{system}, true},
		{"last", []lm.Message{user, reply, system}, true},
		{"first and last", []lm.Message{system, user, system}, true},
	} {
		for _, name := range []string{"gemma", "chatml"} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				m, _ := openFake(t, 512)
				m.template = templates[name]
				_, _, _, err := m.prompt(&lm.Request{Messages: test.messages})
				if test.lost && name == "gemma" {
					if !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), "system message") {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var text strings.Builder
				for _, p := range m.template.render(test.messages) {
					text.WriteString(p.text)
				}
				for _, msg := range test.messages {
					if !strings.Contains(text.String(), msg.Text()) {
						t.Errorf("%q is not in %q", msg.Text(), text.String())
					}
				}
			})
		}
	}
}
