package canonical

import (
	"math"
	"reflect"
	"testing"

	"github.com/whetgo/whet/lm"
)

func choiceShape(biases ...float64) *lm.Shape {
	seg := lm.Segment{Hole: lm.HoleChoice, Name: "x"}
	for i, b := range biases {
		seg.Choices = append(seg.Choices, lm.Alternative{Text: string(rune('a' + i)), Bias: b})
	}
	return &lm.Shape{Segments: []lm.Segment{{Literal: "x: "}, seg, {Literal: "\n"}}}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	base := func() *lm.Request {
		return &lm.Request{Messages: []lm.Message{lm.System("s"), lm.User("u")}, Shape: choiceShape(0, 0), Stop: []string{"x"}}
	}
	hole := func(s lm.Segment) func(*lm.Request) {
		return func(r *lm.Request) {
			shape := *r.Shape
			shape.Segments = append([]lm.Segment{s}, shape.Segments...)
			r.Shape = &shape
		}
	}
	changes := map[string]func(*lm.Request){
		"prompt":      func(r *lm.Request) { r.Prompt = "p" },
		"role":        func(r *lm.Request) { r.Messages[1].Role = lm.RoleAssistant },
		"text":        func(r *lm.Request) { r.Messages[1] = lm.User("v") },
		"blob":        func(r *lm.Request) { r.Messages[1].Parts[0] = lm.Part{Blob: &lm.Blob{URL: "u"}} },
		"moved text":  func(r *lm.Request) { r.Messages = []lm.Message{lm.System("su"), lm.User("")} },
		"no shape":    func(r *lm.Request) { r.Shape = nil },
		"choices":     func(r *lm.Request) { r.Shape = choiceShape(0, 0, 0) },
		"bias":        func(r *lm.Request) { r.Shape = choiceShape(0, 1) },
		"temperature": func(r *lm.Request) { r.Temperature = lm.Temperature(0) },
		"top p":       func(r *lm.Request) { r.TopP = lm.Temperature(1) },
		"top k":       func(r *lm.Request) { r.TopK = 1 },
		"min p":       func(r *lm.Request) { r.MinP = lm.Temperature(1) },
		"logprobs":    func(r *lm.Request) { r.Logprobs = true },
		"top":         func(r *lm.Request) { r.Logprobs, r.TopLogprobs = true, 1 },
		"hole":        hole(lm.Segment{Hole: lm.HoleJSON}),
		"schema":      hole(lm.Segment{Hole: lm.HoleJSON, Schema: []byte("x")}),
		"pattern":     hole(lm.Segment{Hole: lm.HoleJSON, Pattern: "x"}),
		"whole":       hole(lm.Segment{Hole: lm.HolePattern, Pattern: "x"}),
		"format":      func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{} },
		"object":      func(r *lm.Request) { r.ResponseFormat = &lm.ResponseFormat{Schema: []byte("x")} },
		"seed":        func(r *lm.Request) { r.Seed = lm.Seed(0) },
		"tokens":      func(r *lm.Request) { r.MaxTokens = 1 },
		"stop":        func(r *lm.Request) { r.Stop = nil },
		"rollout":     func(r *lm.Request) { r.Rollout = 1 },
		"tool":        func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "a"}} },
		"two tools":   func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "a"}, {}} },
		"description": func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "a", Description: "d"}} },
		"parameters":  func(r *lm.Request) { r.Tools = []lm.Tool{{Name: "a", Parameters: []byte("d")}} },
		"tool choice": func(r *lm.Request) { r.ToolChoice = lm.ToolChoiceNone },
		"call":        func(r *lm.Request) { r.Messages[1].ToolCalls = []lm.ToolCall{{ID: "c"}} },
		"called tool": func(r *lm.Request) { r.Messages[1].ToolCalls = []lm.ToolCall{{Name: "c"}} },
		"arguments":   func(r *lm.Request) { r.Messages[1].ToolCalls = []lm.ToolCall{{Arguments: "c"}} },
		"first call":  func(r *lm.Request) { r.Messages[0].ToolCalls = []lm.ToolCall{{ID: "c"}} },
		"answered":    func(r *lm.Request) { r.Messages[1].ToolCallID = "c" },
	}
	seen := map[Digest]string{Request(base(), false): "base"}
	for name, change := range changes {
		r := base()
		change(r)
		d := Request(r, false)
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[d] = name
	}
	a, b := base(), base()
	b.Shape = choiceShape(0, math.Copysign(0, -1))
	if Request(a, false) != Request(base(), false) || Request(a, false) != Request(b, false) {
		t.Error("equal requests have different hashes")
	}
	b.Shape = choiceShape(3, 1)
	if Request(a, true) != Request(b, true) {
		t.Error("the last hole's biases are in the loose hash")
	}
}

// A field that lm gets must be looked at here: two requests that differ in it would
// have one answer.
func TestNoFieldIsForgotten(t *testing.T) {
	t.Parallel()
	for typ, fields := range map[reflect.Type]int{
		reflect.TypeFor[lm.Request](): 16, reflect.TypeFor[lm.Message](): 4, reflect.TypeFor[lm.Part](): 2, reflect.TypeFor[lm.Blob](): 6,
		reflect.TypeFor[lm.Tool](): 3, reflect.TypeFor[lm.ToolCall](): 3, reflect.TypeFor[lm.Shape](): 1, reflect.TypeFor[lm.Segment](): 6,
		reflect.TypeFor[lm.Alternative](): 2, reflect.TypeFor[lm.ResponseFormat](): 2,
	} {
		if n := typ.NumField(); n != fields {
			t.Errorf("%s has %d fields and had %d: add the new one to Request and to the test above", typ, n, fields)
		}
	}
}
