//go:build !llamacpp

package llamacpp

// available reports whether llama.cpp was built in.
const available = false

func load(string, config) (engine, string) { return nil, "llama.cpp is not built in" }
