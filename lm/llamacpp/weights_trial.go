package llamacpp

import (
	"errors"
	"fmt"
	"time"
)

// What a trial computes in a round: a prompt, then the ends of several prompts that
// begin with it, of which a few tokens are scored. Large models get less of it.
const (
	trialRounds  = 3
	trialPrompt  = 128 // tokens
	trialEnds    = 8
	trialEnd     = 24 // tokens
	trialScored  = 4  // of each end
	trialContext = 768
	fullTrial    = 300e6 // parameters up to which the numbers are these
	leastPrompt  = 32
)

// trialSample is a form that is being tried.
type trialSample interface {
	// round does the work that is timed, once.
	round() error
	free()
}

// engineSample measures an engine with the steps that a data set's prompts need.
type engineSample struct {
	engine
	tokens      []int32
	prompt, end int // tokens
	b           batch
}

// openSample loads a model file as cfg would have it, but with a small context.
func openSample(path string, cfg config, params uint64) (trialSample, error) {
	cfg.context, cfg.slots = trialContext, trialEnds
	e, reason := load(path, cfg)
	if e == nil {
		return nil, errors.New(reason)
	}
	s, err := newEngineSample(e, params)
	if err != nil {
		e.free()
		return nil, err
	}
	return s, nil
}

func newEngineSample(e engine, params uint64) (*engineSample, error) {
	s := &engineSample{engine: e, prompt: trialPrompt, end: trialEnd}
	if params > fullTrial {
		s.prompt = max(int(trialPrompt*fullTrial/float64(params)), leastPrompt)
		s.end = trialEnd * s.prompt / trialPrompt
	}
	text := "A boat left the harbour at 7:45 in the rain, with three people and a dog on board.\n"
	line := e.tokenize(text, false)
	if len(line) == 0 {
		return nil, errors.New("its vocabulary has no tokens for a plain text")
	}
	for len(s.tokens) < s.prompt+s.end {
		s.tokens = append(s.tokens, line...)
	}
	return s, nil
}

func (s *engineSample) round() error {
	for seq := range int32(trialEnds) {
		if !s.cutSeq(seq, 0) {
			return errNoCut
		}
	}
	s.b.reset()
	for i := range s.prompt {
		s.b.add(s.tokens[i], i, 0)
	}
	if err := s.decode(&s.b); err != nil {
		return err
	}
	for seq := range int32(trialEnds - 1) {
		s.copySeq(0, seq+1, s.prompt)
	}
	s.b.reset()
	for seq := range int32(trialEnds) {
		for i := range s.end {
			at := s.b.add(s.tokens[s.prompt+i], s.prompt+i, seq)
			if i >= s.end-trialScored {
				s.b.want(at, wantLSE, s.tokens[0])
			}
		}
	}
	return s.decode(&s.b)
}

// contestant is a file in one form.
type contestant struct {
	WeightTiming
	path   string
	sample trialSample
}

// compete measures the forms in turns, so that what else runs on the machine meets all
// of them.
func compete(all []contestant, now func() time.Time) ([]WeightTiming, error) {
	timings := make([]WeightTiming, len(all))
	for i, c := range all {
		timings[i] = c.WeightTiming
	}
	for range trialRounds {
		for i, c := range all {
			start := now()
			if err := c.sample.round(); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Type, err)
			}
			timings[i].Repeats = append(timings[i].Repeats, now().Sub(start))
		}
	}
	return timings, nil
}
