package llamacpp

import (
	"context"
	"sync"

	"github.com/whetgo/whet/lm"
)

// reading is a text that is read along: nothing is drawn, and each token from some
// place on is given its probability.
type reading struct {
	tokens  []int32
	from    int // the token after which the first one counts
	logProb float64
	counted int
}

// lookAlong takes in the probabilities of the tokens that a step has read.
func (s *scheduler) lookAlong(p *part) error {
	r := p.job.along
	for _, o := range p.along {
		r.logProb += float64(s.batch.targetLogit[o.target]) - s.batch.lse[o.out]
		r.counted++
	}
	if p.last {
		p.job.at = len(p.job.segments)
	}
	return nil
}

// Score implements [lm.Scorer]. All continuations are computed together, and what
// they have in common once.
func (m *Model) Score(ctx context.Context, r *lm.Request, continuations ...string) (*lm.Scores, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if len(continuations) == 0 {
		return nil, failure(lm.ErrInvalidRequest, "Score was given no continuation")
	}
	jobs := make([]*job, len(continuations))
	for i, c := range continuations {
		if c == "" {
			return nil, failure(lm.ErrInvalidRequest, "continuation %d is empty", i)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make(chan error, len(jobs))
	for i, c := range continuations {
		wg.Go(func() {
			_, err := m.do(ctx, func() (*job, error) {
				var err error
				jobs[i], err = m.planReading(ctx, r, c)
				return jobs[i], err
			})
			if err != nil {
				errs <- err
				cancel() // the others are of no use alone
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs: // the first, since those that follow may be of the cancellation
		return nil, err
	default:
	}
	out := &lm.Scores{Continuations: make([]lm.Continuation, len(jobs)), Model: m.name}
	for i, j := range jobs {
		out.Continuations[i] = lm.Continuation{Text: continuations[i], LogProb: j.along.logProb, Tokens: j.along.counted}
		out.Usage = out.Usage.Add(j.response().Usage)
	}
	return out, nil
}

// planReading makes a job that reads a continuation of the request's prompt.
func (m *Model) planReading(ctx context.Context, r *lm.Request, continuation string) (*job, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, closed()
	}
	head, tail, _, err := m.prompt(r)
	if err != nil {
		return nil, err
	}
	known := m.texts.prompt(m.engine, tail)
	prompt := append(head[:len(head):len(head)], known.tokens...)
	all := append(head[:len(head):len(head)], known.extend(m.engine, continuation).tokens...)
	shared := common(prompt, all)
	if facts := m.engine.info(); shared == 0 && facts.bos >= 0 && len(head) == 0 {
		all, shared = append([]int32{facts.bos}, all...), 1 // see prepareChoice
	}
	if shared == 0 {
		return nil, failure(lm.ErrUnsupported, "a continuation changes the first token of the prompt %q, and the model's vocabulary has no token to begin with; put some text before it", tail)
	}
	if err := m.fits(len(prompt), len(all)-shared); err != nil {
		return nil, err
	}
	j := &job{
		ctx: ctx, vocab: m.engine, done: make(chan outcome, 1), segments: make([]segment, 1),
		promptTokens: len(prompt), reserve: len(all) - shared, // and what is evaluated besides, see need
		along: &reading{tokens: all, from: shared - 1},
	}
	j.setTarget(all[:len(all)-1])
	return j, nil
}
