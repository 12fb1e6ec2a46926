package price

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

func read(t *testing.T, s string) *Table {
	t.Helper()
	table, err := Read(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestDefault(t *testing.T) {
	t.Parallel()
	table, err := Read(bytes.NewReader(embedded))
	if err != nil {
		t.Fatal(err)
	}
	if len(embedded) > 400_000 {
		t.Errorf("prices.json has %d bytes, which every program carries", len(embedded))
	}
	if !strings.HasPrefix(table.Source(), "genai-prices ") || table.AsOf().Before(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("source %q as of %v", table.Source(), table.AsOf())
	}
	models, rates := 0, 0
	for _, p := range table.providers {
		for _, m := range p.models {
			models++
			if len(m.prices) == 0 {
				t.Errorf("%s %s has no prices", p.id, m.id)
			}
			// Its own name finds it, or one that is listed before it.
			if p.model(strings.ToLower(m.id)) == nil && m.match.match(strings.ToLower(m.id)) {
				t.Errorf("%s %s is not found by its id", p.id, m.id)
			}
			for _, list := range [][]prices{m.prices, m.variants} {
				for i := range list {
					for _, r := range list[i].rates() {
						if *r == nil {
							continue
						}
						rates++
						for _, tokens := range []int64{0, 1, 1 << 40} {
							if a := (*r).at(tokens); a < 0 || a > 10_000*unit {
								t.Errorf("%s %s has the price %d", p.id, m.id, a)
							}
						}
					}
				}
			}
		}
		for _, id := range p.fallback {
			if table.byID(id) == nil {
				t.Errorf("%s falls back to %s, which is not there", p.id, id)
			}
		}
	}
	if models < 2000 || rates < 5000 || len(table.providers) < 40 {
		t.Errorf("%d providers, %d models and %d prices are fewer than there were", len(table.providers), models, rates)
	}
	if again := Default(); again != Default() || len(again.providers) != len(table.providers) {
		t.Error("Default is not the embedded table, read once")
	}
}

// TestIndex compares the index with going through all models.
func TestIndex(t *testing.T) {
	t.Parallel()
	for _, p := range Default().providers {
		for _, m := range p.models {
			for _, name := range []string{m.id, m.id + "-x", "x/" + m.id, m.id + "-2026-01-02"} {
				name = strings.ToLower(name)
				var want *model
				for _, n := range p.models {
					if n.match.match(name) {
						want = n
						break
					}
				}
				if got := p.model(name); got != want {
					t.Fatalf("%s: %s is found as %v, and is %v", p.id, name, got, want)
				}
			}
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	u := lm.Usage{Calls: 1, PromptTokens: 10, CompletionTokens: 10}
	for _, tt := range []struct {
		name, provider, model string
		u                     lm.Usage
	}{
		{"provider", "nobody", "gpt-4o", u},
		{"model", "openai", "nothing", u},
		{"model of no provider", "", "nothing", u},
		{"no prices", "github-copilot", "gpt-4o", u},
		{"paid by the second", "groq", "whisper-large-v3", u},
		{"paid by the citation, too", "perplexity", "sonar-deep-research", u},
		{"no price for replies", "openai", "text-embedding-3-small", u},
		{"no tokens", "openai", "gpt-4o", lm.Usage{Calls: 1}},
		{"negative", "openai", "gpt-4o", lm.Usage{PromptTokens: 10, CompletionTokens: -1}},
		{"more read from the cache than there is", "openai", "gpt-4o", lm.Usage{PromptTokens: 10, CachedTokens: 11}},
		{"more than Money holds", "openai", "gpt-4o", lm.Usage{PromptTokens: 1 << 60}},
		{"hosted by Ollama", "ollama", "gpt-oss:120b-cloud", u},
	} {
		if got, ok := Default().Cost(tt.provider, tt.model, tt.u, now); ok || got != 0 {
			t.Errorf("%s: %v, %v; want an unknown cost", tt.name, got, ok)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	u := lm.Usage{PromptTokens: 1_000_000}
	for _, tt := range []struct {
		provider, model string
		want            lm.Money
	}{
		{"", "gpt-4o", 2_500_000_000},
		{"", "o3", 2_000_000_000},
		{" OpenAI ", "gpt-4o", 2_500_000_000},
		{"vertex", "claude-3-opus-20240229", 15_000_000_000},
		{"azure", "gpt-4o", 2_500_000_000},
		{"openai", "gpt-4o-20240806", 2_500_000_000},
	} {
		if got, ok := Default().Cost(tt.provider, tt.model, u, now); !ok || got != tt.want {
			t.Errorf("%s %s costs %d, %v; want %d", tt.provider, tt.model, got, ok, tt.want)
		}
	}
	// The providers that lm/openai names.
	for _, name := range []string{"openai", "anthropic", "gemini", "openrouter", "groq", "mistral", "deepseek"} {
		if Default().provider(name, "") == nil {
			t.Errorf("%s is not there", name)
		}
	}
	for in, want := range map[string]string{
		"gpt-5.2-20251211": "gpt-5.2-2025-12-11", "a-20251231:b": "a-2025-12-31:b", "a-20251331": "a-20251331",
		"a-20250230": "a-20250230", "a-202512111": "a-202512111", "20251211": "20251211",
	} {
		if got := dashed(in); got != want {
			t.Errorf("dashed(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	table := read(t, `{"as_of": "2026-01-01"}`)
	at := table.AsOf().Add(180 * 24 * time.Hour)
	if table.Stale(at) || !table.Stale(at.Add(time.Second)) || !read(t, `{}`).Stale(at) {
		t.Error("a table is not stale from the 181st day on, or where it has no day")
	}
}

const house = `{"as_of": "2026-12-24", "source": "us", "providers": [
	{"id": "openai", "models": [{"id": "gpt-4o", "prices": [{"input": 2, "output": [8, [1000, 9.5]]}]}]},
	{"id": "gateway", "names": ["gateway-*"], "owns": ["house-*"], "fallback": ["openai"], "models": [
		{"id": "House-1", "match": ["house-1*", ["*h1*", "!*mini*"], "re:^h\\d$"], "prices": [
			{"input": 1}, {"from": "2027-01-01", "input": 0.5}, {"from": "2027-01-01", "between": ["22:00", "06:00"], "input": 0}]}]}]}`

func TestOverride(t *testing.T) {
	t.Parallel()
	own := read(t, house)
	table := Default().Override(own)
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		provider, model string
		u               lm.Usage
		at              time.Time
		want            lm.Money
	}{
		{"openai", "gpt-4o", lm.Usage{PromptTokens: 1000, CompletionTokens: 10}, now, 2_080_000},
		{"openai", "gpt-4o", lm.Usage{PromptTokens: 1001, CompletionTokens: 10}, now, 2_097_000},
		{"openai", "gpt-4o-2024-08-06", lm.Usage{PromptTokens: 1000}, now, 2_500_000}, // not overridden
		{"anthropic", "claude-3-haiku", lm.Usage{PromptTokens: 1000}, now, 250_000},
		{"gateway-eu", "house-1-x", lm.Usage{PromptTokens: 1}, now, 1000},
		{"", "house-1", lm.Usage{PromptTokens: 1}, now, 1000},
		{"gateway", "my-h1", lm.Usage{PromptTokens: 1}, now, 1000},
		{"gateway", "h7", lm.Usage{PromptTokens: 1}, now, 1000},
		{"gateway", "gpt-4o", lm.Usage{PromptTokens: 1}, now, 2000}, // falls back to ours
		{"gateway", "house-1", lm.Usage{PromptTokens: 1}, time.Date(2027, 1, 1, 6, 0, 0, 0, time.UTC), 500},
		{"gateway", "house-1", lm.Usage{PromptTokens: 1}, time.Date(2027, 1, 1, 5, 59, 0, 0, time.UTC), 0},
		{"gateway", "house-1", lm.Usage{PromptTokens: 1}, time.Date(2027, 1, 1, 22, 0, 0, 0, time.UTC), 0},
	} {
		if got, ok := table.Cost(tt.provider, tt.model, tt.u, tt.at); !ok || got != tt.want {
			t.Errorf("%s %s at %v: %d, %v; want %d", tt.provider, tt.model, tt.at, got, ok, tt.want)
		}
	}
	if _, ok := table.Cost("gateway", "my-h1-mini", lm.Usage{PromptTokens: 1}, now); ok {
		t.Error("a pattern with a ! does not count")
	}
	if table.AsOf() != Default().AsOf() || table.Source() != Default().Source() {
		t.Error("a table with own prices has another day")
	}
	if empty := new(Table).Override(own); empty.AsOf() != own.AsOf() || empty.Source() != "us" {
		t.Error("own prices alone have lost their day")
	}
	if got, _ := Default().Cost("openai", "gpt-4o", lm.Usage{PromptTokens: 1000}, now); got != 2_500_000 {
		t.Error("Override changed the table itself")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	model := func(s string) string { return `{"providers": [{"id": "a", "models": [{"id": "m", ` + s + `}]}]}` }
	cost := func(s string) string { return model(`"prices": [{"input": ` + s + `}]`) }
	for in, want := range map[string]string{
		``:                             "EOF",
		`[]`:                           "cannot unmarshal",
		`{} {}`:                        "something follows",
		`{"as_of": "yesterday"}`:       `as_of is "yesterday"`,
		`{"provider": []}`:             "unknown field",
		`{"providers": [{}]}`:          "the id is empty",
		`{"providers": [{"id": "A"}]}`: "not in lower case",
		`{"providers": [{"id": "a"},{"id": "a"}]}`:                 "a is there twice",
		`{"providers": [{"id": "a", "models": [{"prices": []}]}]}`: "the id is empty",
		`{"providers": [{"id": "a", "owns": "x"}]}`:                "not a list of patterns",
		`{"providers": [{"id": "a", "owns": [1]}]}`:                "neither a pattern nor",
		`{"providers": [{"id": "a", "owns": [[]]}]}`:               "neither a pattern nor",
		`{"providers": [{"id": "a", "owns": ["a*b"]}]}`:            "not a text with a *",
		`{"providers": [{"id": "a", "owns": ["*"]}]}`:              "not a text with a *",
		`{"providers": [{"id": "a", "owns": ["re:("]}]}`:           "no regular expression",
		model(`"price": []`):                                       "model 0 (m): ",
		model(`"prices": [{"imput": 1}]`):                          `unknown field "imput"`,
		model(`"prices": [{"from": "2026-13-01"}]`):                "not a day",
		model(`"prices": [{"between": ["22:00"]}]`):                "not two times",
		model(`"prices": [{"between": ["22:00", "24:00"]}]`):       "not a time",
		model(`"prices": [{"when": {"a": "b"}}]`):                  "among the variants",
		model(`"variants": [{"input": 1}]`):                        "has no when",
		cost(`-1`):                                                 `"-1" is not a decimal number`,
		cost(`1e3`):                                                "without an exponent",
		cost(`"1"`):                                                "not a decimal number",
		cost(`0.0000000000001`):                                    "more than 12 digits",
		cost(`1000000.1`):                                          "more than 1000000 dollars",
		cost(`9999999`):                                            "more than 1000000 dollars",
		cost(`12345678901234567890`):                               "more than 1000000 dollars",
		cost(`[]`):                                                 "empty list",
		cost(`[1, 2]`):                                             "not [tokens, price]",
		cost(`[1, [-1, 2]]`):                                       "number of tokens",
		cost(`[1, [10, 2], [10, 3]]`):                              "behind the one before",
		cost(`[1, [10, -2]]`):                                      "not a decimal number",
		cost(`[1, [1.5, 2]]`):                                      "number of tokens",
		`{"source": "` + strings.Repeat("x", maxFile) + `"}`:       "more than 16777216 bytes",
		`{"as_of": "` + strings.Repeat("9", 100) + `"}`:            `9"...`,
	} {
		_, err := Read(strings.NewReader(in))
		if !errors.Is(err, lm.ErrInvalidRequest) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", in, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := Read(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("a broken file: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestParseAmount(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]amount{
		"0": 0, "0.000000000001": 1, "2.5": 2_500_000_000_000, "007": 7 * unit, "1000000": 1_000_000 * unit, "1.000000000000": unit,
	} {
		if got, err := parseAmount(in); err != nil || got != want {
			t.Errorf("%s is %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", ".", ".5", "5.", "-1", "+1", "NaN", "Inf", "1_0", "0x1", " 1", "1.2.3"} {
		if got, err := parseAmount(in); err == nil {
			t.Errorf("%q is %d, and no number", in, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(house))
	f.Add(embedded[:1000])
	f.Add([]byte(`{"providers":[{"id":"a","owns":["!re:^a","*b*"],"models":[{"id":"m","prices":[{"input":[1,[2,3]],"other":["x"]}],"variants":[{"when":{"a":"b"},"output":0.1}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Read(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, lm.ErrInvalidRequest) {
				t.Fatalf("%v is of no kind", err)
			}
			return
		}
		at := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
		for _, p := range table.providers {
			for _, m := range p.models {
				for _, when := range []string{"a", "b"} {
					cost, ok := table.When("a", when).Cost(p.id, m.id, lm.Usage{Calls: 1, PromptTokens: 5, CachedTokens: 2, CompletionTokens: 3}, at)
					if cost < 0 || !ok && cost != 0 {
						t.Fatalf("a cost of %d, %v", cost, ok)
					}
				}
			}
		}
	})
}
