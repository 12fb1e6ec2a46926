package price

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestBillsByHand has the arithmetic beside each bill. A price of 1 dollar for a million
// tokens is 1,000 billionths for one. The prices are those of the table as of 2026-11-25.
func TestBillsByHand(t *testing.T) {
	t.Parallel()
	const (
		late  = "2026-11-25T12:00:00Z"
		early = "2025-12-01T12:00:00Z"
	)
	for _, tt := range []struct {
		name, provider, model, at string
		u                         lm.Usage
		want                      lm.Money
	}{
		{
			"prompt and reply", "openai", "gpt-4o-mini", late,
			lm.Usage{PromptTokens: 1000, CompletionTokens: 500},
			// 1,000 x 150 + 500 x 600 = 150,000 + 300,000
			450_000,
		},
		{
			"a dated name, cached tokens", "openai", "GPT-4o-2024-08-06", late,
			lm.Usage{PromptTokens: 10_000, CachedTokens: 6_000, CompletionTokens: 800},
			// 4,000 x 2,500 + 6,000 x 1,250 + 800 x 10,000 = 10,000,000 + 7,500,000 + 8,000,000
			25_500_000,
		},
		{
			"read from a cache and written into it", "anthropic", "claude-sonnet-4-20250514", late,
			lm.Usage{PromptTokens: 20_000, CachedTokens: 12_000, CacheWriteTokens: 5_000, CompletionTokens: 1_000},
			// 3,000 x 3,000 + 12,000 x 300 + 5,000 x 3,750 + 1,000 x 15,000 = 9,000,000 + 3,600,000 + 18,750,000 + 15,000,000
			46_350_000,
		},
		{
			"the end of a tier", "anthropic", "claude-sonnet-4-5", late,
			lm.Usage{PromptTokens: 200_000, CompletionTokens: 1_000},
			// 200,000 x 3,000 + 1,000 x 15,000 = 600,000,000 + 15,000,000
			615_000_000,
		},
		{
			"one token over it, which all tokens pay for", "anthropic", "claude-sonnet-4-5", late,
			lm.Usage{PromptTokens: 200_001, CompletionTokens: 1_000},
			// 200,001 x 6,000 + 1,000 x 22,500 = 1,200,006,000 + 22,500,000
			1_222_506_000,
		},
		{
			"cached tokens count for the tier and have one", "google", "gemini-2.5-pro", early,
			lm.Usage{PromptTokens: 250_000, CachedTokens: 100_000, CompletionTokens: 2_000},
			// 150,000 x 2,500 + 100,000 x 250 + 2,000 x 15,000 = 375,000,000 + 25,000,000 + 30,000,000
			430_000_000,
		},
		{
			"the last second of an old price", "openai", "o3", "2025-06-09T23:59:59Z",
			lm.Usage{PromptTokens: 1_000, CompletionTokens: 1_000},
			// 1,000 x 10,000 + 1,000 x 40,000
			50_000_000,
		},
		{
			"the first second of a new one, told in another zone", "openai", "o3", "2025-06-09T20:00:00-04:00",
			lm.Usage{PromptTokens: 1_000, CompletionTokens: 1_000},
			// 1,000 x 2,000 + 1,000 x 8,000
			10_000_000,
		},
		{
			"by day", "deepseek", "deepseek-chat", "2025-12-01T16:29:59Z",
			lm.Usage{PromptTokens: 1_001, CachedTokens: 1, CompletionTokens: 10},
			// 1,000 x 270 + 1 x 70 + 10 x 1,100 = 270,000 + 70 + 11,000
			281_070,
		},
		{
			"by night", "deepseek", "deepseek-chat", "2025-12-01T16:30:00Z",
			lm.Usage{PromptTokens: 1_001, CachedTokens: 1, CompletionTokens: 10},
			// 1,000 x 135 + 1 x 35 + 10 x 550 = 135,000 + 35 + 5,500
			140_535,
		},
		{
			"a price of each request", "perplexity", "sonar", late,
			lm.Usage{Calls: 1, PromptTokens: 100, CompletionTokens: 200},
			// 100 x 1,000 + 200 x 1,000 + 12,000,000 = 300,000 + 12 dollars for 1,000 requests
			12_300_000,
		},
		{
			"thoughts with a price of their own", "openrouter", "perplexity/sonar-deep-research", late,
			lm.Usage{PromptTokens: 100, CompletionTokens: 1_000, ReasoningTokens: 700},
			// 100 x 2,000 + 300 x 8,000 + 700 x 3,000 = 200,000 + 2,400,000 + 2,100,000
			4_700_000,
		},
		{
			"thoughts that are replies", "openai", "gpt-5", early,
			lm.Usage{PromptTokens: 100, CompletionTokens: 1_000, ReasoningTokens: 900},
			// 100 x 1,250 + 1,000 x 10,000
			10_125_000,
		},
		{
			"half a billionth is rounded up", "bedrock", "amazon.nova-micro-v1:0", late,
			lm.Usage{PromptTokens: 2, CachedTokens: 2},
			// 2 x 8.75 = 17.5
			18,
		},
		{
			"and less is not", "bedrock", "amazon.nova-micro-v1:0", late,
			lm.Usage{PromptTokens: 3, CachedTokens: 3},
			// 3 x 8.75 = 26.25
			26,
		},
		{"a model that runs here", "llamacpp", "sha256:b179c9523d0e", late, lm.Usage{PromptTokens: 3}, 0},
		{"and another", "Ollama", "gemma3", late, lm.Usage{PromptTokens: 3}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := Default().Cost(tt.provider, tt.model, tt.u, day(t, tt.at))
			if !ok || got != tt.want {
				t.Errorf("Cost = %d, %v; want %d", got, ok, tt.want)
			}
		})
	}
}

func TestSounds(t *testing.T) {
	t.Parallel()
	at := day(t, "2026-11-25T12:00:00Z")
	for _, tt := range []struct {
		name, provider, model string
		u                     lm.Usage
		want                  lm.Money // -1 where it is not known
	}{
		// 600 x 300 + 400 x 1,000 + 100 x 2,500
		{"with a price", "google", "gemini-2.5-flash", lm.Usage{PromptTokens: 1000, AudioPromptTokens: 400, CompletionTokens: 100}, 830_000},
		{"all of the prompt", "google", "gemini-2.5-flash", lm.Usage{PromptTokens: 1000, AudioPromptTokens: 1000}, 1_000_000},
		{"more than the prompt", "google", "gemini-2.5-flash", lm.Usage{PromptTokens: 1000, AudioPromptTokens: 1001}, -1},
		{"less than none", "google", "gemini-2.5-flash", lm.Usage{PromptTokens: 1000, AudioPromptTokens: -1}, -1},
		{"and some of it cached", "google", "gemini-2.5-flash", lm.Usage{PromptTokens: 1000, AudioPromptTokens: 400, CachedTokens: 1}, -1},
		{"without a price", "openai", "gpt-4o-mini", lm.Usage{PromptTokens: 1000, AudioPromptTokens: 400}, -1},
		{"in the reply", "google", "gemini-2.5-flash", lm.Usage{PromptTokens: 1000, CompletionTokens: 100, AudioCompletionTokens: 1}, -1},
		{"here", "llamacpp", "m", lm.Usage{PromptTokens: 1000, AudioPromptTokens: 400}, 0},
	} {
		got, ok := Default().Cost(tt.provider, tt.model, tt.u, at)
		if ok != (tt.want >= 0) || ok && got != tt.want {
			t.Errorf("%s: Cost = %d, %v; want %d", tt.name, got, ok, tt.want)
		}
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	u := lm.Usage{PromptTokens: 1000, CompletionTokens: 100}
	batch := Default().When("processing", "batch")
	for _, tt := range []struct {
		at   string
		want lm.Money
	}{
		{"2026-10-14T00:00:00Z", 1_750_000}, // 1,000 x 1,250 + 100 x 5,000
		{"2026-10-13T23:59:59Z", 3_500_000}, // not yet: 1,000 x 2,500 + 100 x 10,000
	} {
		if got, ok := batch.Cost("openai", "gpt-4o", u, day(t, tt.at)); !ok || got != tt.want {
			t.Errorf("a batch at %s costs %d, %v; want %d", tt.at, got, ok, tt.want)
		}
	}
	if got, _ := Default().Cost("openai", "gpt-4o", u, day(t, "2026-10-14T00:00:00Z")); got != 3_500_000 {
		t.Errorf("When changed the table itself: %d", got)
	}
}

// pythonBills is what gen/bills.py prints.
type pythonBills struct {
	Version string
	Bills   []struct {
		Provider, Model, At                            string
		When                                           map[string]string
		Prompt, Cached, Written, Completion, Reasoning int
		Nano                                           lm.Money
	}
}

func compareBills(t *testing.T, data []byte, atLeast int) {
	t.Helper()
	var all pythonBills
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Bills) < atLeast {
		t.Fatalf("%d bills, want at least %d", len(all.Bills), atLeast)
	}
	for _, b := range all.Bills {
		table := Default()
		for key, value := range b.When {
			table = table.When(key, value)
		}
		u := lm.Usage{Calls: 1, PromptTokens: b.Prompt, CachedTokens: b.Cached, CacheWriteTokens: b.Written, CompletionTokens: b.Completion, ReasoningTokens: b.Reasoning}
		got, ok := table.Cost(b.Provider, b.Model, u, day(t, b.At))
		if !ok || got != b.Nano {
			t.Errorf("%s %s at %s %v: %+v costs %d, %v; genai-prices %s says %d", b.Provider, b.Model, b.At, b.When, u, got, ok, all.Version, b.Nano)
		}
	}
}

func TestBillsOfThePackage(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/bills.json")
	if err != nil {
		t.Fatal(err)
	}
	compareBills(t, data, 100)
}

// TestBillsAnew asks the package itself, where there is a Python that has it: for the bills
// that are kept, and for others.
func TestBillsAnew(t *testing.T) {
	t.Parallel()
	python := os.Getenv("WHET_PRICES_PYTHON")
	if python == "" {
		t.Skip("WHET_PRICES_PYTHON names no Python that has genai-prices in the version of gen/requirements.txt")
	}
	bills := func(seed, count int) []byte {
		cmd := exec.CommandContext(t.Context(), python, "gen/bills.py", "--seed", strconv.Itoa(seed), "--count", strconv.Itoa(count))
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s gen/bills.py: %v", python, err)
		}
		return out
	}
	kept, err := os.ReadFile("testdata/bills.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bills(1, 100), kept) {
		t.Error("gen/bills.py prints other bills than testdata/bills.json holds")
	}
	compareBills(t, bills(2, 3000), 3000)
}
