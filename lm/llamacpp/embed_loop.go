package llamacpp

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// embedLoop owns an engine for embeddings. Its goroutine takes calls, fills a batch with
// their texts, a text of each call in turn, and has it computed: one step.
type embedLoop struct {
	engine    embedEngine
	facts     embedFacts
	pool      Pool
	normalize bool

	wake    chan struct{} // holds one
	quit    chan struct{}
	stopped chan struct{}

	mu       sync.Mutex
	incoming []*embedJob
	closed   bool
	inStep   []*embedJob // the jobs of the step that runs

	// The rest belongs to the goroutine.
	jobs    []*embedJob
	turn    int        // index of the job whose text comes next
	pending *embedText // what is to be computed next, perhaps in part computed
	seqs    []int32    // free ones
	batch   embedBatch
	stats   embedStats
}

// embedStats is what the goroutine has done so far; for tests.
type embedStats struct{ steps, evaluated int }

func newEmbedLoop(e embedEngine, f embedFacts, pool Pool, normalize bool) *embedLoop {
	l := &embedLoop{
		engine: e, facts: f, pool: pool, normalize: normalize,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), stopped: make(chan struct{}),
	}
	for i := range f.limits.texts {
		l.seqs = append(l.seqs, int32(i))
	}
	return l
}

// do hands a job to the goroutine and waits for its end or the context's.
func (l *embedLoop) do(ctx context.Context, j *embedJob) error {
	if j.left == 0 {
		return nil
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return closed()
	}
	l.incoming = append(l.incoming, j)
	l.mu.Unlock()
	l.nudge()
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		l.cancelled()
		return ctx.Err()
	}
}

func (l *embedLoop) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// cancelled is called when some call's context has ended, by that call itself: a function
// that the context was to call could be taken back before it has run.
func (l *embedLoop) cancelled() {
	l.mu.Lock()
	if len(l.inStep) > 0 && l.abandoned() {
		l.engine.abort(true)
	}
	l.mu.Unlock()
	l.nudge()
}

// abandoned reports whether nobody waits for the step any more.
func (l *embedLoop) abandoned() bool {
	return !slices.ContainsFunc(l.inStep, func(j *embedJob) bool { return j.ctx.Err() == nil })
}

// close ends the goroutine and waits for it.
func (l *embedLoop) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		l.engine.abort(true)
		close(l.quit)
	}
	l.mu.Unlock()
	<-l.stopped
}

// run is the goroutine.
func (l *embedLoop) run() {
	defer close(l.stopped)
	for l.intake() {
		l.dropCancelled()
		l.build()
		if len(l.batch.token) > 0 {
			l.step()
		}
	}
	if l.pending != nil { // of a caller who has left, but that nobody has seen it
		l.release(l.pending)
		l.pending = nil
	}
	for _, j := range l.jobs {
		j.done <- closed()
	}
}

// intake takes what has arrived, waits when there is nothing else to do, and reports
// whether to go on.
func (l *embedLoop) intake() bool {
	for {
		l.mu.Lock()
		l.jobs = append(l.jobs, l.incoming...)
		clear(l.incoming)
		l.incoming = l.incoming[:0]
		ended := l.closed
		l.mu.Unlock()
		if ended || len(l.jobs) > 0 {
			return !ended
		}
		select {
		case <-l.quit:
		case <-l.wake:
		}
	}
}

func (l *embedLoop) dropCancelled() {
	for _, j := range slices.Clone(l.jobs) {
		if err := j.ctx.Err(); err != nil {
			l.end(j, err)
		}
	}
}

// end gives a job its result.
func (l *embedLoop) end(j *embedJob, err error) {
	i := slices.Index(l.jobs, j)
	if l.turn > i {
		l.turn-- // the others keep their turns
	}
	l.jobs = slices.Delete(l.jobs, i, i+1)
	if l.pending != nil && l.pending.job == j {
		l.release(l.pending)
		l.pending = nil
	}
	j.ended = true
	j.done <- err
}

// release gives back what the engine holds of a text.
func (l *embedLoop) release(t *embedText) {
	if t.seq >= 0 {
		l.engine.forget(t.seq)
		l.seqs = append(l.seqs, t.seq)
		t.seq = -1
	}
}

// upcoming returns the text that is to be computed next, or nil where there is none.
func (l *embedLoop) upcoming() *embedText {
	for range l.jobs {
		if l.pending != nil {
			break
		}
		l.turn %= len(l.jobs)
		if j := l.jobs[l.turn]; j.next < len(j.texts) {
			l.pending = &embedText{job: j, index: j.next, seq: -1}
			j.next++
		}
		l.turn++
	}
	return l.pending
}

// build fills the batch. A text that does not fit is continued in the next step, or
// begun there where it must be computed as a whole.
func (l *embedLoop) build() {
	l.batch.reset()
	for room := l.facts.limits.batch; room > 0; {
		t := l.upcoming()
		if t == nil || t.seq < 0 && len(l.seqs) == 0 {
			return
		}
		n := len(t.tokens())
		end := min(t.done+room, n)
		if end < n && l.facts.whole {
			return
		}
		if t.seq < 0 {
			t.seq = l.seqs[len(l.seqs)-1]
			l.seqs = l.seqs[:len(l.seqs)-1]
		}
		room -= end - t.done
		l.batch.add(t, end, l.pool, l.facts.width)
		if end < n {
			return
		}
		l.pending = nil
	}
}

// step computes the batch and looks at the results.
func (l *embedLoop) step() {
	err := errAborted
	if l.begin() {
		err = l.engine.step(&l.batch)
		l.finish()
	}
	if err == nil {
		l.stats.steps++
		l.stats.evaluated += len(l.batch.token)
	}
	for i, p := range l.batch.parts {
		switch {
		case p.text.job.ended: // by another of its texts
			l.release(p.text)
		case err == nil:
			l.absorb(p, l.batch.row(i, l.facts.width))
		case errors.Is(err, errAborted):
			l.release(p.text)
			l.end(p.text.job, whyLeft(p.text.job))
		default:
			l.release(p.text)
			l.end(p.text.job, backendFailure(err))
		}
	}
}

// begin says whose step it is, and whether it should be made at all.
func (l *embedLoop) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.batch.parts {
		if j := p.text.job; !slices.Contains(l.inStep, j) {
			l.inStep = append(l.inStep, j)
		}
	}
	if l.abandoned() {
		l.forgetStep()
		return false
	}
	return true
}

func (l *embedLoop) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetStep()
	if !l.closed {
		l.engine.abort(false)
	}
}

func (l *embedLoop) forgetStep() {
	clear(l.inStep)
	l.inStep = l.inStep[:0]
}

// whyLeft says why a step with the job's texts was stopped or not made: nobody waits for
// it, or the model is being closed.
func whyLeft(j *embedJob) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	return closed()
}

// absorb takes in what a step has computed of a text.
func (l *embedLoop) absorb(p embedPart, sum []float64) {
	t := p.text
	if t.sum != nil {
		for i, x := range sum {
			t.sum[i] += x
		}
		sum = t.sum
	}
	t.done = p.end
	if t.done < len(t.tokens()) {
		if t.sum == nil {
			t.sum = slices.Clone(sum)
		}
		return
	}
	l.release(t)
	j := t.job
	v, err := t.vector(sum, l.pool, l.normalize)
	if err != nil {
		l.end(j, err)
		return
	}
	j.vectors[t.index] = v
	if j.left--; j.left == 0 {
		l.end(j, nil)
	}
}
