//go:build llamacpp

package llamacpp

// embedEngine makes an engine for embeddings on the same weights. It must be freed first.
func (e *llamaEngine) embedEngine(cfg embedConfig) (embedEngine, string) {
	x, why := embedOn(e.c, cfg)
	if x == nil {
		return nil, why
	}
	return x, ""
}
