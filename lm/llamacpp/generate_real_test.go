//go:build llamacpp

package llamacpp

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

var generations = flag.Int("generations", 300, "how many values TestGenerateBySchema lets each model generate")

type schemaFile struct {
	name   string
	source []byte
	schema *jsonschema.Schema
}

// generateSchemas are the schemas of internal/gbnf's testdata.
func generateSchemas(t testing.TB) []schemaFile {
	t.Helper()
	files, err := filepath.Glob("../../internal/gbnf/testdata/generate/*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 30)
	out := make([]schemaFile, len(files))
	for i, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
		require.NoError(t, err)
		c := jsonschema.NewCompiler()
		require.NoError(t, c.AddResource("schema.json", doc))
		schema, err := c.Compile("schema.json")
		require.NoError(t, err)
		out[i] = schemaFile{strings.TrimSuffix(filepath.Base(file), ".json"), source, schema}
	}
	return out
}

// Whatever a small model is asked for by a schema parses and validates, also where its
// tokens end in the middle of it.
func TestGenerateBySchema(t *testing.T) {
	t.Parallel()
	schemas := generateSchemas(t)
	for _, tm := range models {
		t.Run(tm.name, func(t *testing.T) {
			t.Parallel()
			modelPath(t, tm.variable)
			count := *generations
			if tm.name != "smollm2" && !flagSet("generations") {
				count = min(count, 40)
			}
			computing.Lock()
			defer computing.Unlock()
			m := openOn(t, tm, Weights(WeightsAuto), CacheDir(t.TempDir()))
			var mu sync.Mutex
			cut, tokens := 0, 0
			var wg sync.WaitGroup
			work := make(chan int)
			for range 2 * defaultSlots {
				wg.Go(func() {
					for i := range work {
						f := schemas[i%len(schemas)]
						r := &lm.Request{
							Prompt:    fmt.Sprintf("Here is some data about %s number %d as JSON:\n", f.name, i),
							Shape:     &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Name: f.name, Schema: f.source}, {Literal: "\n"}}},
							MaxTokens: 4 + i*7%60, Seed: lm.Seed(uint64(i)),
						}
						if i/len(schemas)%3 > 0 {
							r.Temperature = lm.Temperature(float64(i / len(schemas) % 3))
						}
						resp, err := m.Generate(t.Context(), r)
						if err != nil {
							t.Errorf("%s, %d: %v", f.name, i, err)
							continue
						}
						value, err := jsonschema.UnmarshalJSON(strings.NewReader(resp.Text))
						if err == nil {
							err = f.schema.Validate(value)
						}
						if err != nil || !resp.Shaped || !json.Valid([]byte(resp.Text)) {
							t.Errorf("%s, %d: %q (shaped: %v): %v", f.name, i, resp.Text, resp.Shaped, err)
						}
						mu.Lock()
						tokens += resp.Usage.CompletionTokens
						if resp.Finish == lm.FinishLength {
							cut++
						}
						mu.Unlock()
					}
				})
			}
			for i := range count {
				work <- i
			}
			close(work)
			wg.Wait()
			t.Logf("%d values of %d schemas, %d tokens decoded, %d values closed at the end of their tokens", count, len(schemas), tokens, cut)
			require.Positive(t, cut)
			require.Less(t, cut, count)
		})
	}
}

func flagSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// BenchmarkForm compares the time for a token with and without a form.
func BenchmarkForm(b *testing.B) {
	for _, tm := range models {
		m := openOn(b, tm)
		for _, temperature := range []float64{0, 1} {
			for _, form := range []string{"free", "schema"} {
				b.Run(fmt.Sprintf("%s/temperature=%v/%s", tm.name, temperature, form), func(b *testing.B) {
					tokens := 0
					for i := 0; b.Loop(); i++ {
						r := &lm.Request{Prompt: "A story about a boat:\n", MaxTokens: 64, Temperature: &temperature, Seed: lm.Seed(uint64(i))}
						if form == "schema" {
							r.Shape = &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleJSON, Schema: []byte(`{"type": "array", "items": {"type": "string", "minLength": 3, "maxLength": 40}, "minItems": 30}`)}}}
						}
						resp, err := m.Generate(b.Context(), r)
						if err != nil {
							b.Fatal(err)
						}
						tokens += resp.Usage.CompletionTokens
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(tokens), "us/token")
				})
			}
		}
		m.Close()
	}
}
