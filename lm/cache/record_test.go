package cache_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// fullResponse sets every field but Cached, with texts and numbers that JSON finds hard.
func fullResponse() *lm.Response {
	return &lm.Response{
		Text: "a <b> & \"c\"\n\u2028\x00\xff\U0001f600", Reasoning: "\xe2\x82",
		ToolCalls: []lm.ToolCall{{ID: "1", Name: "look", Arguments: `{"broken": `}, {}},
		Choices: []lm.Choice{
			{Name: "label", Picked: 1, Options: []lm.Option{{Text: "ham", LogProb: math.Inf(-1), Prob: 0}, {Text: "spam", LogProb: -1e-300, Prob: 0.1 + 0.2}}},
			{Name: "none"},
		},
		Logprobs: []lm.TokenLogprob{
			{Token: "\xf0\x9f", LogProb: -0.30000000000000004, Top: []lm.TokenLogprob{{Token: "\x98\x80", LogProb: math.SmallestNonzeroFloat64}, {}}},
			{Token: "", LogProb: math.MaxFloat64},
			{Token: "x", LogProb: math.Inf(1)},
		},
		Shaped: true, Finish: lm.FinishTools, Cut: []string{"a", ""},
		Usage: lm.Usage{
			Calls: 1, PromptTokens: 2, CachedTokens: 3, CompletionTokens: 4, ForcedTokens: 5, ComputedTokens: 6,
			CachedCalls: 7, ReasoningTokens: 8, CacheWriteTokens: 9, Cost: math.MaxInt64, PricedCalls: 10,
			AudioPromptTokens: 11, AudioCompletionTokens: 12,
		},
		Model: "m\x00", Fingerprint: "fp", RequestID: "req-1",
	}
}

func TestRecordKeepsAll(t *testing.T) {
	t.Parallel()
	full := fullResponse()
	for v, i := reflect.ValueOf(*full), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() && v.Type().Field(i).Name != "Cached" {
			t.Errorf("the test does not set %s, which is new", v.Type().Field(i).Name)
		}
	}
	for v, i := reflect.ValueOf(full.Usage), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the test does not set Usage.%s, which is new", v.Type().Field(i).Name)
		}
	}
	for _, want := range []*lm.Response{full, {}, {Text: "x"}} {
		data, err := cache.EncodeResponse(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cache.DecodeResponse(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngave %+v, %v\nwant %+v", data, got, err, want)
		}
	}
}

func TestRecordNumbers(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1.5, 1e21, 1e-7, math.Pi, math.NaN(), math.Nextafter(1, 2)} {
		data, err := cache.EncodeResponse(&lm.Response{Logprobs: []lm.TokenLogprob{{LogProb: f}}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := cache.DecodeResponse(data)
		if err != nil {
			t.Fatal(err)
		}
		if g := got.Logprobs[0].LogProb; math.Float64bits(g) != math.Float64bits(f) && !(math.IsNaN(f) && math.IsNaN(g)) {
			t.Errorf("%v became %v by %s", f, g, data)
		}
	}
}

func TestRecordIsReadable(t *testing.T) {
	t.Parallel()
	data, err := cache.EncodeResponse(&lm.Response{Text: "a <b> é", Finish: lm.FinishStop})
	if want := `{"version":1,"text":"a <b> é","finish":"stop","usage":{}}`; data != want || err != nil {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
}

var badRecords = []string{
	``, `null`, `{}`, `[]`, `{"version":2,"text":"a"}`, `{"version":1,"text":1}`, `{"version":1,"text":null}`, `{"version":1,"text":"a"} x`,
	`{"version":1,"text":{"base64":"?"}}`, `{"version":1,"text":"a","logprobs":[{"token":"a","logprob":"1"}]}`,
	`{"version":1,"text":"a","logprobs":[{"token":"a","logprob":1e999}]}`, `{"version":1,"text":"a","logprobs":[{"token":"a","logprob":null}]}`,
	`{"version":1,"text":"a","usage":{"calls":1.5}}`, `{"version":1,"text":"a`, strings.Repeat(`[`, 20_000),
}

func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	for _, data := range badRecords {
		if got, err := cache.DecodeResponse(data); err == nil {
			t.Errorf("%.60s was read as %+v", data, got)
		}
	}
}

// FuzzRecord decodes any bytes; what is a response must come back from what it is encoded to.
func FuzzRecord(f *testing.F) {
	for _, data := range badRecords {
		f.Add(data)
	}
	full, err := cache.EncodeResponse(fullResponse())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add(`{"version":1,"text":"a","logprobs":[{"token":{"base64":"/w=="},"logprob":"NaN"}]}`)
	f.Fuzz(func(t *testing.T, data string) {
		resp, err := cache.DecodeResponse(data)
		if err != nil {
			return
		}
		again, err := cache.EncodeResponse(resp)
		if err != nil {
			t.Fatal(err)
		}
		back, err := cache.DecodeResponse(again)
		if err != nil {
			t.Fatal(err)
		}
		third, err := cache.EncodeResponse(back)
		if err != nil || third != again {
			t.Errorf("%q was encoded as %s, and then as %s, %v", data, again, third, err)
		}
	})
}
