//go:build llamacpp

package llamacpp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// streamRequests are of each form that a reply may have.
func streamRequests() map[string]*lm.Request {
	choice := lm.Segment{Hole: lm.HoleChoice, Name: "label", Choices: labels("ham", "spam")}
	return map[string]*lm.Request{
		"text":       {Prompt: "Once upon a time there was a miller who had three cats.", MaxTokens: 60},
		"turn":       {Messages: []lm.Message{lm.User("Name three colours.")}, MaxTokens: 40},
		"stop":       {Prompt: "1, 2, 3, 4, 5, 6,", MaxTokens: 60, Stop: []string{" 12", "\n"}},
		"characters": {Prompt: "日本語: 猫、犬、鳥\nEmoji: 😀😃😄😀😃😄😀😃", MaxTokens: 24},
		"choice": {Prompt: "Text: WIN a cruise\nLabel: spam\n\nText: did you feed the cat?\n", Shape: &lm.Shape{Segments: []lm.Segment{
			{Literal: "Label: "}, choice, {Literal: "\n"}, {Hole: lm.HoleBool, Name: "sure"}, {Literal: "\n"},
		}}},
		"text and choice": {Prompt: "Text: WIN a cruise\nWhy: It wants something.\nLabel: spam\n\nText: did you feed the cat?\n", MaxTokens: 40, Shape: &lm.Shape{Segments: []lm.Segment{
			{Literal: "Why:"}, {Hole: lm.HoleText, Name: "why"}, {Literal: "\nLabel: "}, choice, {Literal: "\n"},
		}}},
		"number": {Prompt: "Two and two are", Shape: &lm.Shape{Segments: []lm.Segment{{Literal: " "}, {Hole: lm.HoleInt}, {Literal: ".\nA third is "}, {Hole: lm.HoleFloat}, {Literal: "\n"}}}, MaxTokens: 20},
		"object": {Prompt: "A person as JSON:\n", MaxTokens: 60, Shape: &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(
			`{"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}, "kind": {"enum": ["child", "adult"]}}, "required": ["name", "age", "kind"]}`)}}}},
		"drawn": {Prompt: "Once upon a time", MaxTokens: 30, Temperature: lm.Temperature(1), Seed: lm.Seed(4)},
	}
}

// A stream shows what Generate returns, in parts and in whole characters.
func TestStreamReal(t *testing.T) {
	t.Parallel()
	for _, tm := range models {
		t.Run(tm.name, func(t *testing.T) {
			t.Parallel()
			modelPath(t, tm.variable)
			computing.Lock()
			defer computing.Unlock()
			m := openOn(t, tm, Deterministic())
			for name, r := range streamRequests() {
				want, err := m.Generate(t.Context(), r)
				require.NoError(t, err, name)
				got := follow(t.Context(), t, m, r)
				require.NoError(t, got.err, name)
				require.Equal(t, want.Text, got.text, name)
				tokens := got.resp.Usage.CompletionTokens
				want.Usage, got.resp.Usage = lm.Usage{}, lm.Usage{} // which differ in what was cached
				require.Equal(t, want, got.resp, name)
				for _, stop := range r.Stop {
					require.NotContains(t, got.text, stop)
				}
				require.Greater(t, len(got.events), 1, name)
				if name == "characters" && tm.name == "smollm2" { // whose tokens are parts of them
					require.Less(t, len(got.events), tokens)
				}
				t.Logf("%s: %q in %d events", name, got.text, len(got.events))
			}
		})
	}
}

// Sixteen streams at once, some of which are left, do not mix.
func TestStreamsTogetherReal(t *testing.T) {
	onModels(t, func(t *testing.T, _ *testModel, m *Model) {
		var wg sync.WaitGroup
		before := m.Stats().Requests
		for i := range 16 {
			wg.Go(func() {
				name := fmt.Sprintf("person %d", i)
				r := &lm.Request{Prompt: "Some data as JSON:\n", MaxTokens: 40, Shape: &lm.Shape{Segments: []lm.Segment{
					{Literal: name + ": "}, {Hole: lm.HoleJSON, Schema: []byte(`{"type": "object", "properties": {"city": {"type": "string", "minLength": 20}}, "required": ["city"]}`)}, {Literal: "\n"},
				}}}
				switch i % 4 {
				case 1: // left half way
					events := 0
					for e, err := range m.Stream(t.Context(), r) {
						if err != nil || e.Response != nil {
							t.Errorf("%s: %+v, %v", name, e, err)
						}
						if events++; events == 3 {
							break
						}
					}
				case 2: // cancelled half way
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					events := 0
					var end error
					for _, err := range m.Stream(ctx, r) {
						if events++; events == 3 {
							cancel()
						}
						end = err
					}
					if !errors.Is(end, context.Canceled) || events != 4 {
						t.Errorf("%s ends with %v after %d events", name, end, events)
					}
				default:
					got := follow(t.Context(), t, m, r)
					if got.err != nil || !strings.HasPrefix(got.text, name+`: {"city": "`) || !strings.HasSuffix(got.text, "\"}\n") || len(got.events) < 4 {
						t.Errorf("%s has shown %q in %d events, and %v", name, got.text, len(got.events), got.err)
					}
				}
			})
		}
		wg.Wait()
		require.NotNil(t, follow(t.Context(), t, m, &lm.Request{Prompt: "Still", MaxTokens: 3}).resp)
		require.Equal(t, 17, m.Stats().Requests-before)
	})
}
