package llamacpp

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// formed are holes with a form, each with what its text must be.
var formed = []struct {
	name  string
	hole  lm.Segment
	check func(string) error
}{
	{"int", lm.Segment{Hole: lm.HoleInt}, func(s string) error { _, err := strconv.ParseInt(s, 10, 64); return err }},
	{"float", lm.Segment{Hole: lm.HoleFloat}, func(s string) error { _, err := strconv.ParseFloat(s, 64); return err }},
	{"pattern", lm.Segment{Hole: lm.HolePattern, Pattern: `^[A-Z]{3}-\d+$`}, matches(`^[A-Z]{3}-\d+$`)},
	{"a pattern that lets line breaks pass", lm.Segment{Hole: lm.HolePattern, Pattern: `^[a-f\n#]+$`}, matches(`^[a-f\n#]+$`)},
	{"bounded", lm.Segment{Hole: lm.HoleJSON, Schema: []byte(`{"type": "integer", "minimum": 3, "maximum": 17}`)}, func(s string) error {
		if n, err := strconv.Atoi(s); err != nil || n < 3 || n > 17 {
			return fmt.Errorf("%d %w", n, err)
		}
		return nil
	}},
	{"object", lm.Segment{Hole: lm.HoleJSON, Schema: []byte(`{"type": "object", "properties": {
		"name": {"type": "string"}, "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}}, "n": {"type": "integer"}, "inner": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
	}, "required": ["name", "tags", "n", "inner"]}`)}, func(s string) error {
		var v struct {
			Name  *string
			Tags  []string
			N     *int64
			Inner *struct{ OK *bool }
		}
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return err
		}
		if v.Name == nil || v.Tags == nil || v.N == nil || v.Inner == nil || v.Inner.OK == nil {
			return fmt.Errorf("something is missing: %s", s)
		}
		return nil
	}},
}

func matches(pattern string) func(string) error {
	re := regexp.MustCompile(pattern)
	return func(s string) error {
		if !re.MatchString(s) {
			return fmt.Errorf("%s does not match %q", pattern, s)
		}
		return nil
	}
}

// A hole with a form gets a text of that form, whatever the model prefers, wherever the
// hole stands and however few tokens there are.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, form := range formed {
		for _, follow := range []string{"", "\n", "\n\n## end"} {
			t.Run(fmt.Sprintf("%s before %q", form.name, follow), func(t *testing.T) {
				t.Parallel()
				m, f := openFake(t, 4096)
				drawn := false
				for seed := range uint64(60) {
					r := &lm.Request{Prompt: fmt.Sprint("ask ", seed), Seed: &seed, MaxTokens: 1 + int(seed)*3, Shape: &lm.Shape{Segments: []lm.Segment{{Literal: "Value: "}, form.hole}}}
					if follow != "" {
						r.Shape.Segments = append(r.Shape.Segments, lm.Segment{Literal: follow}, lm.Segment{Hole: lm.HoleChoice, Choices: labels(" ham", " spam")}, lm.Segment{Literal: "."})
					}
					if seed%3 > 0 {
						r.Temperature, r.TopP, r.MinP = lm.Temperature(float64(seed%3)), lm.Temperature(0.95), lm.Temperature(0.001)
					}
					got, err := m.Generate(t.Context(), r)
					require.NoError(t, err)
					require.True(t, got.Shaped)
					value := strings.TrimPrefix(got.Text, "Value: ")
					if follow != "" {
						value = value[:strings.LastIndex(value, follow)]
					}
					require.NoError(t, form.check(value), "%q with %d tokens", got.Text, r.MaxTokens)
					require.LessOrEqual(t, got.Usage.CompletionTokens, r.MaxTokens)
					drawn = drawn || got.Usage.CompletionTokens > 1
				}
				require.True(t, drawn)
				m.Close()
				checkAccount(t, m, f)
			})
		}
	}
}

// What a form leaves no choice about is not decoded.
func TestFormForces(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 4096)
	shape := &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(`{"type": "object", "properties": {"label": {"enum": ["ham", "spam"]}, "sure": {"const": true}, "kind": {"enum": ["x"]}}, "required": ["label", "sure", "kind"]}`)}}}
	got, err := m.Generate(t.Context(), &lm.Request{Prompt: "p", Shape: shape})
	require.NoError(t, err)
	require.Regexp(t, `^\{"label": "(ham|spam)", "sure": true, "kind": "x"\}$`, got.Text)
	require.Equal(t, 1, got.Usage.CompletionTokens, "only the first letter of the label is open")
	require.Equal(t, lm.FinishStop, got.Finish)

	fixed := &lm.Shape{Segments: []lm.Segment{{Literal: "a"}, {Hole: lm.HolePattern, Pattern: "bc"}, {Literal: "d"}}}
	got, err = m.Generate(t.Context(), &lm.Request{Prompt: "p", Shape: fixed})
	require.NoError(t, err)
	require.Equal(t, "abcd", got.Text)
	require.Zero(t, got.Usage.ComputedTokens)
}

// A schema that no grammar can express leaves its hole free, and the response says so;
// a broken one is an error.
func TestUnsupportedForm(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 4096)
	ask := func(schema string) (*lm.Response, error) {
		return m.Generate(t.Context(), &lm.Request{Prompt: "p", Shape: &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Name: "v", Schema: []byte(schema)}, {Literal: "\n"}}}})
	}
	got, err := ask(`{"type": "array", "items": {"type": "integer"}, "uniqueItems": true}`)
	require.NoError(t, err)
	require.False(t, got.Shaped)
	_, err = ask(`{"type": 5}`)
	require.ErrorIs(t, err, lm.ErrInvalidRequest)
	require.ErrorContains(t, err, "segment 0 of the Shape (v)")
}

// A request without a shape gets the JSON that its ResponseFormat asks for.
func TestResponseFormat(t *testing.T) {
	t.Parallel()
	m, _ := openFake(t, 4096)
	for seed := range uint64(20) {
		r := &lm.Request{Prompt: fmt.Sprint(seed), MaxTokens: 30, Temperature: lm.Temperature(1), Seed: &seed, ResponseFormat: &lm.ResponseFormat{Schema: []byte(`{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false}`)}}
		got, err := m.Generate(t.Context(), r)
		require.NoError(t, err)
		require.Regexp(t, `^\{"n": -?[0-9]+\}$`, got.Text)
		require.False(t, got.Shaped, "there was no shape")

		r.ResponseFormat = &lm.ResponseFormat{}
		got, err = m.Generate(t.Context(), r)
		require.NoError(t, err)
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.Text), &object), got.Text)

		r.Shape = &lm.Shape{Segments: []lm.Segment{{Literal: "a"}, {Hole: lm.HoleInt}}}
		got, err = m.Generate(t.Context(), r)
		require.NoError(t, err)
		require.Regexp(t, `^a-?[0-9]+$`, got.Text, "a shape comes first")
	}
}
