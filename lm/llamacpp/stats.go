package llamacpp

// Stats is what a model has done since it was opened.
type Stats struct {
	// Requests is how many requests have ended, with a reply or without, that took any
	// computing.
	Requests int
	// Steps is how many batches were evaluated, and Computed how many tokens in them:
	// the sum of all Usage.ComputedTokens, but for requests that ended early.
	Steps, Computed int
	// Handed is how many tokens llama.cpp was handed: those computed, those of steps
	// that were stopped or failed, and those that only fill up steps.
	Handed int
	// Cells is how many tokens the cache holds now, and Kept how many of them for
	// requests to come.
	Cells, Kept int
}

// Stats returns what the model has done so far.
func (m *Model) Stats() Stats {
	m.scheduler.mu.Lock()
	defer m.scheduler.mu.Unlock()
	return m.scheduler.seen
}

// publish makes the numbers of the goroutine those that Stats returns.
func (s *scheduler) publish() {
	s.stats.Handed = s.dec.handed()
	s.stats.Cells = s.limits.cells - s.kv.room()
	s.stats.Kept = s.kept.tokens
	if s.last != nil {
		s.stats.Kept = len(s.last.tokens)
	}
	s.mu.Lock()
	s.seen = s.stats
	s.mu.Unlock()
}
