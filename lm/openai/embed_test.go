package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

func embedder(t *testing.T, s *fake, opts ...Option) *Embedder {
	t.Helper()
	e, err := NewEmbedder("gpt-embed", append([]Option{BaseURL(s.URL), Getenv(noEnvironment)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// TestEmbed sends five texts in batches of two to a server that answers back to front.
func TestEmbed(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		var r struct{ Input []string }
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Error(err)
		}
		var data []string
		for i := len(r.Input) - 1; i >= 0; i-- {
			data = append(data, fmt.Sprintf(`{"index":%d,"embedding":[%s,4e200]}`, i, r.Input[i]))
		}
		w.Header().Set("Content-Type", jsonType)
		_, _ = io.WriteString(w, `{"model":"m","data":[`+strings.Join(data, ",")+`],"usage":{"prompt_tokens":3}}`)
	})
	e := embedder(t, s, Batch(2))
	got, err := e.Embed(t.Context(), []string{"3e200", "0", "-3e200", "3e200", "0"})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float32{{0.6, 0.8}, {0, 1}, {-0.6, 0.8}, {0.6, 0.8}, {0, 1}}
	for i, v := range got.Vectors {
		for j, x := range v {
			if math.Abs(float64(x-want[i][j])) > 1e-6 {
				t.Errorf("the vectors are %v, want %v", got.Vectors, want)
			}
		}
	}
	if usage := (lm.Usage{Calls: 3, PromptTokens: 9}); len(got.Vectors) != 5 || got.Usage != usage || got.Model != "m" {
		t.Errorf("%d vectors of %q cost %+v, want 5 of m for %+v", len(got.Vectors), got.Model, got.Usage, usage)
	}
	golden(t, "testdata/requests/embeddings.txt", s.paths[0]+"\n"+strings.Join(s.bodies, "\n")+"\n")
	none, err := e.Embed(t.Context(), nil)
	if err != nil || len(none.Vectors) != 0 || len(s.bodies) != 3 {
		t.Errorf("no texts: %+v, %v", none, err)
	}
	if e.Name() != "openai:gpt-embed@"+strings.TrimPrefix(s.URL, "http://") {
		t.Errorf("the name is %q", e.Name())
	}
	if diff := cmp.Diff(e.Name(), fmt.Sprintf("%+v", e)); diff != "" {
		t.Errorf("printed (-name +got):\n%s", diff)
	}
}

func TestBrokenEmbeddings(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"too few":        `{"data":[{"index":0,"embedding":[1]}]}`,
		"twice":          `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`,
		"out of range":   `{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}`,
		"negative":       `{"data":[{"index":0,"embedding":[1]},{"index":-1,"embedding":[1]}]}`,
		"of two sizes":   `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}`,
		"empty":          `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[]}]}`,
		"zero":           `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[0,0]}]}`,
		"no numbers":     `{"data":[{"index":0,"embedding":["a"]},{"index":1,"embedding":[1]}]}`,
		"too large":      `{"data":[{"index":0,"embedding":[1e999]},{"index":1,"embedding":[1]}]}`,
		"nothing":        `{}`,
		"null":           `null`,
		"list":           `[[1],[2]]`,
		"page":           `<html></html>`,
		"error in a 200": `{"error":{"message":"it died","code":500}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := embedder(t, says(t, jsonType, body)).Embed(t.Context(), []string{"a", "b"}); !errors.Is(err, lm.ErrBackend) {
				t.Errorf("Embed returned %v, %v; want an error of kind %q", got, err, lm.ErrBackend)
			}
		})
	}
}
