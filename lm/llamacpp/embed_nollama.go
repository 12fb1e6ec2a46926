//go:build !llamacpp

package llamacpp

func loadEmbedder(string, embedConfig) (embedEngine, string) { return nil, "llama.cpp is not built in" }
