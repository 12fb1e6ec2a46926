package lm

import "context"

// Embedder turns texts into vectors whose directions are close where the texts are
// alike. It is safe for concurrent use.
type Embedder interface {
	// Embed returns a vector for each text, in order, all of one length. A text that
	// is too long for the model is an error of kind ErrContextLength and not cut.
	Embed(ctx context.Context, texts []string) (*Embeddings, error)
}

// Embeddings are the vectors of some texts.
type Embeddings struct {
	// Vectors has one vector for each text, of length 1 unless the embedder says
	// otherwise, so that a product of two is their cosine.
	Vectors [][]float32
	// Usage is what they cost; PromptTokens is the length of all texts.
	Usage Usage
	// Model names the model that computed them.
	Model string
}
