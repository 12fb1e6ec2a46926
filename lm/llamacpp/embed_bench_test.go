//go:build llamacpp

package llamacpp

import (
	"fmt"
	"testing"
)

// BenchmarkEmbed measures calls of so many texts of 3 to 60 tokens, one after another.
func BenchmarkEmbed(b *testing.B) {
	for _, variable := range []string{"WHET_MODEL_SMOLLM2", "WHET_MODEL_GEMMA"} {
		for _, n := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/texts=%d", variable, n), func(b *testing.B) {
				e, err := OpenEmbedder(modelPath(b, variable))
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				texts := mixed(64)
				embed(b, e, texts[:n]...) // memory is reserved
				done, tokens := 0, 0
				for b.Loop() {
					at := done % len(texts)
					r, err := e.Embed(b.Context(), texts[at:at+n])
					if err != nil {
						b.Fatal(err)
					}
					done, tokens = done+n, tokens+r.Usage.PromptTokens
				}
				b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "texts/s")
				b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tok/s")
			})
		}
	}
}
