package module_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

type toolUnit string

func (toolUnit) Enum() []string { return []string{"km", "mile"} }

type (
	toolPlace struct {
		Lat float64 `min:"-90" max:"90"`
		Lon float64
	}
	toolArgs struct {
		From  toolPlace `json:"start" desc:"Where it begins"`
		Unit  toolUnit
		Round *int8
		Names []string `maxlen:"2"`
		Mode  string   `enum:"foot,car" default:"car"`
	}
	toolBadTag struct {
		N int `min:"x"`
	}
)

// echoArgs says what arrived.
func echoArgs(_ context.Context, in toolArgs) (string, error) {
	round := "none"
	if in.Round != nil {
		round = fmt.Sprint(*in.Round)
	}
	return fmt.Sprintf("%v %s %s %v %s", in.From, in.Unit, round, in.Names, in.Mode), nil
}

func TestToolArguments(t *testing.T) {
	t.Parallel()
	tool := module.MustTool("way", "", echoArgs)
	tests := []struct{ name, args, want, argument, problem string }{
		{"all", `{"names": ["a", "b"], "start": {"lat": 1, "lon": 2.5}, "unit": "km", "round": 3, "mode": "foot"}`, "{1 2.5} km 3 [a b] foot", "", ""},
		{"defaults", `{"start": {"lat": 1, "lon": 2}, "unit": "mile", "names": []}`, "{1 2} mile none [] car", "", ""},
		{"null", `{"start": {"lat": 1, "lon": 2}, "unit": "mile", "names": [], "round": null}`, "{1 2} mile none [] car", "", ""},
		{"missing", `{"start": {"lat": 1, "lon": 2}, "names": []}`, "", "unit", "it is missing; the tool takes start ("},
		{"unknown", `{"start": {"lat": 1, "lon": 2}, "unit": "km", "names": [], "speed": 4}`, "", "speed", "no such argument; the tool takes start ("},
		{"enum", `{"start": {"lat": 1, "lon": 2}, "unit": "kilometre", "names": []}`, "", "unit", "want one of km, mile, got \"kilometre\""},
		{"tagged enum", `{"start": {"lat": 1, "lon": 2}, "unit": "km", "names": [], "mode": "boat"}`, "", "mode", "want one of foot, car"},
		{"nested type", `{"start": {"lat": "north", "lon": 2}, "unit": "km", "names": []}`, "", "start", `field "lat": want float, got "north"`},
		{"nested bound", `{"start": {"lat": 91, "lon": 2}, "unit": "km", "names": []}`, "", "start", `field "lat": want less than or equal to: 90`},
		{"length", `{"start": {"lat": 1, "lon": 2}, "unit": "km", "names": ["a", "b", "c"]}`, "", "names", "maximum length: 2"},
		{"Go's type", `{"start": {"lat": 1, "lon": 2}, "unit": "km", "names": [], "round": 300}`, "", "round", "does not fit a int8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args, err := signature.ParseRecord([]byte(tt.args))
			if err != nil {
				t.Fatal(err)
			}
			got, err := tool.Call(context.Background(), args)
			if tt.argument == "" {
				if err != nil || got != tt.want {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
				return
			}
			var te *module.ToolError
			if !errors.As(err, &te) || te.Argument != tt.argument || te.Tool != "way" {
				t.Fatalf("error %#v, want one of the argument %s", err, tt.argument)
			}
			if !strings.Contains(err.Error(), tt.problem) || !strings.HasPrefix(err.Error(), `module: tool "way": the argument "`+tt.argument+`": `) {
				t.Errorf("error %q, want it to say %q", err, tt.problem)
			}
		})
	}
}

func TestToolResults(t *testing.T) {
	t.Parallel()
	type named string
	type point struct {
		X int     `json:"x"`
		Y *string `json:"y"`
	}
	tests := []struct {
		name string
		tool *module.Tool
		want string
	}{
		{"text", resultOf("a <b>\nc"), "a <b>\nc"},
		{"named text", resultOf(named("n")), "n"},
		{"int", resultOf(42), "42"},
		{"float", resultOf(0.5), "0.5"},
		{"bool", resultOf(true), "true"},
		{"struct", resultOf(point{X: 1}), `{"x":1,"y":null}`},
		{"list", resultOf([]string{"<a>", "é"}), `["<a>","é"]`},
		{"record", resultOf(signature.RecordOf("b", 1, "a", "<")), `{"b":1,"a":"<"}`},
		{"raw JSON", resultOf(json.RawMessage(`[1]`)), `[1]`},
		{"time", resultOf(time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)), `"2020-01-02T03:04:05Z"`},
		{"nil", resultOf[any](nil), "null"},
	}
	for _, tt := range tests {
		if got, err := tt.tool.Call(context.Background(), signature.Record{}); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	var te *module.ToolError
	if _, err := resultOf(math.Inf(1)).Call(context.Background(), signature.Record{}); !errors.As(err, &te) || !strings.Contains(err.Error(), "cannot be written as JSON") {
		t.Errorf("a result that is no JSON: %v", err)
	}
}

func resultOf[R any](v R) *module.Tool {
	return module.MustTool("give", "", func(context.Context, struct{}) (R, error) { return v, nil })
}

func failing(err error, opts ...module.ToolOption) *module.Tool {
	return module.MustTool("fail", "", func(context.Context, struct{}) (string, error) { return "", err }, opts...)
}

func TestToolFailures(t *testing.T) {
	t.Parallel()
	var te *module.ToolError
	_, err := failing(io.ErrUnexpectedEOF).Call(context.Background(), signature.Record{})
	if !errors.As(err, &te) || te.Tool != "fail" || !errors.Is(err, io.ErrUnexpectedEOF) || te.Panic != nil || te.Argument != "" {
		t.Errorf("its own error: %#v", err)
	}
	boom := module.MustTool("boom", "", func(_ context.Context, in struct{ At int }) (int, error) { return []int{1}[in.At], nil })
	_, err = boom.Call(context.Background(), signature.RecordOf("at", 7))
	if !errors.As(err, &te) || te.Panic == nil || !strings.Contains(string(te.Stack), "tool_test.go") || !strings.Contains(err.Error(), "it panicked: runtime error: index out of range [7]") {
		t.Errorf("a panic: %v", err)
	}
	text := module.MustTool("text", "", func(context.Context, struct{}) (int, error) { panic("no luck") })
	if _, err = text.Call(context.Background(), signature.Record{}); err == nil || !strings.HasSuffix(err.Error(), "it panicked: no luck") {
		t.Errorf("a panic with a text: %v", err)
	}
	// A tool's own cancelled context is not the run's.
	if _, err = failing(context.Canceled).Call(context.Background(), signature.Record{}); !errors.As(err, &te) {
		t.Errorf("another context's end: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	during := module.MustTool("stop", "", func(ctx context.Context, _ struct{}) (int, error) {
		cancel()
		return 0, fmt.Errorf("gone: %w", ctx.Err())
	})
	if _, err = during.Call(ctx, signature.Record{}); err != context.Canceled { //nolint:errorlint // the context's own, unwrapped
		t.Errorf("cancelled while it ran: %v", err)
	}
	if _, err = during.Call(ctx, signature.Record{}); err != context.Canceled { //nolint:errorlint // as above
		t.Errorf("cancelled before: %v", err)
	}
}

func TestToolTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := func(ctx context.Context, in struct{ Seconds int }) (string, error) {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(time.Duration(in.Seconds) * time.Second):
				return "done", nil
			}
		}
		tool := module.MustTool("wait", "", wait, module.ToolTimeout(5*time.Second))
		if got, err := tool.Call(t.Context(), signature.RecordOf("seconds", 4)); err != nil || got != "done" {
			t.Errorf("within the limit: %q, %v", got, err)
		}
		var te *module.ToolError
		_, err := tool.Call(t.Context(), signature.RecordOf("seconds", 6))
		if !errors.As(err, &te) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no result within 5s") {
			t.Errorf("beyond the limit: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err = tool.Call(ctx, signature.RecordOf("seconds", 4)); err != context.DeadlineExceeded { //nolint:errorlint // the context's own, unwrapped
			t.Errorf("the caller's limit: %v", err)
		}
	})
}

func TestToolMistakes(t *testing.T) {
	t.Parallel()
	text := func(context.Context, struct{ A string }) (string, error) { return "", nil }
	make1 := func(_ *module.Tool, err error) error { return err }
	field := func(name string) signature.Field {
		return signature.Field{Name: name, Type: &signature.Type{Kind: signature.KindString}}
	}
	dynamic := func(context.Context, signature.Record) (string, error) { return "", nil }
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no name", make1(module.NewTool("", "", text)), `the tool name "" is not 1 to 64`},
		{"name", make1(module.NewTool("two words", "", text)), `the tool name "two words"`},
		{"long name", make1(module.NewTool(strings.Repeat("n", 65), "", text)), "1 to 64 letters"},
		{"nil", make1(module.NewTool[struct{}, string]("a", "", nil)), "the function is nil"},
		{"no struct", make1(module.NewTool("a", "", func(context.Context, string) (string, error) { return "", nil })), "must be structs"},
		{"field type", make1(module.NewTool("a", "", func(context.Context, struct{ F func() }) (string, error) { return "", nil })), "cannot be a field"},
		{"tag", make1(module.NewTool("a", "", func(context.Context, toolBadTag) (string, error) { return "", nil })), "min"},
		{"record", make1(module.NewTool("a", "", dynamic)), "make it with NewDynamicTool"},
		{"timeout", make1(module.NewTool("a", "", text, module.ToolTimeout(0))), "ToolTimeout(0s) is not positive"},
		{"nil option", make1(module.NewTool("a", "", text, nil)), "an option is nil"},
		{"dynamic nil", make1(module.NewDynamicTool("a", "", nil, nil)), "the function is nil"},
		{"dynamic twice", make1(module.NewDynamicTool("a", "", []signature.Field{field("x"), field("x")}, dynamic)), "two fields have this name"},
	}
	for _, tt := range tests {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || !strings.HasPrefix(tt.err.Error(), "module: ") {
			t.Errorf("%s: error %v, want one that says %q", tt.name, tt.err, tt.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustTool does not panic")
		}
	}()
	module.MustTool("", "", text)
}

func TestToolDescribesItself(t *testing.T) {
	t.Parallel()
	tool := module.MustTool("way", "Measures a way.\nSlowly.", echoArgs)
	const want = `way, whose description is <desc>Measures a way.  Slowly.</desc>. It takes arguments ` +
		`{'start': {'type': 'object', 'properties': {'lat': {'type': 'number', 'maximum': 90, 'minimum': -90}, 'lon': {'type': 'number'}}, 'required': ['lat', 'lon'], 'description': 'Where it begins'}, ` +
		`'unit': {'type': 'string', 'enum': ['km', 'mile']}, ` +
		`'round': {'anyOf': [{'type': 'integer'}, {'type': 'null'}], 'default': None}, ` +
		`'names': {'type': 'array', 'items': {'type': 'string'}, 'maxItems': 2}, ` +
		`'mode': {'type': 'string', 'default': 'car', 'enum': ['foot', 'car']}}.`
	if got := tool.Spec().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	def, err := tool.LM()
	if err != nil || def.Name != "way" || def.Description != tool.Description() || tool.Name() != "way" || len(tool.Args()) != 5 {
		t.Errorf("LM() = %+v, %v", def, err)
	}
	var schema struct {
		Type                 string
		Properties           map[string]json.RawMessage
		Required             []string
		AdditionalProperties *bool
	}
	if err := json.Unmarshal(def.Parameters, &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Type != "object" || len(schema.Properties) != 5 || fmt.Sprint(schema.Required) != "[start unit names]" || schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("parameters %s", def.Parameters)
	}
	titled := module.MustTool("book", "", func(context.Context, struct{ Title string }) (string, error) { return "", nil })
	if got := titled.Spec().String(); got != "book. It takes arguments {'title': {'type': 'string'}}." {
		t.Errorf("an argument named title: %s", got)
	}
}

func TestDynamicTool(t *testing.T) {
	t.Parallel()
	args := []signature.Field{
		{Name: "n", Type: &signature.Type{Kind: signature.KindInt}, Constraints: []signature.Constraint{{Op: signature.AtLeast, Bound: 1}}},
		{Name: "k", Type: &signature.Type{Kind: signature.KindInt}, Default: 3, HasDefault: true},
	}
	tool, err := module.NewDynamicTool("pick", "", args, func(_ context.Context, in signature.Record) (string, error) {
		data, err := in.MarshalJSON()
		return string(data), err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tool.Call(context.Background(), signature.RecordOf("n", 2)); err != nil || got != `{"n":2,"k":3}` {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := tool.Call(context.Background(), signature.RecordOf("n", 0)); err == nil || !strings.Contains(err.Error(), `the argument "n": want greater than or equal to: 1`) {
		t.Errorf("a bound: %v", err)
	}
}
