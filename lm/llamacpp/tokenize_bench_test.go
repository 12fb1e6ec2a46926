//go:build llamacpp

package llamacpp

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkTokenize measures how long llama.cpp takes for a prompt, and for one that
// grows by some words.
func BenchmarkTokenize(b *testing.B) {
	for _, tm := range models {
		m := tm.open(b)
		text := strings.Repeat("Text: call 0900 now and win 5 pounds, see example.org\nLabel: spam\n\n", 30)
		b.Run(fmt.Sprintf("%s/whole/%d bytes", tm.name, len(text)), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				m.engine.tokenize(text, false)
			}
		})
		known := tokenized{text, m.engine.tokenize(text, false)}
		b.Run(tm.name+"/grown", func(b *testing.B) {
			for b.Loop() {
				known.extend(m.engine, " smishing\n\n")
			}
		})
	}
}
