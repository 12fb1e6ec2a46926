package llamacpp

import (
	"github.com/whetgo/whet/lm"
)

// draw gives the job its next token and reports whether its hole is filled. The
// likeliest token is taken as it is where the form of the hole admits it; only else are
// the others looked at, one after the other.
func (s *scheduler) draw(p *part) (filled bool, err error) {
	j := p.job
	token := s.batch.best[p.output.out]
	admitted := j.sampling.temperature == 0 && j.admits(token)
	if admitted && !j.logprobs {
		return s.take(j, token)
	}
	row := s.dec.row(p.output.token)
	if row == nil {
		return false, failure(lm.ErrBackend, "llama.cpp lost the logits of a token")
	}
	switch {
	case j.sampling.temperature > 0:
		token = s.sampler.sample(row, j.sampling, j.rng.Float64, j.admits)
	case !admitted:
		token = s.sampler.best(row, j.admits)
	}
	if token < 0 { // the vocabulary cannot write what the form asks for
		j.closeHole()
		return true, nil
	}
	if j.logprobs && !j.vocab.isEnd(token) {
		j.report(&s.sampler, row, s.batch.lse[p.output.out], token)
	}
	return s.take(j, token)
}

// take adds the token to the job's text; what the form of its hole adds by itself may
// change the tokens before.
func (s *scheduler) take(j *job, token int32) (filled bool, err error) {
	filled, jumped := j.take(token)
	if filled || !jumped {
		return filled, nil
	}
	return false, s.retarget(j)
}

// report writes down the log-probabilities in the place of a token.
func (j *job) report(sampler *sampler, row []float32, lse float64, token int32) {
	at := func(token int32) lm.TokenLogprob {
		return lm.TokenLogprob{Token: j.vocab.piece(token), LogProb: float64(row[token]) - lse}
	}
	entry := at(token)
	for _, t := range sampler.top(row, j.topLogprobs) {
		entry.Top = append(entry.Top, at(t))
	}
	j.logProbs = append(j.logProbs, entry)
}
