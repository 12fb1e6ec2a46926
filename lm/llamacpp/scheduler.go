package llamacpp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whetgo/whet/lm"
)

// gathering is how long the scheduler waits at least, when a step has ended and nothing
// else is to be done, for the callers to come back with their next requests. It is far
// less than a step, and without it the first to come would have a step alone.
const gathering = 5 * time.Millisecond

// scheduler owns a decoder. Its goroutine takes requests, puts the tokens of all
// that run into one batch, has it evaluated, and looks at the results: one step.
type scheduler struct {
	dec      decoder
	vocab    vocabulary
	limits   limits
	slots    int
	patience int
	cache    int // tokens that are kept, or 0 for as many as are worth it
	retained int // sequences that are kept
	chunk    int // of a Deterministic model: tokens of a step; or 0
	drafts   bool

	wake    chan struct{} // holds one
	quit    chan struct{}
	stopped chan struct{}

	planning atomic.Int32 // requests that are being made into jobs

	mu       sync.Mutex
	incoming []*job
	closed   bool
	inStep   []*job // the jobs of the step that runs
	seen     Stats  // a copy of stats

	// The rest belongs to the goroutine.
	kv      *kv
	waiting []*job // in the order of arrival
	running []*job
	kept    prefixes
	last    *sequence // of a Deterministic model, in place of kept
	batch   batch
	parts   []part
	sampler sampler
	stats   Stats
	ended   int // jobs, since the last gathering
	hold    int // steps for which jobs have been held back
}

func newScheduler(d decoder, v vocabulary, i info, cfg config) *scheduler {
	s := &scheduler{
		dec: d, vocab: v, limits: i.limits, slots: cfg.slots, patience: i.patience,
		cache: cfg.cache, retained: cfg.retained(), drafts: !cfg.noDrafts,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), stopped: make(chan struct{}),
		kv: newKV(d, i.limits),
	}
	if cfg.deterministic {
		s.chunk = exactChunk
	}
	s.kept.kv = s.kv
	return s
}

// run hands a job to the goroutine and waits for its end or the context's.
func (s *scheduler) run(ctx context.Context, j *job) (*lm.Response, error) {
	if err := s.submit(j); err != nil {
		return nil, err
	}
	select {
	case o := <-j.done:
		return o.resp, o.err
	case <-ctx.Done():
		s.withdraw(j)
		return nil, ctx.Err()
	}
}

// submit hands a job to the goroutine, which gives it its result.
func (s *scheduler) submit(j *job) error {
	if j.finished() { // a shape of literals only
		j.settle(outcome{resp: j.response()})
		return nil
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return closed()
	}
	s.incoming = append(s.incoming, j)
	s.mu.Unlock()
	s.nudge()
	return nil
}

// withdraw takes back a job whose context has ended. If the goroutine has not seen it yet,
// it need not: so its tokens go with its caller.
func (s *scheduler) withdraw(j *job) {
	s.mu.Lock()
	s.incoming = slices.DeleteFunc(s.incoming, func(o *job) bool { return o == j })
	s.mu.Unlock()
	s.cancelled()
}

func (s *scheduler) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// cancelled is called when some request's context has ended, by that request itself: a
// function that the context was to call could be taken back before it has run. One request leaves
// between steps; only a step that nobody waits for any more is stopped.
func (s *scheduler) cancelled() {
	s.mu.Lock()
	if len(s.inStep) > 0 && nobodyWaits(s.inStep) {
		s.dec.abort(true)
	}
	s.mu.Unlock()
	s.nudge()
}

func nobodyWaits(jobs []*job) bool {
	for _, j := range jobs {
		if j.ctx.Err() == nil {
			return false
		}
	}
	return true
}

// close ends the goroutine and waits for it.
func (s *scheduler) close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.dec.abort(true)
		close(s.quit)
	}
	s.mu.Unlock()
	<-s.stopped
}

// loop is the goroutine.
func (s *scheduler) loop() {
	defer close(s.stopped)
	for {
		s.intake()
		if s.isClosed() {
			s.shutdown()
			return
		}
		s.dropCancelled()
		s.expire()
		s.admit()
		s.build()
		if s.batch.len() > 0 {
			s.step()
		} else if len(s.running) > 0 && !s.evict() {
			s.preempt()
		}
		s.publish()
	}
}

func (s *scheduler) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// intake takes what has arrived; it waits when there is nothing else to do.
func (s *scheduler) intake() {
	if s.collect(); len(s.running) > 0 {
		s.ended = 0
		return
	}
	if s.ended > 0 {
		expected := min(s.ended, s.slots)
		s.ended = 0
		if len(s.waiting) < expected {
			s.gather(expected)
		}
	}
	for len(s.waiting) == 0 {
		select {
		case <-s.quit:
			return
		case <-s.wake:
			s.collect()
		}
	}
}

// gather waits for the expected number of requests, or until none is on its way.
func (s *scheduler) gather(expected int) {
	end := time.Now().Add(4 * gathering)
	timer := time.NewTimer(gathering)
	defer timer.Stop()
	for len(s.waiting) < expected {
		select {
		case <-s.quit:
			return
		case <-timer.C:
			if s.planning.Load() == 0 || time.Now().After(end) {
				return
			}
			timer.Reset(gathering / 5)
		case <-s.wake:
			s.collect()
		}
	}
}

func (s *scheduler) collect() {
	s.mu.Lock()
	s.waiting = append(s.waiting, s.incoming...)
	clear(s.incoming)
	s.incoming = s.incoming[:0]
	s.mu.Unlock()
}

func (s *scheduler) shutdown() {
	s.collect()
	for _, j := range s.running {
		s.kv.drop(j.seq)
	}
	s.stats.Requests += len(s.running) + len(s.waiting)
	s.publish()
	for _, j := range append(s.running, s.waiting...) {
		j.settle(outcome{err: closed()})
	}
	s.running, s.waiting = nil, nil
}

// end gives a job its result. What it has evaluated stays, for its prefix.
func (s *scheduler) end(j *job, o outcome) {
	if j.seq != nil {
		s.retain(j.seq)
		j.seq = nil
	}
	s.ended++
	s.stats.Requests++
	s.publish()
	j.settle(o)
}

func (s *scheduler) dropCancelled() {
	s.running = s.without(s.running)
	s.waiting = s.without(s.waiting)
}

func (s *scheduler) without(jobs []*job) []*job {
	left := jobs[:0]
	for _, j := range jobs {
		if err := j.ctx.Err(); err != nil {
			s.end(j, outcome{err: err})
			continue
		}
		left = append(left, j)
	}
	clear(jobs[len(left):])
	return left
}

// endFinished gives the jobs that have nothing left to compute their results.
func (s *scheduler) endFinished() {
	left := s.running[:0]
	for _, j := range s.running {
		if j.finished() {
			s.end(j, outcome{resp: j.response()})
			continue
		}
		left = append(left, j)
	}
	clear(s.running[len(left):])
	s.running = left
}

// step evaluates the batch and looks at the results.
func (s *scheduler) step() {
	if !s.begin() {
		s.abandon()
		return
	}
	err := s.dec.decode(&s.batch)
	s.finish()
	switch {
	case err == nil:
		s.absorb()
	case errors.Is(err, errAborted):
		s.abandon() // and dropCancelled, or shutdown, ends the jobs
	case errors.Is(err, errNoRoom) && s.evict():
		s.abandon() // and the next step tries again
	default:
		s.abandon()
		for _, p := range s.parts {
			if p.job.seq != nil { // or abandon has failed it
				s.fail(p.job, backendFailure(err))
			}
		}
	}
}

// begin says whose step it is, and whether it should be made at all.
func (s *scheduler) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inStep = s.inStep[:0]
	for _, p := range s.parts {
		s.inStep = append(s.inStep, p.job)
	}
	if nobodyWaits(s.inStep) {
		s.inStep = s.inStep[:0]
		return false
	}
	return true
}

func (s *scheduler) finish() {
	s.mu.Lock()
	s.inStep = s.inStep[:0]
	if !s.closed {
		s.dec.abort(false)
	}
	s.mu.Unlock()
}

// abandon cuts the sequences of the step back to what was there before it. A job whose
// sequence cannot be cut has failed: it holds tokens that nobody knows.
func (s *scheduler) abandon() {
	for _, p := range s.parts {
		for _, id := range p.branches {
			s.kv.returnID(id)
		}
		if j := p.job; !s.dec.cutSeq(j.seq.id, len(j.seq.tokens)) {
			s.kv.drop(j.seq)
			j.seq = nil
			s.fail(j, backendFailure(errNoCut))
		}
	}
}

func (s *scheduler) fail(j *job, err error) {
	for i, r := range s.running {
		if r == j {
			s.running = append(s.running[:i], s.running[i+1:]...)
			break
		}
	}
	s.end(j, outcome{err: err})
}
