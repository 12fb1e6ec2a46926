//go:build llamacpp

package gbnf

import (
	"os"
	"testing"

	"github.com/whetgo/whet/internal/gbnf/llamagrammar"
)

// openPeer returns what makes llama.cpp's matcher of a grammar; nil where there is no
// model whose vocabulary it could use.
func openPeer(t *testing.T) func(*testing.T, string) peerFunc {
	path := os.Getenv("WHET_MODEL_SMOLLM2")
	if path == "" {
		t.Log("not compared with llama.cpp: WHET_MODEL_SMOLLM2 names no model; run scripts/setup models")
		return nil
	}
	vocab, err := llamagrammar.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(vocab.Close)
	return func(t *testing.T, text string) peerFunc {
		t.Helper()
		g, err := vocab.Parse(text)
		if err != nil {
			t.Error(err)
			return func(string) (ok, can bool) { return false, false }
		}
		t.Cleanup(g.Close)
		return g.Accepts
	}
}
